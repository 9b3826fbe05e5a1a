//! What the crate promises, tested from outside.

mod answers;
mod cache;
mod conversations;
mod goldens;
mod hostile;
