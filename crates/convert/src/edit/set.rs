//! Changing metadata: in a new file, or in place where the value keeps its size.

use std::fs::OpenOptions;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use gguf::write::{Header, OwnedValue, Writer};
use gguf::{Gguf, Value, ValueType};

use super::copy::{CopyProgress, copy, list};
use crate::quantize::{Override, refuse_source};
use crate::{Error, Result};

/// Reads `KEY=TYPE:VALUE` with the types of GGUF: u8 to u64, i8 to i64, f32, f64, bool, string. Without `TYPE:`, the
/// type is the one that the key has.
///
/// # Errors
/// If it has another form, or the value is not of the type.
pub fn parse_value(file: &Gguf, text: &str) -> Result<Override> {
    let wrong = |problem: String| Error::Override(format!("{text:?}: {problem}"));
    let (key, rest) =
        text.split_once('=').ok_or_else(|| wrong("it should be KEY=VALUE or KEY=TYPE:VALUE".into()))?;
    let typed = rest.split_once(':').and_then(|(ty, value)| Some((parse_type(ty)?, value)));
    let known = file.metadata().value(key).map(|value| OwnedValue::from(value).value_type());
    let (ty, value) = match (typed, known) {
        (Some(typed), _) => typed,
        (None, Some(ty)) => (ty, rest),
        (None, None) => {
            return Err(wrong(format!("the file has no key {key:?}; say its type: KEY=TYPE:VALUE")));
        }
    };
    match of_type(ty, value) {
        Some(value) => Ok(Override { key: key.into(), value }),
        None => Err(wrong(format!("{value:?} is no {}", ty.name()))),
    }
}

fn parse_type(name: &str) -> Option<ValueType> {
    use ValueType as T;
    let all =
        [T::U8, T::I8, T::U16, T::I16, T::U32, T::I32, T::F32, T::Bool, T::String, T::U64, T::I64, T::F64];
    let name = if name == "str" { "string" } else { name };
    all.into_iter().find(|ty| ty.name() == name)
}

/// `None` if the text is no such value. Arrays are not written on a command line.
fn of_type(ty: ValueType, text: &str) -> Option<OwnedValue> {
    use OwnedValue as V;
    Some(match ty {
        ValueType::U8 => V::U8(text.parse().ok()?),
        ValueType::I8 => V::I8(text.parse().ok()?),
        ValueType::U16 => V::U16(text.parse().ok()?),
        ValueType::I16 => V::I16(text.parse().ok()?),
        ValueType::U32 => V::U32(text.parse().ok()?),
        ValueType::I32 => V::I32(text.parse().ok()?),
        ValueType::F32 => V::F32(text.parse().ok()?),
        ValueType::Bool => V::Bool(text.parse().ok()?),
        ValueType::String => text.into(),
        ValueType::U64 => V::U64(text.parse().ok()?),
        ValueType::I64 => V::I64(text.parse().ok()?),
        ValueType::F64 => V::F64(text.parse().ok()?),
        ValueType::Array => return None,
    })
}

/// Writes the file again with these values.
///
/// # Errors
/// If the target is the source, the source cannot be read, or the target cannot be written.
pub fn set_values(
    source: &Gguf,
    values: &[Override],
    target: &Path,
    progress: &mut CopyProgress<'_>,
) -> Result<()> {
    refuse_source(source, target)?;
    if source.n_parts() > 1 {
        let problem = "the file is split; merge it first".into();
        return Err(gguf::Error::Split { problem }.into());
    }
    let mut header = Header::like(source.metadata());
    for Override { key, value } in values {
        header.set(key, value.clone());
    }
    list(&mut header, source.tensors());
    copy(source, Writer::create(target, &header)?, progress)
}

/// Overwrites a value in the file itself. Only what keeps its type and size fits; all is checked before a byte is
/// written, and the few bytes are synced.
///
/// # Errors
/// If a value does not fit, or the file cannot be written.
pub fn set_in_place(path: &Path, values: &[Override]) -> Result<()> {
    let mut places = Vec::with_capacity(values.len());
    {
        let source = Gguf::open_part(path)?;
        for Override { key, value } in values {
            places.push((place(&source, key, value)?, bytes_of(value)));
        }
    }
    let io = |action| move |source: io::Error| gguf::Error::Io { action, path: path.into(), source };
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io("open for writing"))?;
    for (offset, bytes) in places {
        file.seek(SeekFrom::Start(offset)).map_err(io("write"))?;
        file.write_all(&bytes).map_err(io("write"))?;
    }
    file.sync_all().map_err(io("sync"))?;
    Ok(())
}

/// Where a value of the same type and size lies.
fn place(source: &Gguf, key: &str, value: &OwnedValue) -> Result<u64> {
    let fits_not = |problem: String| Error::Override(format!("{key}: {problem}; write a new file instead"));
    let Some(old) = source.metadata().value(key) else {
        return Err(fits_not("the file has no such key".into()));
    };
    if let Value::Array(_) = old {
        return Err(fits_not("it is an array".into()));
    }
    let old_bytes = bytes_of(&old.into());
    let new_bytes = bytes_of(value);
    let has_same_type = OwnedValue::from(old).value_type() == value.value_type();
    if !has_same_type || old_bytes.len() != new_bytes.len() {
        return Err(fits_not(format!(
            "it is a {} of {} bytes, the new value a {} of {}",
            OwnedValue::from(old).value_type().name(),
            old_bytes.len(),
            value.value_type().name(),
            new_bytes.len()
        )));
    }
    source.metadata().value_offset(key).ok_or_else(|| fits_not("the file has no such key".into()))
}

/// The value as it lies in a file; of a string, the text without its length, which stays.
fn bytes_of(value: &OwnedValue) -> Vec<u8> {
    use OwnedValue as V;
    match value {
        V::U8(v) => v.to_le_bytes().into(),
        V::I8(v) => v.to_le_bytes().into(),
        V::U16(v) => v.to_le_bytes().into(),
        V::I16(v) => v.to_le_bytes().into(),
        V::U32(v) => v.to_le_bytes().into(),
        V::I32(v) => v.to_le_bytes().into(),
        V::F32(v) => v.to_le_bytes().into(),
        V::Bool(v) => vec![u8::from(*v)],
        V::String(v) => v.clone(),
        V::U64(v) => v.to_le_bytes().into(),
        V::I64(v) => v.to_le_bytes().into(),
        V::F64(v) => v.to_le_bytes().into(),
        V::Array(..) => Vec::new(),
    }
}
