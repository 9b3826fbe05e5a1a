//! What the crate promises, tested from outside.

mod goldens;
mod hostile;
