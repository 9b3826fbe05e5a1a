//! The language of models: shapes, ops, graphs, passes, memory plan. No I/O, no threads, no kernels.
