//! What comes before the tensors' bytes: metadata, and the list of tensors with their places.

use std::collections::HashSet;

use super::value::{OwnedValue, put_string};
use crate::error::{Error, Result};
use crate::header::{check_alignment, tensor_bytes};
use crate::limits::{DEFAULT_ALIGNMENT, MAX_KEY_LEN, MAX_NAME_LEN};
use crate::metadata::Metadata;
use crate::tensor_type::TensorType;

/// Metadata and tensors of a file that is to be written, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    metadata: Vec<(String, OwnedValue)>,
    tensors: Vec<TensorSpec>,
}

/// A tensor that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    pub name: String,
    /// Extents, contiguous first.
    pub dims: Vec<u64>,
    pub ty: TensorType,
}

/// A header as bytes, up to the first tensor, and the sizes of what follows.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: Vec<u8>,
    /// Bytes of each tensor, without the zeros behind it.
    pub(super) tensor_bytes: Vec<u64>,
    pub(super) alignment: u64,
    pub(super) file_bytes: u64,
}

impl Header {
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with all metadata of another file.
    pub fn like(metadata: &Metadata) -> Self {
        let metadata = metadata.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        Self { metadata, tensors: Vec::new() }
    }

    /// Sets a value: in place if the key is there, else at the end.
    pub fn set(&mut self, key: &str, value: impl Into<OwnedValue>) -> &mut Self {
        let value = value.into();
        match self.metadata.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => self.metadata.push((key.into(), value)),
        }
        self
    }

    /// Removes a key; `None` if there is no such key.
    pub fn remove(&mut self, key: &str) -> Option<OwnedValue> {
        let at = self.metadata.iter().position(|(k, _)| k == key)?;
        Some(self.metadata.remove(at).1)
    }

    pub fn get(&self, key: &str) -> Option<&OwnedValue> {
        self.metadata.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    pub fn tensor(&mut self, name: &str, dims: &[u64], ty: TensorType) -> &mut Self {
        self.tensors.push(TensorSpec { name: name.into(), dims: dims.into(), ty });
        self
    }

    pub fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    /// Bytes of the whole file.
    ///
    /// # Errors
    /// If the reader would refuse the file: a name or key that is too long or occurs twice, an impossible shape, a
    /// wrong alignment.
    pub fn file_bytes(&self) -> Result<u64> {
        Ok(self.layout()?.file_bytes)
    }

    pub(super) fn layout(&self) -> Result<Layout> {
        let alignment = self.alignment()?;
        let mut header = b"GGUF".to_vec();
        header.extend(3u32.to_le_bytes());
        header.extend((self.tensors.len() as u64).to_le_bytes());
        header.extend((self.metadata.len() as u64).to_le_bytes());
        self.put_metadata(&mut header)?;
        let (tensor_bytes, data_bytes) = self.put_tensors(alignment, &mut header)?;
        header.resize(header.len().next_multiple_of(alignment as usize), 0);
        let file_bytes = (header.len() as u64).checked_add(data_bytes).ok_or_else(too_large)?;
        Ok(Layout { header, tensor_bytes, alignment, file_bytes })
    }

    fn alignment(&self) -> Result<u64> {
        match self.get("general.alignment") {
            None => Ok(DEFAULT_ALIGNMENT),
            Some(OwnedValue::U32(alignment)) => check_alignment((*alignment).into()),
            Some(other) => Err(Error::WrongType {
                key: "general.alignment".into(),
                wanted: "u32",
                found: other.value_type().name().into(),
            }),
        }
    }

    fn put_metadata(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut keys = HashSet::with_capacity(self.metadata.len());
        for (key, value) in &self.metadata {
            let problem = if key.len() > MAX_KEY_LEN {
                format!("{} bytes long; at most {MAX_KEY_LEN} are allowed", key.len())
            } else if !keys.insert(key) {
                "occurs twice".into()
            } else if !value.is_uniform() {
                "the elements of the array are not of its type".into()
            } else {
                put_string(key.as_bytes(), out);
                out.extend((value.value_type() as u32).to_le_bytes());
                value.put(out);
                continue;
            };
            let offset = out.len() as u64;
            return Err(Error::Invalid { what: format!("metadata key {key:?}"), offset, problem });
        }
        Ok(())
    }

    /// The sizes of the tensors, and of all their bytes with the zeros between them.
    fn put_tensors(&self, alignment: u64, out: &mut Vec<u8>) -> Result<(Vec<u64>, u64)> {
        let mut names = HashSet::with_capacity(self.tensors.len());
        let mut sizes = Vec::with_capacity(self.tensors.len());
        let mut offset = 0u64;
        for TensorSpec { name, dims, ty } in &self.tensors {
            let problem = |problem: String| Error::Tensor { name: name.clone(), problem };
            if name.len() > MAX_NAME_LEN {
                let len = name.len();
                return Err(problem(format!(
                    "the name is {len} bytes long; at most {MAX_NAME_LEN} are allowed"
                )));
            }
            if !names.insert(name) {
                return Err(problem("occurs twice".into()));
            }
            let n_bytes = tensor_bytes(dims, *ty).map_err(problem)?;
            put_string(name.as_bytes(), out);
            out.extend((dims.len() as u32).to_le_bytes());
            dims.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.extend(ty.id().to_le_bytes());
            out.extend(offset.to_le_bytes());
            sizes.push(n_bytes);
            let end = offset.checked_add(n_bytes).and_then(|end| end.checked_next_multiple_of(alignment));
            offset = end.ok_or_else(too_large)?;
        }
        Ok((sizes, offset))
    }
}

fn too_large() -> Error {
    Error::Invalid { what: "the file".into(), offset: 0, problem: "is larger than 2^64 bytes".into() }
}
