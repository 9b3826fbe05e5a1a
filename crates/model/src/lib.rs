//! Models: hyperparameters, checked weights, building blocks, and a file for each architecture.
//!
//! Turns a GGUF file into graphs of [`tensor`] ops. Knows no device, thread, cache layout or sampler, and never
//! reads tensor data.

mod arch;
mod blocks;
mod error;
mod hparams;
mod limits;
mod model;
mod source;
mod step;

pub use arch::names as architectures;
pub use error::{Error, Result};
pub use hparams::{Hparams, Pooling, RopeParams, RopeScaling};
pub use model::{LoadOptions, Mode, Model, NamedMemory, NamedWeight};
