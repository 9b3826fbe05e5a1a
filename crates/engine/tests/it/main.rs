//! Models end to end: what the reference engine computed, however the tokens are given; and the engine's promises.

mod answers;
mod common;
mod decoded;
mod faults;
mod goldens;
mod masks;
mod memory;
mod models;
mod reuse;
mod visited;
