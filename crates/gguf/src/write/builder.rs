//! Small files, made in memory.

use super::header::Header;
use super::value::OwnedValue;
use crate::error::Result;
use crate::tensor_type::TensorType;

/// Collects a file.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    header: Header,
    data: Vec<Vec<u8>>,
}

impl Builder {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn value(&mut self, key: &str, value: OwnedValue) -> &mut Self {
        self.header.set(key, value);
        self
    }

    /// `data` holds exactly the bytes of the tensor.
    pub fn tensor(&mut self, name: &str, dims: &[u64], ty: TensorType, data: Vec<u8>) -> &mut Self {
        self.header.tensor(name, dims, ty);
        self.data.push(data);
        self
    }

    /// The whole file, version 3, in memory.
    ///
    /// # Errors
    /// If the reader would refuse the file.
    ///
    /// # Panics
    /// If the bytes of a tensor are not as many as its shape and type say.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let layout = self.header.layout()?;
        let mut out = layout.header;
        for ((tensor, data), n_bytes) in self.header.tensors().iter().zip(&self.data).zip(layout.tensor_bytes)
        {
            assert_eq!(data.len() as u64, n_bytes, "bytes of tensor {:?}", tensor.name);
            out.extend(data);
            out.resize(out.len().next_multiple_of(layout.alignment as usize), 0);
        }
        Ok(out)
    }
}
