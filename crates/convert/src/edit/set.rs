//! Changing metadata: in a new file, or in place where the value keeps its size.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use gguf::write::{AtomicFile, Header, OwnedValue, Writer};
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

/// Changes values in the file itself. Only what keeps its type and size fits; all is checked before a byte is written.
///
/// The file has the old values or the new ones, whenever the process is killed or the power fails: changes within one
/// sector are one write of it; for others the file is written again beside its place, and takes it when it is whole.
///
/// # Errors
/// If a value does not fit, or the file cannot be written.
pub fn set_in_place(path: &Path, values: &[Override]) -> Result<()> {
    let mut patches = Vec::with_capacity(values.len());
    {
        let source = Gguf::open_part(path)?;
        for Override { key, value } in values {
            patches.push(Patch { offset: place(&source, key, value)?, bytes: bytes_of(value) });
        }
    }
    let io = |action| move |cause: io::Error| gguf::Error::Io { action, path: path.into(), cause };
    match sector_of(&patches) {
        Some(sector) => {
            let mut file =
                OpenOptions::new().read(true).write(true).open(path).map_err(io("open for writing"))?;
            overwrite(&mut file, sector, &patches).map_err(io("write"))?;
        }
        None => {
            let mut old = File::open(path).map_err(io("open"))?;
            let mut new = AtomicFile::create(path)?;
            let mut start = 0;
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                let n = old.read(&mut piece).map_err(io("read"))?;
                if n == 0 {
                    break;
                }
                patches.iter().for_each(|patch| patch.apply(start, &mut piece[..n]));
                new.append(&piece[..n])?;
                start += n as u64;
            }
            new.sync()?.publish()?;
        }
    }
    Ok(())
}

/// What disks write whole or not at all, even the oldest.
const SECTOR_BYTES: u64 = 512;
const PIECE_BYTES: usize = 1 << 20;

/// Bytes for a place in a file.
struct Patch {
    offset: u64,
    bytes: Vec<u8>,
}

impl Patch {
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Changes what of the file's bytes from `start` on is under the patch.
    fn apply(&self, start: u64, piece: &mut [u8]) {
        let from = self.offset.max(start);
        let to = self.end().min(start + piece.len() as u64);
        if from < to {
            let own = &self.bytes[(from - self.offset) as usize..(to - self.offset) as usize];
            piece[(from - start) as usize..(to - start) as usize].copy_from_slice(own);
        }
    }
}

/// Where the sector begins that has all the changes; `None` if they are in several.
fn sector_of(patches: &[Patch]) -> Option<u64> {
    let start = patches.iter().map(|patch| patch.offset).min()? / SECTOR_BYTES * SECTOR_BYTES;
    patches.iter().all(|patch| patch.end() <= start + SECTOR_BYTES).then_some(start)
}

/// Writes a sector, or what the file has of it, with the changes.
fn overwrite(file: &mut File, sector: u64, patches: &[Patch]) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(sector))?;
    Read::by_ref(file).take(SECTOR_BYTES).read_to_end(&mut bytes)?;
    patches.iter().for_each(|patch| patch.apply(sector, &mut bytes));
    file.seek(SeekFrom::Start(sector))?;
    file.write_all(&bytes)?;
    file.sync_all()
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
