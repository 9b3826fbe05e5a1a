//! A step of a sequence that goes on allocates nothing, in any thread. A program of its own, as it counts what the whole
//! process allocates; hence also one test.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backend::Device;
use backend_cpu::{CpuConfig, CpuDevice};
use engine::sampling::{Chain, Params, VocabInfo};
use engine::{
    Context, ContextConfig, Engine, EngineConfig, Entry, Event, LoadConfig, LoadedModel, Mode, Request,
    Wanted,
};
use testkit::Golden;

/// The system's allocator, which counts.
struct Counting;

static N_ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, n: usize) -> *mut u8 {
        N_ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(old, layout, n) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn n_allocations() -> usize {
    N_ALLOCATIONS.load(Ordering::SeqCst)
}

/// A model that has no vocabulary, so that its answers have no text.
fn model(name: &str) -> Arc<LoadedModel> {
    let device: Arc<dyn Device> = CpuDevice::new(&CpuConfig { n_threads: 2, ..CpuConfig::default() });
    let file = Golden::load(name).file().expect("a valid file");
    LoadedModel::load(file, &[device], &LoadConfig::default(), |_, _| {}).expect("a valid model")
}

/// The default chain and penalties. DRY is left out: its buffers grow with the answer, up to its window.
fn params() -> Params {
    Params { seed: Some(1), penalty_repeat: 1.1, typical_p: 0.9, ..Params::default() }
}

const WARM_UP: usize = 70;
const STEPS: usize = 100;

fn steps_of_a_context(name: &str) {
    let config = ContextConfig { n_ctx: 512, n_seq_max: 2, ..ContextConfig::default() };
    let mut context = Context::new(model(name), config).expect("a context");
    let mut chain = Chain::new(&params(), &VocabInfo::of_size(128)).expect("valid settings");
    let seqs = [(); 2].map(|()| context.sequence().expect("room"));
    let (mut tokens, mut before) = ([1, 2], 0);
    for step in 0..WARM_UP + STEPS {
        if step == WARM_UP {
            before = n_allocations();
        }
        let entry = |i: usize| Entry { seq: seqs[i], tokens: &tokens[i..=i], wanted: Wanted::Last };
        let outputs = context.decode(Mode::Logits, &[entry(0), entry(1)]).expect("a step");
        let mut chosen = [0; 2];
        for (token, logits) in chosen.iter_mut().zip(outputs.rows()) {
            *token = chain.sample(logits).expect("a token");
            chain.accept(*token).expect("no grammar refuses it");
        }
        tokens = chosen;
    }
    assert_eq!(n_allocations() - before, 0, "allocations in {STEPS} steps of a context of {name}");
}

fn steps_of_an_engine(name: &str) {
    let context = ContextConfig { n_ctx: 512, ..ContextConfig::default() };
    let config = EngineConfig {
        context: ContextConfig { n_seq_max: 2, ..context },
        n_parallel: 2,
        ..EngineConfig::default()
    };
    let engine = Engine::start(model(name), config).expect("an engine");
    let request = || Request { sampling: params(), max_tokens: Some(200), ..Request::new(vec![1, 2]) };
    let mut answers = [(); 2].map(|()| engine.submit(request()).expect("a valid request"));
    let mut next = || {
        for answer in &mut answers {
            assert!(matches!(answer.next(), Some(Event::Piece(_))));
        }
    };
    (0..WARM_UP).for_each(|_| next());
    let before = n_allocations();
    (0..STEPS).for_each(|_| next());
    assert_eq!(n_allocations() - before, 0, "allocations in {STEPS} steps of an engine");
}

#[test]
fn a_step_allocates_nothing() {
    steps_of_a_context("gemma3.swa");
    for name in ["deepseek32.chosen", "minimax-m3.chosen", "glm5-next.chosen", "deepseek4.long"] {
        steps_of_a_context(name);
    }
    steps_of_an_engine("gemma3.swa");
}
