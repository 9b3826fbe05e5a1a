//! The GGUF container: read, check and write. Knows no tensor maths.
//!
//! Placeholder of the reading interface, in memory only, until the container lands.

use std::collections::HashMap;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("metadata {key}: missing")]
    Missing { key: String },
    #[error("metadata {key}: not a {wanted}")]
    Type { key: String, wanted: &'static str },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Clone, Debug)]
pub enum Value {
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    U32s(Vec<u32>),
    I32s(Vec<i32>),
    F32s(Vec<f32>),
    Bools(Vec<bool>),
    Strings(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorType(pub u32);

impl TensorType {
    pub fn id(self) -> u32 {
        self.0
    }
}

#[derive(Clone, Debug)]
pub struct TensorInfo {
    pub name: String,
    pub dims: Vec<usize>,
    pub ty: TensorType,
}

#[derive(Clone, Debug, Default)]
pub struct Metadata(pub HashMap<String, Value>);

pub trait FromValue<'a>: Sized {
    const NAME: &'static str;
    fn from_value(value: &'a Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($t:ty: $($pattern:pat => $value:expr),*;)*) => {$(
        impl<'a> FromValue<'a> for $t {
            const NAME: &'static str = stringify!($t);
            fn from_value(value: &'a Value) -> Option<Self> {
                match value { $($pattern => $value,)* _ => None }
            }
        }
    )*};
}

from_value! {
    u32: Value::U32(v) => Some(*v), Value::I32(v) => u32::try_from(*v).ok();
    i32: Value::I32(v) => Some(*v), Value::U32(v) => i32::try_from(*v).ok();
    usize: Value::U32(v) => Some(*v as usize), Value::I32(v) => usize::try_from(*v).ok();
    f32: Value::F32(v) => Some(*v);
    bool: Value::Bool(v) => Some(*v);
    &'a str: Value::String(v) => Some(v);
    Vec<u32>: Value::U32s(v) => Some(v.clone()), Value::I32s(v) => v.iter().map(|&i| u32::try_from(i).ok()).collect();
    Vec<i32>: Value::I32s(v) => Some(v.clone()), Value::U32s(v) => v.iter().map(|&i| i32::try_from(i).ok()).collect();
    Vec<f32>: Value::F32s(v) => Some(v.clone());
    Vec<bool>: Value::Bools(v) => Some(v.clone());
    Vec<&'a str>: Value::Strings(v) => Some(v.iter().map(String::as_str).collect());
}

impl Metadata {
    pub fn get<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<Option<T>> {
        self.0
            .get(key)
            .map(|v| T::from_value(v).ok_or(Error::Type { key: key.to_owned(), wanted: T::NAME }))
            .transpose()
    }

    pub fn require<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<T> {
        self.get(key)?.ok_or_else(|| Error::Missing { key: key.to_owned() })
    }
}

#[derive(Clone, Debug, Default)]
pub struct Gguf {
    pub metadata: Metadata,
    pub tensors: Vec<TensorInfo>,
    pub data: Vec<Vec<u8>>,
}

impl Gguf {
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }
}
