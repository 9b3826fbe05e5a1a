//! Judges models: perplexity, divergence from a base model, multiple-choice tasks; and collects what their weights see.
//!
//! Works on token ids over an [`engine::Context`]. Knows no tokenizer (callers hand one in as a function), no device
//! and no command line, and prints nothing.

mod base;
mod divergence;
mod error;
pub mod imatrix;
mod logits;
mod perplexity;
mod statistics;
pub mod tasks;
mod windows;

pub use base::{BaseHeader, BaseReader, BaseWriter};
pub use divergence::{Divergence, Summary};
pub use error::{Error, Result};
pub use perplexity::{Perplexity, SavedPerplexity};
pub use statistics::{Estimate, Percentiles};
pub use windows::{Judge, Scored, Windows};
