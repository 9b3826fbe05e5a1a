//! Answers a prompt: `cargo run --release -p engine --example answer -- MODEL.gguf "Once upon a time"`.

use std::io::{Write, stdout};

use backend_cpu::{CpuConfig, CpuDevice};
use engine::{Engine, EngineConfig, Event, LoadConfig, LoadedModel, Request};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [path, prompt] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "MODEL PROMPT")?;
    let model = LoadedModel::open(path, &[CpuDevice::new(&CpuConfig::default())], &LoadConfig::default())?;
    let engine = Engine::start(model, EngineConfig::default())?;
    for event in engine.submit(Request { max_tokens: Some(100), ..Request::new(prompt) })? {
        match event {
            Event::Piece(piece) => write!(stdout(), "{}", piece.text)?,
            Event::Done(done) => writeln!(stdout(), "{}\n{:?} {:?}", done.text, done.finish, done.stats)?,
        }
    }
    Ok(())
}
