//! Goldens, speed guards and property tests of the tokenizer.

mod files;
mod golden;
mod hostile;
mod linear;
mod loading;
mod random;
mod streaming;
mod synthetic;
