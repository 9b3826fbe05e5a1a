//! Answers a prompt: `cargo run --release -p engine --example answer -- MODEL.gguf "Once upon a time"`.

use std::error::Error;
use std::io::{Write, stdout};

use backend_cpu::{CpuConfig, CpuDevice};
use engine::{Engine, EngineConfig, Event, LoadConfig, LoadedModel, Request};

/// Writes the answer as it is made, then how it ended.
pub(crate) fn answer(path: &str, prompt: &str, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let model = LoadedModel::open(path, &[CpuDevice::new(&CpuConfig::default())], &LoadConfig::default())?;
    let engine = Engine::start(model, EngineConfig::default())?;
    for event in engine.submit(Request { max_tokens: Some(32), ..Request::new(prompt) })? {
        match event {
            Event::Piece(piece) => write!(out, "{}", piece.text)?,
            Event::Done(done) => writeln!(out, "{}\n{:?}: {:?}", done.text, done.finish, done.stats)?,
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, path, prompt] = &arguments[..] else { return Err("give a model file and a prompt".into()) };
    answer(path, prompt, &mut stdout())
}
