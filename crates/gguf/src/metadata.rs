//! The key-value part of the header.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::read::Bytes;
use crate::value::{Array, FromValue, Value, ValueType, scalar};

/// Ordered metadata of a file; keys and values are read where they lie.
#[derive(Clone, Debug)]
pub struct Metadata {
    bytes: Arc<Bytes>,
    entries: Vec<Entry>,
    /// Numbers of the entries, sorted by key.
    by_key: Vec<u32>,
}

/// Where a key and its value lie: checked when the file was read. Small, as a file may hold many short entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: u32,
    pub(crate) key_len: u16,
    pub(crate) ty: ValueType,
    /// Of arrays: the type of the elements.
    pub(crate) element: Option<ValueType>,
    /// Of arrays: the number of elements.
    pub(crate) len: u32,
    /// Where the value ends; of arrays, the last element.
    pub(crate) end: u32,
}

impl Entry {
    fn key(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.key as usize..][..self.key_len.into()]
    }

    /// Where the value begins: behind the key come its type, and in arrays the type of the elements and their number.
    fn start(self) -> usize {
        let before = if self.element.is_some() { 4 + 4 + 8 } else { 4 };
        self.key as usize + usize::from(self.key_len) + before
    }

    fn value(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start()..self.end as usize]
    }
}

impl Metadata {
    /// # Errors
    /// If two entries have the same key.
    pub(crate) fn new(bytes: Arc<Bytes>, entries: Vec<Entry>) -> Result<Self> {
        let key = |i: &u32| entries[*i as usize].key(bytes.as_slice());
        let mut by_key: Vec<u32> = (0..entries.len() as u32).collect();
        by_key.sort_unstable_by(|a, b| key(a).cmp(key(b)).then(a.cmp(b)));
        if let Some(pair) = by_key.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
            return Err(Error::Invalid {
                what: format!("metadata key {:?}", String::from_utf8_lossy(key(&pair[1]))),
                offset: entries[pair[1] as usize].key.into(),
                problem: "occurs twice".into(),
            });
        }
        Ok(Self { bytes, entries, by_key })
    }

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
        self.find(key).map(|entry| self.read(entry))
    }

    /// Where in the file the bytes of a value begin: of a string its text, of an array its first element.
    pub fn value_offset(&self, key: &str) -> Option<u64> {
        let entry = self.find(key)?;
        let length = if entry.ty == ValueType::String { 8 } else { 0 };
        Some(entry.start() as u64 + length)
    }

    pub fn contains(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let key = |entry: Entry| std::str::from_utf8(entry.key(self.bytes.as_slice()));
        let key = move |entry| key(entry).expect("keys were checked when the file was opened");
        self.entries.iter().map(move |entry| (key(*entry), self.read(*entry)))
    }

    fn find(&self, key: &str) -> Option<Entry> {
        let bytes = self.bytes.as_slice();
        let found =
            self.by_key.binary_search_by(|i| self.entries[*i as usize].key(bytes).cmp(key.as_bytes()));
        found.ok().map(|at| self.entries[self.by_key[at] as usize])
    }

    fn read(&self, entry: Entry) -> Value<'_> {
        let bytes = entry.value(self.bytes.as_slice());
        match entry.element {
            Some(element) => Value::Array(Array { element, len: entry.len as usize, bytes }),
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
