//! Runs models: weights on devices, memory of sequences, batches, the decode loop.
//!
//! Knows no concrete device, no HTTP and no command line. [`LoadedModel`] is a file on its devices; a [`Context`] runs
//! it for any number of sequences, and gives logits or hidden states; an [`Engine`] is a thread with a context of its
//! own, and answers [`Request`]s.

mod answer;
mod context;
mod engine;
mod error;
mod loaded;
mod logprobs;
mod memory;
mod observe;
mod request;
mod schedule;
mod stop;

pub use answer::{Answer, Completion, Done, Event, Finish, Logprobs, Piece, Stats, TimedOut};
pub use context::{Context, ContextConfig, Entry, MemoryUse, Outputs, Wanted};
pub use engine::{Engine, EngineConfig, Status};
pub use error::{Error, Result};
pub use loaded::{LoadConfig, LoadedModel};
pub use memory::SeqId;
pub use model::Mode;
pub use observe::Product;
pub use request::{Prompt, Request};
pub use {sampling, tokenizer};
