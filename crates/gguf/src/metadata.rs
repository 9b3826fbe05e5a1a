//! The key-value part of the header.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::read::Bytes;
use crate::value::{Array, FromValue, Value, ValueType, scalar};

/// Ordered metadata of a file; values are read where they lie.
#[derive(Clone, Debug)]
pub struct Metadata {
    pub(crate) bytes: Arc<Bytes>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) by_key: HashMap<Box<str>, usize>,
}

/// Where a value lies. Ranges were checked when the file was read.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    pub(crate) ty: ValueType,
    /// For arrays: element type and count.
    pub(crate) array: Option<(ValueType, usize)>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Metadata {
    /// The value of a key; `Ok(None)` if the file has no such key.
    pub fn get<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        T::from_value(value).map(Some).ok_or_else(|| Error::WrongType {
            key: key.into(),
            wanted: T::NAME,
            found: describe(&value),
        })
    }

    /// The value of a key that must be there.
    pub fn require<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<T> {
        self.get(key)?.ok_or_else(|| Error::MissingKey { key: key.into() })
    }

    pub fn value(&self, key: &str) -> Option<Value<'_>> {
        self.by_key.get(key).map(|&i| self.read(&self.entries[i]))
    }

    pub fn contains(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.entries.iter().map(|e| (&*e.key, self.read(e)))
    }

    fn read(&self, entry: &Entry) -> Value<'_> {
        let bytes = &self.bytes.as_slice()[entry.start..entry.end];
        match entry.array {
            Some((element, len)) => Value::Array(Array { element, len, bytes }),
            None => scalar(entry.ty, bytes).expect("the value was read whole when the file was opened").0,
        }
    }
}

/// A value's type and, where short, the value.
fn describe(value: &Value<'_>) -> String {
    match value {
        Value::Array(_) => value.type_name(),
        Value::String(s) => format!("string {:?}", String::from_utf8_lossy(&s[..s.len().min(40)])),
        other => format!("{} {}", other.type_name(), plain(other)),
    }
}

fn plain(value: &Value<'_>) -> String {
    match value {
        Value::U8(v) => v.to_string(),
        Value::I8(v) => v.to_string(),
        Value::U16(v) => v.to_string(),
        Value::I16(v) => v.to_string(),
        Value::U32(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::U64(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
        Value::Bool(v) => v.to_string(),
        Value::String(_) | Value::Array(_) => String::new(),
    }
}
