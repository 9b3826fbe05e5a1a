//! Goldens, speed guards and property tests of the tokenizer.

mod files;
mod golden;
mod hostile;
mod huggingface;
mod linear;
mod loading;
mod marked;
mod streaming;
mod synthetic;
