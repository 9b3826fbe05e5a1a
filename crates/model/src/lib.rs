//! Architectures: hyperparameters, weights by name, blocks, and a file for each architecture. Only describes graphs.
