//! Runs models: weights on devices, memory of sequences, batching, the decode loop.
