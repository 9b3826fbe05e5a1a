//! The subcommands, a file each.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod detokenize;
pub(crate) mod eval;
pub(crate) mod gguf;
pub(crate) mod info;
pub(crate) mod perplexity;
pub(crate) mod quantize;
pub(crate) mod run;
pub(crate) mod synth;
pub(crate) mod template;
pub(crate) mod tokenize;
