//! After warm-up, a token costs no allocation. Its own binary, for the allocator is the program's.
#![expect(unsafe_code, reason = "an allocator that counts")]
#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use sampling::{Chain, Kind, Mirostat, Mt19937, Params, PieceFn, VocabInfo};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout, by `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const N: usize = 20_000;
/// As many as `last_n`, so that histories are full, and buffers have seen their largest use.
const N_WARM: usize = 100;

fn check(title: &str, params: Params) {
    let params = Params { seed: Some(1), ..params };
    let vocab = VocabInfo {
        eog: vec![1],
        end: Some(1),
        pieces: Some(PieceFn::new(|token, buffer| buffer.extend_from_slice(&token.to_le_bytes()))),
        ..VocabInfo::of_size(N)
    };
    let mut chain = Chain::new(&params, &vocab).unwrap();
    let mut rng = Mt19937::new(1);
    let row: Vec<f32> = (0..N).map(|_| rng.next_f32() * 20.0 - 10.0).collect();
    let mut step = || {
        let token = chain.sample(&row).unwrap();
        chain.accept_prompt(token);
    };
    (0..N_WARM).for_each(|_| step());
    let before = COUNT.get();
    (0..50).for_each(|_| step());
    assert_eq!(COUNT.get() - before, 0, "{title}");
}

#[test]
fn no_allocation_per_token() {
    let default = Params::default;
    check("default", default());
    check("greedy", Params::greedy());
    check("nucleus of the whole vocabulary", Params { order: vec![Kind::TopP], ..default() });
    check(
        "all",
        Params {
            logit_bias: vec![(5, 1.0)],
            typical_p: 0.9,
            top_n_sigma: 3.0,
            xtc_probability: 0.5,
            dynatemp_range: 0.5,
            penalty_repeat: 1.1,
            dry_multiplier: 0.8,
            dry_breakers: vec![vec![3], vec![4, 5]],
            order: [Kind::DEFAULT_ORDER.as_slice(), &[Kind::Infill, Kind::AdaptiveP]].concat(),
            ..default()
        },
    );
    check("typical first", Params { order: vec![Kind::Typical], typical_p: 0.5, ..default() });
    check("mirostat", Params { mirostat: Mirostat::V1, ..default() });
    check("mirostat 2", Params { mirostat: Mirostat::V2, ..default() });
}
