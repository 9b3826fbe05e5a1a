//! The algorithms that turn a piece of text into tokens, one file each. None knows of special tokens in the text.

pub(crate) mod bpe;
mod charsmap;
mod joints;
mod memo;
mod merge_queue;
mod merges;
mod pairs;
pub(crate) mod plamo2;
pub(crate) mod rwkv;
pub(crate) mod spm;
pub(crate) mod test;
pub(crate) mod ugm;
pub(crate) mod variants;
pub(crate) mod wpm;
