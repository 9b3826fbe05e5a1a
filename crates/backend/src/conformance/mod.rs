//! The cases every device must pass: an op, its inputs, compared with the scalar definition.
