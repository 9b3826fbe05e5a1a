//! `llama-rs`: the command line. Flags become configurations; the only crate that names concrete devices.

fn main() {}
