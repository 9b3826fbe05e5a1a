//! An open file: its metadata, its tensors and their bytes. Reading of the header is in `header`.

use std::fmt;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::header::{read_header, sorted_by_name};
use crate::metadata::Metadata;
use crate::mmap::{self, Mapped};
use crate::split;
use crate::tensor_type::TensorType;

/// The bytes of one file.
pub(crate) enum Bytes {
    Mapped(Mapped),
    Owned(Arc<[u8]>),
}

impl Bytes {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(file) => file.as_slice(),
            Self::Owned(bytes) => bytes,
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Mapped(file) => Some(file.path()),
            Self::Owned(_) => None,
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
    pub(crate) parts: Vec<Arc<Bytes>>,
    pub(crate) version: u32,
    pub(crate) metadata: Metadata,
    pub(crate) tensors: Vec<TensorInfo>,
    /// Numbers of the tensors, sorted by name.
    pub(crate) by_name: Vec<u32>,
}

/// A tensor of the file.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    pub name: String,
    /// Extents, contiguous first.
    pub dims: Vec<u64>,
    pub ty: TensorType,
    pub(crate) part: u16,
    /// Bytes of the part.
    pub(crate) range: Range<usize>,
}

impl TensorInfo {
    pub fn n_elements(&self) -> u64 {
        self.dims.iter().product()
    }

    pub fn n_bytes(&self) -> u64 {
        self.range.len() as u64
    }

    /// Number of the part that holds it, from 0.
    pub fn part(&self) -> usize {
        self.part.into()
    }

    /// Where its bytes begin in that part.
    pub fn offset(&self) -> u64 {
        self.range.start as u64
    }
}

/// A tensor's bytes.
#[derive(Clone, Debug)]
pub struct Data(Place);

#[derive(Clone, Debug)]
enum Place {
    /// Where they are in the file, which the handle keeps open.
    File(Arc<Bytes>, Range<usize>),
    /// Memory of their own.
    Copy(Arc<memmap2::Mmap>),
}

impl Data {
    /// Keeps a copy in memory, as [`Gguf::lock`] does what is in the file.
    ///
    /// # Errors
    /// If the system allows the process no such amount.
    pub fn lock(&self) -> Result<()> {
        match &self.0 {
            Place::File(..) => Ok(()),
            Place::Copy(map) => mmap::lock(map),
        }
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::File(bytes, range) => &bytes.as_slice()[range.clone()],
            Place::Copy(map) => map,
        }
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
        let mut file = Self::open_part(path)?;
        let n = split::n_parts(&file.metadata)?;
        if n > 1 {
            file.add_parts(&split::prefix(path, n)?, n)?;
        }
        Ok(file)
    }

    /// Maps one file; of a split one, that part alone.
    pub fn open_part(path: impl AsRef<Path>) -> Result<Self> {
        read_header(Bytes::Mapped(Mapped::open(path.as_ref())?))
    }

    /// Reads a whole file that is already in memory.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self> {
        read_header(Bytes::Owned(bytes.into()))
    }

    /// Of a split file: the metadata of the first part.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// In the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        let found = self.by_name.binary_search_by(|i| (*self.tensors[*i as usize].name).cmp(name));
        found.ok().map(|at| &self.tensors[self.by_name[at] as usize])
    }

    /// The bytes of one of this file's tensors, where they are.
    pub fn data(&self, tensor: &TensorInfo) -> Data {
        Data(Place::File(Arc::clone(&self.parts[tensor.part()]), tensor.range.clone()))
    }

    /// The bytes of one of this file's tensors in memory of their own, which processors may read faster than a map of a
    /// file, and which nobody else can cut short.
    ///
    /// # Errors
    /// As of [`Self::read_at`], and if there is not so much memory.
    pub fn read(&self, tensor: &TensorInfo) -> Result<Data> {
        let mut map = mmap::anonymous(tensor.range.len())?;
        self.read_at(tensor, 0, &mut map)?;
        let map =
            map.make_read_only().map_err(|cause| Error::NoMemory { n_bytes: tensor.n_bytes(), cause })?;
        Ok(Data(Place::Copy(Arc::new(map))))
    }

    /// Keeps all mapped parts in memory.
    ///
    /// # Errors
    /// If the system allows the process no such amount.
    pub fn lock(&self) -> Result<()> {
        self.parts.iter().try_for_each(|part| match &**part {
            Bytes::Mapped(file) => file.lock(),
            Bytes::Owned(_) => Ok(()),
        })
    }

    /// Copies bytes of a tensor from `offset` on by read calls: slower than [`Self::data`], but a file that another
    /// process cuts short meanwhile is an error and no signal.
    ///
    /// # Errors
    /// If reading fails, or the file has become shorter.
    ///
    /// # Panics
    /// If the bytes are not within the tensor.
    pub fn read_at(&self, tensor: &TensorInfo, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(out.len() as u64);
        assert!(end.is_some_and(|end| end <= tensor.n_bytes()), "{offset} + {} bytes of a tensor", out.len());
        match &*self.parts[tensor.part()] {
            Bytes::Mapped(file) => file.read_at(tensor.offset() + offset, out),
            Bytes::Owned(bytes) => {
                let start = tensor.range.start + offset as usize;
                out.copy_from_slice(&bytes[start..start + out.len()]);
                Ok(())
            }
        }
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn n_parts(&self) -> usize {
        self.parts.len()
    }

    /// The file of a part; `None` if it was given as bytes.
    pub fn part_path(&self, part: usize) -> Option<&Path> {
        self.parts[part].path()
    }

    /// Bytes of all parts.
    pub fn file_bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.as_slice().len() as u64).sum()
    }

    fn add_parts(&mut self, prefix: &Path, n: usize) -> Result<()> {
        for i in 1..n {
            let path = split::part_path(prefix, i, n);
            let part = Self::open_part(&path)?;
            split::check_part(&part.metadata, &path, i, n)?;
            self.parts.extend(part.parts);
            let number = i as u16;
            self.tensors.extend(part.tensors.into_iter().map(|tensor| TensorInfo { part: number, ..tensor }));
        }
        split::check_n_tensors(&self.metadata, self.tensors.len())?;
        self.by_name = sorted_by_name(&self.tensors)?;
        Ok(())
    }
}
