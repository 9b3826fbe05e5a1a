//! The CPU device: a team of threads, kernels, instruction sets.
