//! Models end to end: what the reference engine computed, however the tokens are given.

mod goldens;
mod half_gelu;
