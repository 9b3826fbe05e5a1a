//! A small model with a vocabulary of letters, and engines that run it.

use std::sync::Arc;

use backend::Device;
use backend_cpu::{CpuConfig, CpuDevice};
use engine::sampling::Params;
use engine::{Completion, ContextConfig, Engine, EngineConfig, LoadConfig, LoadedModel, Request};
use tensor::DType;
use testkit::{Golden, KeyValue};

/// Tokens of the vocabulary: three special ones, the letters, pairs of letters.
pub(crate) const N_VOCAB: usize = 128;
/// Ends a generation.
pub(crate) const END: u32 = 2;

pub(crate) fn device() -> Arc<dyn Device> {
    CpuDevice::new(&CpuConfig { n_threads: 2, ..CpuConfig::default() })
}

/// The text of a token.
pub(crate) fn text_of(token: u32) -> String {
    let letter = |n: u32| char::from(b'a' + (n % 26) as u8);
    match token {
        0 => "<unk>".into(),
        1 => "<s>".into(),
        END => "</s>".into(),
        3..=28 => letter(token - 3).into(),
        _ => [letter((token - 29) / 26), letter(token - 29)].iter().collect(),
    }
}

/// A dense Llama of two layers with random weights.
pub(crate) fn model(device: Arc<dyn Device>) -> Arc<LoadedModel> {
    model_of("llama-dense", device, &LoadConfig::default())
}

/// The model of a golden of 128 tokens, with the vocabulary.
pub(crate) fn model_of(golden: &str, device: Arc<dyn Device>, config: &LoadConfig) -> Arc<LoadedModel> {
    let mut golden = Golden::load(golden);
    golden.metadata.retain(|KeyValue(key, ..)| key != "tokenizer.ggml.model");
    let mut add = |key: &str, ty: &str, value| golden.metadata.push(KeyValue(key.into(), ty.into(), value));
    let tokens: Vec<_> = (0..N_VOCAB as u32).map(text_of).collect();
    add("tokenizer.ggml.model", "str", "llama".into());
    add("tokenizer.ggml.tokens", "[str]", tokens.into());
    add("tokenizer.ggml.scores", "[f32]", vec![0.0; N_VOCAB].into());
    let types: Vec<_> = (0..N_VOCAB).map(|i| [2, 3, 3, 1][i.min(3)]).collect();
    add("tokenizer.ggml.token_type", "[i32]", types.into());
    add("tokenizer.ggml.bos_token_id", "u32", 1.into());
    add("tokenizer.ggml.eos_token_id", "u32", END.into());
    add("tokenizer.ggml.add_bos_token", "bool", true.into());
    add("tokenizer.ggml.add_space_prefix", "bool", false.into());
    let file = golden.file().expect("a valid file");
    LoadedModel::load(file, &[device], config, |_, _| {}).expect("a valid model")
}

pub(crate) fn config() -> EngineConfig {
    let context = ContextConfig {
        n_ctx: 256,
        n_seq_max: 8,
        n_ubatch: 32,
        key_type: DType::F32,
        value_type: DType::F32,
        ..ContextConfig::default()
    };
    EngineConfig { context, n_chunk: 16, ..EngineConfig::default() }
}

pub(crate) fn engine(config: EngineConfig) -> Engine {
    Engine::start(model(device()), config).expect("the engine starts")
}

/// A prompt that is different for each `seed`.
pub(crate) fn prompt(seed: u32, n: usize) -> Vec<u32> {
    (0..n as u32).map(|i| 3 + (i * i + seed * 31 + i * seed) % (N_VOCAB as u32 - 3)).collect()
}

/// Always the most likely token, never the end.
pub(crate) fn greedy(prompt: Vec<u32>, n: usize) -> Request {
    let sampling = Params { ignore_eos: true, ..Params::greedy() };
    Request { sampling, max_tokens: Some(n), ..Request::new(prompt) }
}

/// Drawn tokens.
pub(crate) fn drawn(prompt: Vec<u32>, n: usize, seed: u32) -> Request {
    let sampling =
        Params { seed: Some(seed), temperature: 1.5, top_k: 0, top_p: 1.0, min_p: 0.0, ..Params::default() };
    Request { sampling: Params { ignore_eos: true, ..sampling }, max_tokens: Some(n), ..Request::new(prompt) }
}

pub(crate) fn ask(engine: &Engine, request: Request) -> Completion {
    engine.submit(request).expect("a request that can be answered").complete().expect("an answer")
}
