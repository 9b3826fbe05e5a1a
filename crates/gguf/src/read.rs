//! Opens GGUF files and checks everything in the header before anyone uses it.

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::metadata::{Entry, Metadata};
use crate::mmap;
use crate::tensor_type::TensorType;
use crate::value::{ValueType, scalar};

/// Default of `general.alignment`.
const DEFAULT_ALIGNMENT: u64 = 32;
/// The greatest alignment that makes sense for a file: llama.cpp's own files use 32.
const MAX_ALIGNMENT: u64 = 1 << 20;
/// Longest tensor name in bytes.
const MAX_NAME_LEN: usize = 63;
/// Longest key in bytes, as the specification says.
const MAX_KEY_LEN: usize = 65_535;
/// Most parts of a split file.
const MAX_SPLITS: u32 = 4096;

/// The bytes of one file.
pub(crate) enum Bytes {
    Mapped(memmap2::Mmap),
    Owned(Arc<[u8]>),
}

impl Bytes {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.as_slice().len())
    }
}

/// An open GGUF file, or all parts of a split one. Nothing is copied: tensors and metadata are read where they lie.
#[derive(Debug)]
pub struct Gguf {
    parts: Vec<Arc<Bytes>>,
    version: u32,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    by_name: HashMap<String, usize>,
}

/// A tensor of the file.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    pub name: String,
    /// Extents, contiguous first.
    pub dims: Vec<u64>,
    pub ty: TensorType,
    part: usize,
    range: Range<usize>,
}

impl TensorInfo {
    pub fn n_elements(&self) -> u64 {
        self.dims.iter().product()
    }

    pub fn n_bytes(&self) -> u64 {
        self.range.len() as u64
    }
}

/// A tensor's bytes: a handle that keeps the file open.
#[derive(Clone, Debug)]
pub struct Data {
    bytes: Arc<Bytes>,
    range: Range<usize>,
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes.as_slice()[self.range.clone()]
    }
}

impl AsRef<[u8]> for Data {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Gguf {
    /// Maps a file; given the first part of a split one, finds the others beside it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut file = Self::parse(Bytes::Mapped(mmap::map(path)?))?;
        let count: u32 = file.metadata.get("split.count")?.unwrap_or(1);
        if count > 1 {
            file.add_splits(path, count)?;
        }
        Ok(file)
    }

    /// Reads a whole file that is already in memory.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self> {
        Self::parse(Bytes::Owned(bytes.into()))
    }

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// In the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.by_name.get(name).map(|&i| &self.tensors[i])
    }

    /// The bytes of one of this file's tensors.
    pub fn data(&self, tensor: &TensorInfo) -> Data {
        Data { bytes: Arc::clone(&self.parts[tensor.part]), range: tensor.range.clone() }
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// Bytes of all parts.
    pub fn file_bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.as_slice().len() as u64).sum()
    }

    fn parse(bytes: Bytes) -> Result<Self> {
        let bytes = Arc::new(bytes);
        let mut reader = Reader { bytes: bytes.as_slice(), at: 0 };
        let (version, n_tensors, n_entries) = reader.preamble()?;
        let (entries, by_key) = reader.entries(n_entries)?;
        let metadata = Metadata { bytes: Arc::clone(&bytes), entries, by_key };
        let alignment = alignment(&metadata)?;
        let (tensors, by_name) = reader.tensors(n_tensors, alignment)?;
        Ok(Self { parts: vec![bytes], version, metadata, tensors, by_name })
    }

    fn add_splits(&mut self, first: &Path, count: u32) -> Result<()> {
        let number: u32 = self.metadata.get("split.no")?.unwrap_or(0);
        if number != 0 {
            let problem = format!("this is part {} of {count}; give the first part", u64::from(number) + 1);
            return Err(Error::Split { problem });
        }
        if count > MAX_SPLITS {
            return Err(Error::Split { problem: format!("{count} parts; at most {MAX_SPLITS} are allowed") });
        }
        for i in 1..count {
            let path = split_path(first, i, count)?;
            let part = Self::parse(Bytes::Mapped(mmap::map(&path)?))?;
            let found: (Option<u32>, Option<u32>) =
                (part.metadata.get("split.no")?, part.metadata.get("split.count")?);
            if found != (Some(i), Some(count)) {
                let problem = format!("{} says it is part {found:?}, not {:?}", path.display(), (i, count));
                return Err(Error::Split { problem });
            }
            self.add_part(part)?;
        }
        let expected: Option<u64> = self.metadata.get("split.tensors.count")?;
        match expected {
            Some(n) if n != self.tensors.len() as u64 => Err(Error::Split {
                problem: format!("the parts hold {} tensors, the first says {n}", self.tensors.len()),
            }),
            _ => Ok(()),
        }
    }

    fn add_part(&mut self, part: Self) -> Result<()> {
        let number = self.parts.len();
        self.parts.extend(part.parts);
        for mut tensor in part.tensors {
            tensor.part = number;
            let i = self.tensors.len();
            if self.by_name.insert(tensor.name.clone(), i).is_some() {
                return Err(Error::Tensor {
                    name: tensor.name,
                    problem: "is in two parts of the split".into(),
                });
            }
            self.tensors.push(tensor);
        }
        Ok(())
    }
}

/// `prefix-00001-of-00003.gguf` to part `i + 1`.
fn split_path(first: &Path, i: u32, count: u32) -> Result<PathBuf> {
    let name = first.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let suffix = format!("-00001-of-{count:05}.gguf");
    let prefix = name.strip_suffix(&suffix).ok_or_else(|| Error::Split {
        problem: format!("the file has {count} parts, so its name should end in {suffix:?}; it is {name:?}"),
    })?;
    Ok(first.with_file_name(format!("{prefix}-{:05}-of-{count:05}.gguf", i + 1)))
}

fn alignment(metadata: &Metadata) -> Result<u64> {
    let alignment = metadata.get("general.alignment")?.unwrap_or(DEFAULT_ALIGNMENT);
    if alignment.is_power_of_two() && alignment <= MAX_ALIGNMENT {
        return Ok(alignment);
    }
    Err(Error::Invalid {
        what: "general.alignment".into(),
        offset: 0,
        problem: format!("{alignment} is not a power of two of at most {MAX_ALIGNMENT}"),
    })
}

/// Metadata entries in order, and their places by key.
type Entries = (Vec<Entry>, HashMap<Box<str>, usize>);

/// A cursor over the header that never trusts a length.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: u64, what: &str) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        match usize::try_from(n).ok().and_then(|n| rest.get(..n)) {
            Some(found) => {
                self.at += found.len();
                Ok(found)
            }
            None => Err(Error::Truncated {
                what: what.into(),
                offset: self.at as u64,
                needed: n,
                len: self.bytes.len() as u64,
            }),
        }
    }

    fn u32(&mut self, what: &str) -> Result<u32> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
    }

    fn u64(&mut self, what: &str) -> Result<u64> {
        let bytes = self.take(8, what)?;
        Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
    }

    fn invalid<T>(&self, what: impl Into<String>, at: usize, problem: impl Into<String>) -> Result<T> {
        Err(Error::Invalid { what: what.into(), offset: at as u64, problem: problem.into() })
    }

    /// Magic, version, and the counts of tensors and entries.
    fn preamble(&mut self) -> Result<(u32, u64, u64)> {
        let magic =
            self.take(4, "the magic number").map_err(|_| Error::Magic { found: self.bytes.to_vec() })?;
        if magic != b"GGUF" {
            return Err(Error::Magic { found: magic.to_vec() });
        }
        let version = self.u32("the version")?;
        if !matches!(version, 2 | 3) {
            let hint = match version {
                1 => "; convert the model again with a newer converter",
                v if v.swap_bytes() < 16 => "; this file is big-endian, which is not supported",
                _ => "",
            };
            return Err(Error::Version { found: version, hint });
        }
        let n_tensors = self.u64("the number of tensors")?;
        let n_entries = self.u64("the number of metadata entries")?;
        // The smallest tensor entry has 8 + 4 + 8 + 4 + 8 bytes, the smallest metadata entry 8 + 4 + 1.
        let room = (self.bytes.len() - self.at) as u64;
        if n_tensors > room / 32 {
            return self.invalid("the number of tensors", 8, format!("{n_tensors} do not fit {room} bytes"));
        }
        if n_entries > room / 13 {
            return self.invalid(
                "the number of metadata entries",
                16,
                format!("{n_entries} do not fit {room} bytes"),
            );
        }
        Ok((version, n_tensors, n_entries))
    }

    fn name(&mut self, what: &str, max: usize) -> Result<&'a str> {
        let at = self.at;
        let len = self.u64(what)?;
        if len > max as u64 {
            return self.invalid(what, at, format!("{len} bytes long; at most {max} are allowed"));
        }
        match std::str::from_utf8(self.take(len, what)?) {
            Ok(name) => Ok(name),
            Err(_) => self.invalid(what, at, "is not UTF-8"),
        }
    }

    fn entries(&mut self, n: u64) -> Result<Entries> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut by_key = HashMap::new();
        for i in 0..n {
            let at = self.at;
            let key: Box<str> = self.name(&format!("the key of metadata entry {i}"), MAX_KEY_LEN)?.into();
            if by_key.insert(key.clone(), entries.len()).is_some() {
                return self.invalid(format!("metadata key {key:?}"), at, "occurs twice");
            }
            let entry = self.entry(key)?;
            entries.push(entry);
        }
        Ok((entries, by_key))
    }

    fn value_type(&mut self, key: &str) -> Result<ValueType> {
        let at = self.at;
        let id = self.u32(key)?;
        match ValueType::from_id(id) {
            Some(ty) => Ok(ty),
            None => self.invalid(format!("metadata key {key:?}"), at, format!("value type {id} is unknown")),
        }
    }

    fn entry(&mut self, key: Box<str>) -> Result<Entry> {
        let ty = self.value_type(&key)?;
        if ty != ValueType::Array {
            let start = self.at;
            match scalar(ty, &self.bytes[start..]) {
                Some((_, rest)) => self.at = self.bytes.len() - rest.len(),
                None => return self.truncated(&key, 1),
            }
            return Ok(Entry { key, ty, array: None, start, end: self.at });
        }
        let element = self.value_type(&key)?;
        let at = self.at;
        let len = self.u64(&key)?;
        let start = self.at;
        match element {
            ValueType::Array => {
                return self.invalid(
                    format!("metadata key {key:?}"),
                    at,
                    "arrays of arrays are not supported",
                );
            }
            ValueType::String => {
                for _ in 0..len {
                    let n = self.u64(&key)?;
                    self.take(n, &key)?;
                }
            }
            number => {
                let size = number.n_bytes().expect("numbers have a size");
                let Some(n_bytes) = len.checked_mul(size) else { return self.truncated(&key, u64::MAX) };
                self.take(n_bytes, &key)?;
            }
        }
        let len = usize::try_from(len).expect("no longer than the file");
        Ok(Entry { key, ty, array: Some((element, len)), start, end: self.at })
    }

    fn truncated<T>(&self, key: &str, needed: u64) -> Result<T> {
        Err(Error::Truncated {
            what: format!("metadata key {key:?}"),
            offset: self.at as u64,
            needed,
            len: self.bytes.len() as u64,
        })
    }

    fn tensors(&mut self, n: u64, alignment: u64) -> Result<(Vec<TensorInfo>, HashMap<String, usize>)> {
        let mut listed = Vec::new();
        for i in 0..n {
            listed.push(self.tensor(i, alignment)?);
        }
        let data = (self.at as u64).next_multiple_of(alignment);
        let len = self.bytes.len() as u64;
        let mut tensors: Vec<TensorInfo> = Vec::with_capacity(listed.len());
        let mut by_name = HashMap::with_capacity(listed.len());
        for (name, dims, ty, offset, n_bytes) in listed {
            let start = data.checked_add(offset).filter(|s| *s <= len);
            let end = start.and_then(|s| s.checked_add(n_bytes)).filter(|e| *e <= len);
            let (Some(start), Some(end)) = (start, end) else {
                return Err(Error::Truncated {
                    what: format!("tensor {name:?}"),
                    offset,
                    needed: n_bytes,
                    len,
                });
            };
            if by_name.insert(name.clone(), tensors.len()).is_some() {
                return Err(Error::Tensor { name, problem: "occurs twice".into() });
            }
            tensors.push(TensorInfo { name, dims, ty, part: 0, range: start as usize..end as usize });
        }
        no_overlap(&tensors)?;
        Ok((tensors, by_name))
    }

    /// Name, dims, type, offset and size of one tensor.
    fn tensor(&mut self, i: u64, alignment: u64) -> Result<(String, Vec<u64>, TensorType, u64, u64)> {
        let name = self.name(&format!("the name of tensor {i}"), MAX_NAME_LEN)?.to_owned();
        let problem = |problem: String| Error::Tensor { name: name.clone(), problem };
        let n_dims = self.u32(&name)?;
        if !(1..=4).contains(&n_dims) {
            return Err(problem(format!("has {n_dims} dimensions; 1 to 4 are possible")));
        }
        let dims = (0..n_dims).map(|_| self.u64(&name)).collect::<Result<Vec<_>>>()?;
        let ty = TensorType::from_id(self.u32(&name)?).map_err(&problem)?;
        let offset = self.u64(&name)?;
        if dims.contains(&0) {
            return Err(problem(format!("has an empty dimension: {dims:?}")));
        }
        if !dims[0].is_multiple_of(ty.block_len()) {
            return Err(problem(format!(
                "rows of {} are not whole {ty} blocks of {}",
                dims[0],
                ty.block_len()
            )));
        }
        let n_elements =
            dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d)).filter(|n| *n <= i64::MAX as u64);
        let n_bytes = n_elements.and_then(|n| (n / ty.block_len()).checked_mul(ty.block_bytes()));
        let n_bytes = n_bytes.ok_or_else(|| problem(format!("dimensions {dims:?} overflow")))?;
        if !offset.is_multiple_of(alignment) {
            return Err(problem(format!("offset {offset} is not a multiple of the alignment {alignment}")));
        }
        Ok((name, dims, ty, offset, n_bytes))
    }
}

fn no_overlap(tensors: &[TensorInfo]) -> Result<()> {
    let mut order: Vec<&TensorInfo> = tensors.iter().collect();
    order.sort_by_key(|t| (t.range.start, t.range.end));
    for pair in order.windows(2) {
        if pair[1].range.start < pair[0].range.end {
            return Err(Error::Tensor {
                name: pair[1].name.clone(),
                problem: format!(
                    "bytes {:?} overlap those of {:?}, {:?}",
                    pair[1].range, pair[0].name, pair[0].range
                ),
            });
        }
    }
    Ok(())
}
