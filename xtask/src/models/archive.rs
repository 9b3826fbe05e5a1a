//! Reading the two kinds of package archive. Only members asked for are looked at; nothing is written outside the
//! folder given, whatever names an archive holds.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::copy;

/// Writes the bytes of one member of a zip file to `out`.
///
/// # Errors
/// No such archive or member, damaged data, or a failing `out`.
pub(crate) fn copy_zip_member(archive: &Path, member: &str, out: &mut impl Write) -> Result<()> {
    let what = || format!("{member} of {}", archive.display());
    let file = File::open(archive).with_context(|| format!("cannot open {}", archive.display()))?;
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).with_context(what)?;
    let mut entry = zip.by_name(member).with_context(what)?;
    copy(&mut entry, out, &what())
}

/// Writes the plain files that are directly in `folder` of a gzipped tar file into `target`, a new folder.
///
/// # Errors
/// No such archive, damaged data, or a `target` that cannot be written.
pub(crate) fn unpack_tar_folder(archive: &Path, folder: &str, target: &Path) -> Result<()> {
    let what = || format!("{folder} of {}", archive.display());
    fs::create_dir(target).with_context(|| format!("cannot create {}", target.display()))?;
    let file = File::open(archive).with_context(|| format!("cannot open {}", archive.display()))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(BufReader::new(file)));
    for entry in tar.entries().with_context(what)? {
        let mut entry = entry.with_context(what)?;
        let path = entry.path().with_context(what)?.into_owned();
        let is_wanted = entry.header().entry_type().is_file() && path.parent() == Some(Path::new(folder));
        if let (true, Some(name)) = (is_wanted, path.file_name()) {
            let mut out = File::create(target.join(name))?;
            copy(&mut entry, &mut out, &path.display().to_string())?;
            out.sync_all()?;
        }
    }
    Ok(())
}
