//! Goldens, speed guards and property tests of the tokenizer.

mod files;
mod golden;
