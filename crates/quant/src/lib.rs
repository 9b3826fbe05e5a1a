//! Block formats of quantized tensors: layout, scalar decode and encode, one table of types.
