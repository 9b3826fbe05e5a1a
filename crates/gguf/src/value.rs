//! Metadata values, read in place, and typed access to them.

use crate::error::{Error, Result};

/// The element types of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValueType {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl ValueType {
    pub(crate) const ALL: [Self; 13] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::F32,
        Self::Bool,
        Self::String,
        Self::Array,
        Self::U64,
        Self::I64,
        Self::F64,
    ];

    pub(crate) fn from_id(id: u32) -> Option<Self> {
        Self::ALL.get(id as usize).copied()
    }

    /// Bytes of a value; `None` for strings and arrays.
    pub(crate) fn n_bytes(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::String | Self::Array => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Array => "array",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }
}

/// A metadata value of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    /// Any bytes: vocabularies hold tokens that are not UTF-8.
    String(&'a [u8]),
    Array(Array<'a>),
    U64(u64),
    I64(i64),
    F64(f64),
}

impl Value<'_> {
    /// The type as users know it: `u32`, `array of string`.
    pub fn type_name(&self) -> String {
        match self {
            Self::Array(a) => format!("array of {} {}", a.len(), a.element_type().name()),
            other => other.value_type().name().into(),
        }
    }

    fn value_type(&self) -> ValueType {
        match self {
            Self::U8(_) => ValueType::U8,
            Self::I8(_) => ValueType::I8,
            Self::U16(_) => ValueType::U16,
            Self::I16(_) => ValueType::I16,
            Self::U32(_) => ValueType::U32,
            Self::I32(_) => ValueType::I32,
            Self::F32(_) => ValueType::F32,
            Self::Bool(_) => ValueType::Bool,
            Self::String(_) => ValueType::String,
            Self::Array(_) => ValueType::Array,
            Self::U64(_) => ValueType::U64,
            Self::I64(_) => ValueType::I64,
            Self::F64(_) => ValueType::F64,
        }
    }

    /// Any integer, or a bool as 0 or 1.
    fn integer(&self) -> Option<i128> {
        Some(match *self {
            Self::U8(v) => v.into(),
            Self::I8(v) => v.into(),
            Self::U16(v) => v.into(),
            Self::I16(v) => v.into(),
            Self::U32(v) => v.into(),
            Self::I32(v) => v.into(),
            Self::U64(v) => v.into(),
            Self::I64(v) => v.into(),
            _ => return None,
        })
    }

    fn float(&self) -> Option<f64> {
        match *self {
            Self::F32(v) => Some(v.into()),
            Self::F64(v) => Some(v),
            _ => None,
        }
    }
}

/// An array of the file, read in place. Elements are of one type and never arrays themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a> {
    pub(crate) element: ValueType,
    pub(crate) len: usize,
    /// Exactly the elements; checked when the file was read.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Array<'a> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn element_type(&self) -> ValueType {
        self.element
    }

    /// The elements in order.
    pub fn iter(&self) -> Values<'a> {
        Values { element: self.element, left: self.len, bytes: self.bytes }
    }

    /// The elements of an array of strings.
    pub fn strings(&self) -> Result<impl ExactSizeIterator<Item = &'a [u8]> + use<'a>> {
        if self.element != ValueType::String {
            return Err(Error::WrongType {
                key: String::new(),
                wanted: "array of string",
                found: Value::Array(*self).type_name(),
            });
        }
        Ok(self.iter().map(|v| match v {
            Value::String(s) => s,
            _ => &[][..],
        }))
    }
}

/// Iterator over the elements of an [`Array`].
#[derive(Clone, Debug)]
pub struct Values<'a> {
    element: ValueType,
    left: usize,
    bytes: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (value, rest) = scalar(self.element, self.bytes)?;
        self.bytes = rest;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Values<'_> {}

/// Reads one value that is no array; `None` if the bytes end too soon.
pub(crate) fn scalar(ty: ValueType, bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    macro_rules! number {
        ($t:ty, $variant:ident) => {{
            let (head, rest) = bytes.split_first_chunk()?;
            (Value::$variant(<$t>::from_le_bytes(*head)), rest)
        }};
    }
    Some(match ty {
        ValueType::U8 => number!(u8, U8),
        ValueType::I8 => number!(i8, I8),
        ValueType::U16 => number!(u16, U16),
        ValueType::I16 => number!(i16, I16),
        ValueType::U32 => number!(u32, U32),
        ValueType::I32 => number!(i32, I32),
        ValueType::F32 => number!(f32, F32),
        ValueType::U64 => number!(u64, U64),
        ValueType::I64 => number!(i64, I64),
        ValueType::F64 => number!(f64, F64),
        ValueType::Bool => {
            let (first, rest) = bytes.split_first()?;
            (Value::Bool(*first != 0), rest)
        }
        ValueType::String => {
            let (len, rest) = bytes.split_first_chunk()?;
            let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
            let (text, rest) = rest.split_at_checked(len)?;
            (Value::String(text), rest)
        }
        ValueType::Array => return None,
    })
}

/// A Rust type that metadata can be read as.
pub trait FromValue<'a>: Sized {
    /// How errors name the type.
    const NAME: &'static str;

    /// `None` if the value is of another type or does not fit.
    fn from_value(value: Value<'a>) -> Option<Self>;
}

macro_rules! from_value {
    ($($t:ty, $name:literal, $value:ident => $read:expr;)*) => {$(
        impl<'a> FromValue<'a> for $t {
            const NAME: &'static str = $name;
            fn from_value($value: Value<'a>) -> Option<Self> {
                $read
            }
        }
    )*};
}

from_value! {
    u32, "u32", v => v.integer()?.try_into().ok();
    u64, "u64", v => v.integer()?.try_into().ok();
    i32, "i32", v => v.integer()?.try_into().ok();
    i64, "i64", v => v.integer()?.try_into().ok();
    usize, "unsigned integer", v => v.integer()?.try_into().ok();
    f32, "f32", v => v.float().map(|f| f as f32);
    f64, "f64", v => v.float();
    bool, "bool", v => if let Value::Bool(b) = v { Some(b) } else { None };
    &'a [u8], "string", v => if let Value::String(s) = v { Some(s) } else { None };
    &'a str, "UTF-8 string", v => if let Value::String(s) = v { std::str::from_utf8(s).ok() } else { None };
    Array<'a>, "array", v => if let Value::Array(a) = v { Some(a) } else { None };
    Vec<u32>, "array of u32", v => elements(v);
    Vec<i32>, "array of i32", v => elements(v);
    Vec<f32>, "array of f32", v => elements(v);
    Vec<bool>, "array of bool", v => elements(v);
}

fn elements<'a, T: FromValue<'a>>(value: Value<'a>) -> Option<Vec<T>> {
    let Value::Array(array) = value else { return None };
    array.iter().map(T::from_value).collect()
}
