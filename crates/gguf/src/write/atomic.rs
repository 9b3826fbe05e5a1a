//! A file that appears under its name only when it is whole: written beside its place, synced, renamed. Knows nothing
//! of GGUF.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// Collects small writes; large ones pass through.
const BUFFER_BYTES: usize = 1 << 18;

/// A file being written. Dropped before [`Synced::publish`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    out: BufWriter<File>,
    temporary: Temporary,
    written: u64,
}

/// A file that is whole and on the disk, but not yet under its name.
#[derive(Debug)]
pub struct Synced {
    temporary: Temporary,
}

/// A file under a temporary name; removed on drop unless it got its own.
#[derive(Debug)]
struct Temporary {
    target: PathBuf,
    path: PathBuf,
    is_published: bool,
}

impl AtomicFile {
    /// Begins the file that will be at `target`. Where that is a link, its aim will be replaced.
    ///
    /// # Errors
    /// If what is there must not be replaced, or the folder refuses a new file.
    pub fn create(target: &Path) -> Result<Self> {
        let target = replaceable(target)?;
        let (file, path) = create_beside(&target)?;
        let temporary = Temporary { target, path, is_published: false };
        Ok(Self { out: BufWriter::with_capacity(BUFFER_BYTES, file), temporary, written: 0 })
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// # Errors
    /// If the disk refuses the bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let done = fault::point().and_then(|()| self.out.write_all(bytes));
        self.check("write", done)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Brings everything to the disk and closes the file.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(mut self) -> Result<Synced> {
        let flushed = fault::point().and_then(|()| self.out.flush());
        self.check("write", flushed)?;
        let synced = fault::point().and_then(|()| self.out.get_ref().sync_all());
        self.check("sync", synced)?;
        Ok(Synced { temporary: self.temporary })
    }

    fn check(&self, action: &'static str, done: io::Result<()>) -> Result<()> {
        done.map_err(|cause| match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Error::NoSpace { path: self.temporary.target.clone(), written: self.written, cause }
            }
            _ => Error::Io { action, path: self.temporary.path.clone(), cause },
        })
    }
}

/// For writers that know nothing of files. Their errors have no path: who flushes last should use [`AtomicFile::sync`].
impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::point()?;
        let n = self.out.write(bytes)?;
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        fault::point().and_then(|()| self.out.flush())
    }
}

impl Synced {
    /// Gives the file its name, replacing what had it, and brings the folder to the disk.
    ///
    /// # Errors
    /// If the folder refuses the name; if it cannot be synced, where the new file is there already.
    pub fn publish(mut self) -> Result<()> {
        let Temporary { target, path, is_published } = &mut self.temporary;
        fault::point().and_then(|()| fs::rename(path, &*target)).map_err(|cause| Error::Io {
            action: "rename the new file to",
            path: target.clone(),
            cause,
        })?;
        *is_published = true;
        let folder = folder_of(target);
        let synced = fault::point().and_then(|()| sync_folder(&folder));
        synced.map_err(|cause| Error::Io { action: "sync the folder", path: folder, cause })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_published {
            // What remains has a temporary name, and nobody is left to tell.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Where the new file will lie, if what is there may be replaced.
fn replaceable(target: &Path) -> Result<PathBuf> {
    let io = |action, cause| Error::Io { action, path: target.into(), cause };
    let refuse = |why: &str| Err(io("replace", io::Error::other(why)));
    let target = match fs::canonicalize(target) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(target.into()),
        Err(error) => return Err(io("look at", error)),
    };
    let metadata = fs::metadata(&target).map_err(|error| io("look at", error))?;
    if !metadata.is_file() {
        return refuse("it is no regular file");
    }
    if metadata.permissions().readonly() {
        return refuse("it is read-only; choose another name, or make it writable");
    }
    Ok(target)
}

/// Makes a new file in the same folder, as only there a rename is one step.
fn create_beside(target: &Path) -> Result<(File, PathBuf)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(name) = target.file_name() else {
        let cause = io::Error::other("the path names no file");
        return Err(Error::Io { action: "create", path: target.into(), cause });
    };
    loop {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        temporary.push(format!(".{}-{n}.tmp", std::process::id()));
        let path = target.with_file_name(temporary);
        let opened =
            fault::point().and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path));
        match opened {
            Ok(file) => return Ok((file, path)),
            // Left by a process of the same id that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(Error::Io { action: "create", path: target.into(), cause }),
        }
    }
}

fn folder_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.into(),
        _ => PathBuf::from("."),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a rename is durable without it, and folders cannot be opened.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Where tests let the disk fail.
pub(super) mod fault {
    use std::io;

    #[cfg(not(test))]
    #[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
    pub(super) fn point() -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    pub(in crate::write) use injected::fail_at;
    #[cfg(test)]
    pub(super) use injected::point;

    #[cfg(test)]
    mod injected {
        use super::io;
        use std::cell::Cell;

        thread_local! {
            /// Calls until the failing one, and how it fails.
            static LEFT: Cell<Option<(u32, io::ErrorKind)>> = const { Cell::new(None) };
        }

        /// Lets the n-th point from now fail, on this thread.
        pub(in crate::write) fn fail_at(n: u32, kind: io::ErrorKind) {
            LEFT.set(Some((n, kind)));
        }

        pub(in crate::write) fn point() -> io::Result<()> {
            match LEFT.get() {
                Some((0, kind)) => {
                    LEFT.set(None);
                    Err(kind.into())
                }
                Some((n, kind)) => {
                    LEFT.set(Some((n - 1, kind)));
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }
}
