//! What differs between two files: metadata, and tensors by type, shape and bytes.

use gguf::Gguf;

use crate::Result;

const PIECE_BYTES: u64 = 1 << 20;

/// One thing that is not the same in both files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A key that only one file has: the first or not.
    KeyOnlyIn {
        key: String,
        is_first: bool,
    },
    /// Another value.
    Value {
        key: String,
    },
    TensorOnlyIn {
        name: String,
        is_first: bool,
    },
    /// Another type or shape, described.
    Layout {
        name: String,
        first: String,
        second: String,
    },
    /// Other bytes: how many, of how many, and the first of them.
    Bytes {
        name: String,
        n_different: u64,
        n_bytes: u64,
        first_at: u64,
    },
}

/// All differences, in the order of the first file.
///
/// # Errors
/// If a file cannot be read.
pub fn diff(first: &Gguf, second: &Gguf) -> Result<Vec<Difference>> {
    let mut found = metadata(first, second);
    for tensor in first.tensors() {
        let name = tensor.name.clone();
        let Some(other) = second.tensor(&name) else {
            found.push(Difference::TensorOnlyIn { name, is_first: true });
            continue;
        };
        if (tensor.ty, &tensor.dims) != (other.ty, &other.dims) {
            let layout = |t: &gguf::TensorInfo| format!("{} {:?}", t.ty, t.dims);
            found.push(Difference::Layout { name, first: layout(tensor), second: layout(other) });
            continue;
        }
        let n_bytes = tensor.n_bytes();
        let (mut n_different, mut first_at) = (0, 0);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut offset = 0;
        while offset < n_bytes {
            let n = PIECE_BYTES.min(n_bytes - offset) as usize;
            left.resize(n, 0);
            right.resize(n, 0);
            first.read_at(tensor, offset, &mut left)?;
            second.read_at(other, offset, &mut right)?;
            if left != right {
                let unequal = || left.iter().zip(&right).map(|(a, b)| a != b);
                if n_different == 0 {
                    first_at = offset + unequal().position(|is| is).unwrap_or(0) as u64;
                }
                n_different += unequal().filter(|is| *is).count() as u64;
            }
            offset += n as u64;
        }
        if n_different > 0 {
            found.push(Difference::Bytes { name, n_different, n_bytes, first_at });
        }
    }
    let only_second = second.tensors().iter().filter(|t| first.tensor(&t.name).is_none());
    found.extend(only_second.map(|t| Difference::TensorOnlyIn { name: t.name.clone(), is_first: false }));
    Ok(found)
}

fn metadata(first: &Gguf, second: &Gguf) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, value) in first.metadata().iter() {
        let key = key.to_owned();
        match second.metadata().value(&key) {
            None => found.push(Difference::KeyOnlyIn { key, is_first: true }),
            Some(other) if other != value => found.push(Difference::Value { key }),
            Some(_) => {}
        }
    }
    for (key, _) in second.metadata().iter().filter(|(key, _)| !first.metadata().contains(key)) {
        found.push(Difference::KeyOnlyIn { key: key.to_owned(), is_first: false });
    }
    found
}
