//! The subcommands, a file each.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod eval;
pub(crate) mod info;
pub(crate) mod perplexity;
