//! Samplers and chains from outside.

mod golden;
