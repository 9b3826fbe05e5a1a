//! Chat templates: a conversation becomes the prompt that the model was trained on. Knows nothing of tokens; text
//! that must not become control tokens is marked as such in the result.

mod engine;
mod python;
mod source;
mod value;
mod worker;

use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::Error;
use engine::Engine;

pub use python::Moment;

/// What a template may cost. The defaults are far above what any known template needs.
#[derive(Clone, Debug)]
pub struct Limits {
    pub source_bytes: usize,
    /// Links of one expression, and branches of one `if`.
    pub chain: usize,
    /// Steps of the engine; one also pays for 64 bytes of text.
    pub fuel: u64,
    pub output_bytes: usize,
    /// How deep messages may be nested.
    pub value_depth: usize,
    /// How deep macros and loops may recurse.
    pub recursion: usize,
    pub time: Duration,
    /// Address space of the thread that renders; memory is used only as needed.
    pub stack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 256 << 10,
            chain: 500,
            fuel: 5_000_000,
            output_bytes: 64 << 20,
            value_depth: 128,
            recursion: 500,
            time: Duration::from_secs(10),
            stack_bytes: 64 << 20,
        }
    }
}

/// Whether a template may append to its lists, which Python's sandbox forbids and one family of models needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Appending {
    #[default]
    Allowed,
    Refused,
}

/// A chat template, ready to render.
#[derive(Debug)]
pub struct Template {
    engine: Engine,
}

impl Template {
    /// Compiles a template exactly as it is meant for Python, and as strict.
    ///
    /// # Errors
    /// A syntax error, or a limit that the text exceeds.
    pub fn strict(source: &str, limits: &Limits) -> Result<Self, Error> {
        Ok(Self { engine: Engine::new(source, limits, Appending::Refused)? })
    }

    /// Renders with the variables given and nothing else: no message is touched, no text is marked.
    ///
    /// # Errors
    /// What the template refuses, or a limit it exceeds.
    pub fn render_raw(&self, vars: Map<String, Json>, now: Moment) -> Result<String, Error> {
        self.engine.render(Json::Object(vars), now)
    }
}
