//! Streams tensors into a file, or into the parts of a split one.

use std::path::{Path, PathBuf};

use super::atomic::{AtomicFile, Synced};
use super::header::{Header, Layout};
use super::value::OwnedValue;
use crate::error::{Error, Result};
use crate::limits::MAX_PARTS;
use crate::split::{self, PART_KEY, PARTS_KEY, TENSORS_KEY};

/// Writes the header first, then the tensors in its order, as their bytes come. Memory does not depend on the file.
///
/// Nothing is under the final name before [`Self::finish`]: dropped, failed or killed before, the writer leaves what was
/// there (killed, also a file with a name like `.model.gguf.123-0.tmp`).
#[derive(Debug)]
pub struct Writer {
    parts: Vec<Part>,
    /// The part being written.
    open: Option<(AtomicFile, usize)>,
    done: Vec<Synced>,
    /// The tensor of the open part that the next byte belongs to, and its bytes that are still missing.
    tensor: usize,
    missing: u64,
}

#[derive(Debug)]
struct Part {
    target: PathBuf,
    layout: Layout,
    names: Vec<String>,
}

impl Writer {
    /// Begins a file.
    ///
    /// # Errors
    /// If the reader would refuse the header, or the disk refuses the file.
    pub fn create(target: impl AsRef<Path>, header: &Header) -> Result<Self> {
        Self::begin(vec![Part::new(target.as_ref().into(), header)?])
    }

    /// Begins a file of several parts, `prefix-00001-of-00003.gguf` and so on, and sets the metadata that ties them.
    ///
    /// A part never replaces a file: renaming many files is not one step, and a crash between must not leave a mix.
    ///
    /// # Errors
    /// If there is already such a file; if the reader would refuse a header, or the disk refuses the files.
    pub fn create_split(prefix: impl AsRef<Path>, mut headers: Vec<Header>) -> Result<Self> {
        let n = headers.len();
        if n == 0 || n > MAX_PARTS {
            return Err(Error::Split { problem: format!("{n} parts; 1 to {MAX_PARTS} are allowed") });
        }
        let n_tensors: usize = headers.iter().map(|header| header.tensors().len()).sum();
        let mut parts = Vec::with_capacity(n);
        for (i, header) in headers.iter_mut().enumerate() {
            header.set(PART_KEY, OwnedValue::U16(i as u16));
            header.set(PARTS_KEY, OwnedValue::U16(n as u16));
            header.set(TENSORS_KEY, OwnedValue::I32(n_tensors as i32));
            let target = split::part_path(prefix.as_ref(), i, n);
            if target.symlink_metadata().is_ok() {
                let problem =
                    format!("{} is there already; remove it, or choose another name", target.display());
                return Err(Error::Split { problem });
            }
            parts.push(Part::new(target, header)?);
        }
        Self::begin(parts)
    }

    fn begin(parts: Vec<Part>) -> Result<Self> {
        let mut writer = Self { parts, open: None, done: Vec::new(), tensor: 0, missing: 0 };
        writer.open_part(0)?;
        writer.close_full()?;
        Ok(writer)
    }

    /// The tensor that the next byte belongs to; `None` when all are written.
    pub fn next_tensor(&self) -> Option<&str> {
        let (_, part) = self.open.as_ref()?;
        self.parts[*part].names.get(self.tensor).map(String::as_str)
    }

    /// Appends bytes to the tensors, which follow each other in the order of the header.
    ///
    /// # Errors
    /// If writing fails, or there are more bytes than the next tensor still needs.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let n = bytes.len() as u64;
        let Some((file, part)) = self.open.as_mut().filter(|_| n <= self.missing) else {
            return Err(Error::Tensor {
                name: self.next_tensor().unwrap_or("behind the last").into(),
                problem: format!("{n} bytes were to be written; it needs {} more", self.missing),
            });
        };
        file.append(bytes)?;
        self.missing -= n;
        if self.missing == 0 {
            pad(file, self.parts[*part].layout.alignment)?;
            self.tensor += 1;
            self.begin_tensor();
            self.close_full()?;
        }
        Ok(())
    }

    /// Brings the files to the disk and gives them their names; of a split file the first part last, as it is the one
    /// that is opened.
    ///
    /// # Errors
    /// If a tensor is not complete, or the disk fails.
    pub fn finish(mut self) -> Result<()> {
        if let Some(name) = self.next_tensor() {
            let problem = format!("{} of its bytes were not written", self.missing);
            return Err(Error::Tensor { name: name.into(), problem });
        }
        for synced in self.done.drain(..).rev() {
            synced.publish()?;
        }
        Ok(())
    }

    fn open_part(&mut self, i: usize) -> Result<()> {
        let part = &self.parts[i];
        let mut file = AtomicFile::create(&part.target)?;
        file.append(&part.layout.header)?;
        self.open = Some((file, i));
        self.tensor = 0;
        self.begin_tensor();
        Ok(())
    }

    fn begin_tensor(&mut self) {
        let sizes = self.open.as_ref().map(|(_, part)| &self.parts[*part].layout.tensor_bytes);
        self.missing = sizes.and_then(|sizes| sizes.get(self.tensor)).copied().unwrap_or(0);
    }

    /// Closes the open part if it is complete, and opens the next one that has tensors.
    fn close_full(&mut self) -> Result<()> {
        while let Some((_, i)) = self.open
            && self.tensor == self.parts[i].names.len()
            && let Some((file, _)) = self.open.take()
        {
            debug_assert_eq!(
                file.written(),
                self.parts[i].layout.file_bytes,
                "of {:?}",
                self.parts[i].target
            );
            self.done.push(file.sync()?);
            if i + 1 < self.parts.len() {
                self.open_part(i + 1)?;
            }
        }
        Ok(())
    }
}

impl Part {
    fn new(target: PathBuf, header: &Header) -> Result<Self> {
        let names = header.tensors().iter().map(|tensor| tensor.name.clone()).collect();
        Ok(Self { target, layout: header.layout()?, names })
    }
}

fn pad(file: &mut AtomicFile, alignment: u64) -> Result<()> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut left = file.written().next_multiple_of(alignment) - file.written();
    while left > 0 {
        let n = left.min(ZEROS.len() as u64);
        file.append(&ZEROS[..n as usize])?;
        left -= n;
    }
    Ok(())
}
