//! Maps files into memory and reads them in place: the one file of this crate that must trust the operating system.
#![expect(unsafe_code, reason = "mapping a file is unsafe: others may change it")]

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file that is mapped for reading, and still open.
///
/// If another process truncates the file while it is mapped, access to the map behind the new end raises SIGBUS, as for
/// every program that maps files; [`Self::read_at`] gives an error instead.
#[derive(Debug)]
pub(crate) struct Mapped {
    map: memmap2::Mmap,
    file: File,
    path: PathBuf,
}

impl Mapped {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |action| move |cause| Error::Io { action, path: path.into(), cause };
        let file = File::open(path).map_err(failed("open"))?;
        if !file.metadata().map_err(failed("open"))?.is_file() {
            return Err(failed("map")(io::Error::other("it is a folder, a pipe or a device, and no file")));
        }
        // SAFETY: the mapping is read-only and private; the documentation above states what others must not do.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(failed("map"))?;
        Ok(Self { map, file, path: path.into() })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.map
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn lock(&self) -> Result<()> {
        lock(&self.map)
    }

    /// Fills `out` from `offset` on by read calls.
    pub(crate) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        read_exact_at(&self.file, offset, out).map_err(|cause| match cause.kind() {
            io::ErrorKind::UnexpectedEof => Error::Truncated {
                what: format!("{}, which was longer when it was opened: the data", self.path.display()),
                offset,
                needed: out.len() as u64,
                len: self.file.metadata().map_or(0, |m| m.len()),
            },
            _ => Error::Io { action: "read", path: self.path.clone(), cause },
        })
    }
}

/// Zeroed memory of its own for `n` bytes; in large pages where the system has them, which cost a processor fewer
/// misses of its address buffers.
pub(crate) fn anonymous(n: usize) -> Result<memmap2::MmapMut> {
    let no_room = |cause| Error::NoMemory { n_bytes: n as u64, cause };
    let map = memmap2::MmapMut::map_anon(n).map_err(no_room)?;
    #[cfg(target_os = "linux")]
    // A wish: a kernel without large pages refuses it, and small ones do.
    let _ = map.advise(memmap2::Advice::HugePage);
    Ok(map)
}

/// Keeps a map in memory.
pub(crate) fn lock(map: &memmap2::Mmap) -> Result<()> {
    #[cfg(unix)]
    let result = map.lock();
    #[cfg(not(unix))]
    let result = Err(io::Error::from(io::ErrorKind::Unsupported));
    result.map_err(|cause| Error::Lock { n_bytes: map.len() as u64, cause })
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                out = &mut out[n..];
                offset += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
