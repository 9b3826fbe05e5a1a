//! The algorithms that turn a piece of text into tokens, one file each. None knows of special tokens in the text.

pub(crate) mod bpe;
mod joints;
mod memo;
mod merges;
mod pairs;
pub(crate) mod spm;
pub(crate) mod wpm;
