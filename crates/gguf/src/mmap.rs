//! Maps files into memory: the one place of this crate that must trust the operating system.
#![expect(unsafe_code, reason = "mapping a file is unsafe: others may change it")]

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// Maps a whole file for reading.
///
/// If another process truncates the file while it is mapped, reading behind the new end raises SIGBUS, as for every
/// program that maps files; model files are not to be changed while in use.
pub(crate) fn map(path: &Path) -> Result<memmap2::Mmap> {
    let io = |action| move |source| Error::Io { action, path: path.into(), source };
    let file = File::open(path).map_err(io("open"))?;
    // SAFETY: the mapping is read-only and private; the documentation above states what others must not do.
    unsafe { memmap2::Mmap::map(&file) }.map_err(io("map"))
}
