//! Reads a header, and checks everything in it before anyone uses it. Nothing is allocated that the file does not pay for.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits::{
    DEFAULT_ALIGNMENT, MAX_ALIGNMENT, MAX_DIMS, MAX_KEY_LEN, MAX_METADATA_BYTES, MAX_NAME_LEN,
    MIN_ENTRY_BYTES, MIN_TENSOR_BYTES,
};
use crate::metadata::{Entry, Metadata};
use crate::read::{Bytes, Gguf, TensorInfo};
use crate::tensor_type::TensorType;
use crate::value::{ValueType, scalar};

/// Reads the header of one file.
pub(crate) fn read_header(bytes: Bytes) -> Result<Gguf> {
    let bytes = Arc::new(bytes);
    let mut reader = Reader { bytes: bytes.as_slice(), at: 0 };
    let (version, n_tensors, n_entries) = reader.preamble()?;
    let metadata = Metadata::new(Arc::clone(&bytes), reader.entries(n_entries)?)?;
    let alignment = alignment(&metadata)?;
    let tensors = reader.tensors(n_tensors, alignment)?;
    let by_name = sorted_by_name(&tensors)?;
    Ok(Gguf { parts: vec![bytes], version, metadata, tensors, by_name })
}

/// Bytes of a tensor; an error says why there is no such tensor.
pub(crate) fn tensor_bytes(dims: &[u64], ty: TensorType) -> Result<u64, String> {
    if !(1..=MAX_DIMS).contains(&dims.len()) {
        return Err(format!("has {} dimensions; 1 to {MAX_DIMS} are possible", dims.len()));
    }
    if dims.contains(&0) {
        return Err(format!("has an empty dimension: {dims:?}"));
    }
    if !dims[0].is_multiple_of(ty.block_len()) {
        return Err(format!("rows of {} are not whole {ty} blocks of {}", dims[0], ty.block_len()));
    }
    let n_elements = dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d)).filter(|n| *n <= i64::MAX as u64);
    let n_bytes = n_elements.and_then(|n| (n / ty.block_len()).checked_mul(ty.block_bytes()));
    n_bytes.ok_or_else(|| format!("dimensions {dims:?} overflow"))
}

/// Checks a value of `general.alignment`.
pub(crate) fn check_alignment(alignment: u64) -> Result<u64> {
    if alignment.is_power_of_two() && alignment <= MAX_ALIGNMENT {
        return Ok(alignment);
    }
    Err(Error::Invalid {
        what: "general.alignment".into(),
        offset: 0,
        problem: format!("{alignment} is not a power of two of at most {MAX_ALIGNMENT}"),
    })
}

fn alignment(metadata: &Metadata) -> Result<u64> {
    check_alignment(metadata.get("general.alignment")?.unwrap_or(DEFAULT_ALIGNMENT))
}

/// The numbers of the tensors, sorted by name.
///
/// # Errors
/// If two have the same name.
pub(crate) fn sorted_by_name(tensors: &[TensorInfo]) -> Result<Vec<u32>> {
    let name = |i: &u32| &*tensors[*i as usize].name;
    let mut order: Vec<u32> = (0..tensors.len() as u32).collect();
    order.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    match order.windows(2).find(|pair| name(&pair[0]) == name(&pair[1])) {
        Some(pair) => Err(Error::Tensor { name: name(&pair[0]).into(), problem: "occurs twice".into() }),
        None => Ok(order),
    }
}

/// A tensor as the header lists it. `offset` counts from the beginning of the data.
struct Listed<'a> {
    name: &'a str,
    n_dims: usize,
    dims: [u64; MAX_DIMS],
    ty: TensorType,
    offset: u64,
    n_bytes: u64,
}

/// The bytes of a tensor in the data, and where the header lists it.
struct Place {
    offset: u64,
    n_bytes: u64,
    listed_at: usize,
}

/// A cursor over the header that never trusts a length.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: u64, what: impl fmt::Display) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        match usize::try_from(n).ok().and_then(|n| rest.get(..n)) {
            Some(found) => {
                self.at += found.len();
                Ok(found)
            }
            None => Err(Error::Truncated {
                what: what.to_string(),
                offset: self.at as u64,
                needed: n,
                len: self.bytes.len() as u64,
            }),
        }
    }

    fn u32(&mut self, what: impl fmt::Display) -> Result<u32> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
    }

    fn u64(&mut self, what: impl fmt::Display) -> Result<u64> {
        let bytes = self.take(8, what)?;
        Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
    }

    fn invalid<T>(&self, what: impl fmt::Display, at: usize, problem: impl Into<String>) -> Result<T> {
        Err(Error::Invalid { what: what.to_string(), offset: at as u64, problem: problem.into() })
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
        let room = (self.bytes.len() - self.at) as u64;
        if n_tensors > room / MIN_TENSOR_BYTES {
            return self.invalid("the number of tensors", 8, format!("{n_tensors} do not fit {room} bytes"));
        }
        if n_entries > room / MIN_ENTRY_BYTES {
            return self.invalid(
                "the number of metadata entries",
                16,
                format!("{n_entries} do not fit {room} bytes"),
            );
        }
        Ok((version, n_tensors, n_entries))
    }

    fn name(&mut self, what: impl fmt::Display + Copy, max: usize) -> Result<&'a str> {
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

    fn entries(&mut self, n: u64) -> Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(usize::try_from(n).expect("fewer than bytes"));
        for i in 0..n {
            let at = self.at;
            let key = self.name(format_args!("the key of metadata entry {i}"), MAX_KEY_LEN)?;
            entries.push(self.entry(at + 8, key)?);
            if self.at as u64 > MAX_METADATA_BYTES {
                let what = format_args!("metadata key {key:?}");
                let problem = format!("ends behind the {MAX_METADATA_BYTES} bytes that metadata may have");
                return self.invalid(what, at, problem);
            }
        }
        Ok(entries)
    }

    fn value_type(&mut self, key: &str) -> Result<ValueType> {
        let at = self.at;
        let id = self.u32(key)?;
        match ValueType::from_id(id) {
            Some(ty) => Ok(ty),
            None => {
                self.invalid(format_args!("metadata key {key:?}"), at, format!("value type {id} is unknown"))
            }
        }
    }

    /// The value behind a key that begins at `at`.
    fn entry(&mut self, at: usize, key: &str) -> Result<Entry> {
        let ty = self.value_type(key)?;
        let (element, len) = match ty {
            ValueType::Array => {
                let (element, len) = self.array(key)?;
                (Some(element), len)
            }
            _ => {
                match scalar(ty, &self.bytes[self.at..]) {
                    Some((_, rest)) => self.at = self.bytes.len() - rest.len(),
                    None => return self.truncated(key, 1),
                }
                (None, 1)
            }
        };
        // What does not fit was cut off: the caller refuses entries that end so far behind.
        let (key_len, len) = (key.len() as u16, len as u32);
        Ok(Entry { key: at as u32, key_len, ty, element, len, end: self.at as u32 })
    }

    /// Type and number of an array's elements.
    fn array(&mut self, key: &str) -> Result<(ValueType, u64)> {
        let element = self.value_type(key)?;
        let at = self.at;
        let len = self.u64(key)?;
        match element {
            ValueType::Array => {
                return self.invalid(
                    format_args!("metadata key {key:?}"),
                    at,
                    "arrays of arrays are not supported",
                );
            }
            ValueType::String => {
                for _ in 0..len {
                    let n = self.u64(key)?;
                    self.take(n, key)?;
                }
            }
            number => {
                let size = number.n_bytes().expect("numbers have a size");
                let Some(n_bytes) = len.checked_mul(size) else { return self.truncated(key, u64::MAX) };
                self.take(n_bytes, key)?;
            }
        }
        Ok((element, len))
    }

    fn truncated<T>(&self, key: &str, needed: u64) -> Result<T> {
        Err(Error::Truncated {
            what: format!("metadata key {key:?}"),
            offset: self.at as u64,
            needed,
            len: self.bytes.len() as u64,
        })
    }

    /// Reads the list twice: first where the tensors lie, so that names are kept only of a list that holds together.
    fn tensors(&mut self, n: u64, alignment: u64) -> Result<Vec<TensorInfo>> {
        let n = usize::try_from(n).expect("fewer than bytes");
        let start = self.at;
        let mut places = Vec::with_capacity(n);
        for i in 0..n {
            let listed_at = self.at;
            let Listed { offset, n_bytes, .. } = self.tensor(i, alignment)?;
            places.push(Place { offset, n_bytes, listed_at });
        }
        let data = (self.at as u64).next_multiple_of(alignment);
        self.check_places(places, data)?;
        self.at = start;
        let mut tensors = Vec::with_capacity(n);
        for i in 0..n {
            let Listed { name, n_dims, dims, ty, offset, n_bytes } = self.tensor(i, alignment)?;
            let start = (data + offset) as usize;
            let range = start..start + n_bytes as usize;
            tensors.push(TensorInfo { name: name.into(), dims: dims[..n_dims].into(), ty, part: 0, range });
        }
        Ok(tensors)
    }

    /// Checks that all tensors are in the file and none overlap.
    fn check_places(&mut self, mut places: Vec<Place>, data: u64) -> Result<()> {
        places.sort_unstable_by_key(|place| (place.offset, place.n_bytes));
        let len = self.bytes.len() as u64;
        for place in &places {
            let end = data.checked_add(place.offset).and_then(|start| start.checked_add(place.n_bytes));
            if end.is_none_or(|end| end > len) {
                let what = format!("tensor {:?}", self.name_at(place)?);
                let offset = data.saturating_add(place.offset);
                return Err(Error::Truncated { what, offset, needed: place.n_bytes, len });
            }
        }
        for pair in places.windows(2) {
            if pair[1].offset < pair[0].offset + pair[0].n_bytes {
                let bytes = |place: &Place| data + place.offset..data + place.offset + place.n_bytes;
                let other = self.name_at(&pair[0])?;
                return Err(Error::Tensor {
                    name: self.name_at(&pair[1])?.into(),
                    problem: format!(
                        "bytes {:?} overlap those of {other:?}, {:?}",
                        bytes(&pair[1]),
                        bytes(&pair[0])
                    ),
                });
            }
        }
        Ok(())
    }

    fn name_at(&mut self, place: &Place) -> Result<&'a str> {
        self.at = place.listed_at;
        self.name("the name of a tensor", MAX_NAME_LEN)
    }

    fn tensor(&mut self, i: usize, alignment: u64) -> Result<Listed<'a>> {
        let name = self.name(format_args!("the name of tensor {i}"), MAX_NAME_LEN)?;
        let problem = |problem: String| Error::Tensor { name: name.into(), problem };
        let n_dims = self.u32(name)? as usize;
        if n_dims > MAX_DIMS {
            return Err(problem(format!("has {n_dims} dimensions; 1 to {MAX_DIMS} are possible")));
        }
        let mut dims = [0; MAX_DIMS];
        for extent in &mut dims[..n_dims] {
            *extent = self.u64(name)?;
        }
        let ty = TensorType::from_id(self.u32(name)?).map_err(problem)?;
        let offset = self.u64(name)?;
        let n_bytes = tensor_bytes(&dims[..n_dims], ty).map_err(problem)?;
        if !offset.is_multiple_of(alignment) {
            return Err(problem(format!("offset {offset} is not a multiple of the alignment {alignment}")));
        }
        Ok(Listed { name, n_dims, dims, ty, offset, n_bytes })
    }
}
