//! The parts of a split file: their names and the metadata that ties them together.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::limits::MAX_PARTS;
use crate::metadata::Metadata;

/// Key of a part's number, from 0.
pub const PART_KEY: &str = "split.no";
/// Key of the number of parts.
pub const PARTS_KEY: &str = "split.count";
/// Key of the number of tensors in all parts.
pub const TENSORS_KEY: &str = "split.tensors.count";

/// The file of part `i`, counted from 0, of `n`: `prefix-00001-of-00003.gguf`.
#[must_use]
pub fn part_path(prefix: &Path, i: usize, n: usize) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(format!("-{:05}-of-{n:05}.gguf", i + 1));
    path.into()
}

/// What comes before `-00001-of-00003.gguf` in the path of the first of `n` parts.
///
/// # Errors
/// If the path does not end so.
pub fn prefix(first: &Path, n: usize) -> Result<PathBuf> {
    let name = first.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let suffix = format!("-00001-of-{n:05}.gguf");
    match name.strip_suffix(&suffix) {
        Some(prefix) => Ok(first.with_file_name(prefix)),
        None => {
            let problem =
                format!("the file has {n} parts, so its name should end in {suffix:?}; it is {name:?}");
            Err(Error::Split { problem })
        }
    }
}

/// How many parts the file that begins with this metadata has.
pub(crate) fn n_parts(first: &Metadata) -> Result<usize> {
    let n: usize = first.get(PARTS_KEY)?.unwrap_or(1);
    let number: usize = first.get(PART_KEY)?.unwrap_or(0);
    if n > 1 && number != 0 {
        let problem = format!("this is part {} of {n}; give the first part", number.saturating_add(1));
        return Err(Error::Split { problem });
    }
    if n > MAX_PARTS {
        return Err(Error::Split { problem: format!("{n} parts; at most {MAX_PARTS} are allowed") });
    }
    Ok(n)
}

/// Checks that a later part says it is part `i` of `n`.
pub(crate) fn check_part(part: &Metadata, path: &Path, i: usize, n: usize) -> Result<()> {
    let found: (Option<usize>, Option<usize>) = (part.get(PART_KEY)?, part.get(PARTS_KEY)?);
    if found == (Some(i), Some(n)) {
        return Ok(());
    }
    let [number, count] =
        [found.0, found.1].map(|value| value.map_or("nothing".into(), |value| value.to_string()));
    let problem = format!(
        "{} has {PART_KEY} = {number} and {PARTS_KEY} = {count}; expected {i} and {n}",
        path.display()
    );
    Err(Error::Split { problem })
}

/// Checks the number of tensors in all parts against what the first part says.
pub(crate) fn check_n_tensors(first: &Metadata, found: usize) -> Result<()> {
    match first.get::<usize>(TENSORS_KEY)? {
        Some(n) if n != found => {
            Err(Error::Split { problem: format!("the parts hold {found} tensors, the first says {n}") })
        }
        _ => Ok(()),
    }
}
