//! Real models with their weights decoded to `F32`, against the reference engine on the same weights.
//!
//! Without quantized activations nothing is rounded to integers, so that engines must agree to the precision of `F32`:
//! this says of real models what the goldens of quantized ones (`models.rs`) cannot. The reference is from itself, by
//! another instruction set or token by token, 3e-5 at most on SmolLM2 and Qwen 2.5, and 0.010 on Gemma 3, whose GELU is
//! rounded to half precision in both.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Context, ContextConfig, Entry, LoadConfig, LoadedModel, Mode, Wanted};
use gguf::write::{Header, Writer};
use gguf::{Gguf, TensorType};
use tensor::DType;
use testkit::{Folder, ModelGolden};

use crate::common;
use crate::models::log_sum;

const TOLERANCE: f32 = 3e-4;
const TOLERANCE_GEMMA: f32 = 0.02;

/// The copies take up to 2.5 GB each.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Writes a copy of the model with all its weights as `F32`.
fn decode(model: &Path, folder: &Folder) -> PathBuf {
    let file = Gguf::open(model).expect("a model");
    let f32 = TensorType::from_id(DType::F32.id()).expect("a type of GGUF");
    let mut header = Header::like(file.metadata());
    for tensor in file.tensors() {
        header.tensor(&tensor.name, &tensor.dims, f32);
    }
    let copy = folder.path("decoded.gguf");
    let mut writer = Writer::create(&copy, &header).expect("a file");
    for tensor in file.tensors() {
        let dtype = DType::from_id(tensor.ty.id()).expect("a type of weights");
        let mut values = vec![0.0; tensor.n_elements() as usize];
        quant::decode(dtype, &file.data(tensor), &mut values).expect("whole rows");
        writer.append(bytemuck::cast_slice(&values)).expect("space");
    }
    writer.finish().expect("a file");
    copy
}

/// The reference's continuations are read along: the log-probabilities of its best five tokens at every step.
fn check(name: &str, tolerance: f32) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let golden = ModelGolden::load(name);
    let folder = Folder::new(&format!("decoded-{name}"));
    let path = decode(&testkit::cached(&format!("{name}.gguf")), &folder);
    let model = LoadedModel::open(path, &[common::device()], &LoadConfig::default()).expect("a model");
    let config = ContextConfig {
        n_ctx: 256,
        key_type: DType::F32,
        value_type: DType::F32,
        ..ContextConfig::default()
    };
    let mut context = Context::new(Arc::clone(&model), config).expect("a context");
    let wanted = ModelGolden::decoded(name);
    assert_eq!(wanted.len(), golden.cases.len());
    for (case, steps) in golden.cases.iter().zip(&wanted) {
        assert_eq!(steps.len(), case.greedy.len());
        let seq = context.sequence().expect("a sequence");
        let (last, prompt) = case.ids.split_last().expect("a prompt");
        let tokens = [&[*last], &case.greedy[..case.greedy.len() - 1]].concat();
        let prompt = Entry { seq, tokens: prompt, wanted: Wanted::None };
        context.decode(Mode::Logits, &[prompt]).expect("a step");
        let entry = Entry { seq, tokens: &tokens, wanted: Wanted::All };
        let outputs = context.decode(Mode::Logits, &[entry]).expect("a step");
        for (i, (logits, best)) in outputs.rows().zip(steps).enumerate() {
            let log_sum = log_sum(logits);
            for &(token, want) in best {
                let got = logits[token as usize] - log_sum;
                let place = format!("{:?}, step {i}, token {token}", case.prompt);
                assert!((got - want).abs() <= tolerance, "{place}: {got}, and the reference has {want}");
            }
        }
        context.remove(seq);
    }
}

#[test]
fn smollm2() {
    check("smollm2-135m-instruct", TOLERANCE);
}

#[test]
fn gemma3() {
    check("gemma3-270m", TOLERANCE_GEMMA);
}

#[test]
fn qwen2() {
    check("qwen2.5-coder-0.5b", TOLERANCE);
}
