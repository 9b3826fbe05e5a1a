//! The GGUF container: read, check and write. Knows no tensor maths.
