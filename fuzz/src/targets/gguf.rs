//! Any bytes as a GGUF file: all that a file holds can be read, and lies within it. Its vocabulary, if it has one,
//! is loaded.

use gguf::{Gguf, Value};
use tokenizer::Tokenizer;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(file) = Gguf::from_bytes(bytes) else { return };
    for (_, value) in file.metadata().iter() {
        if let Value::Array(array) = value {
            assert_eq!(array.iter().count(), array.len());
        }
    }
    let total_bytes: usize = file.tensors().iter().map(|tensor| file.data(tensor).len()).sum();
    assert!(total_bytes <= bytes.len(), "{total_bytes} bytes of tensors in a file of {}", bytes.len());
    for tensor in file.tensors() {
        assert!(file.tensor(&tensor.name).is_some(), "{} is not found by its name", tensor.name);
    }
    drop(Tokenizer::from_gguf(file.metadata()));
}
