//! Splitting a file into parts, by the number of tensors or by size.

use std::path::Path;

use gguf::Gguf;
use gguf::write::{Header, Writer};

use super::copy::{CopyProgress, copy, list};
use crate::{Error, Result};

/// When a part is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitBy {
    /// Most tensors of a part.
    Tensors(usize),
    /// Most bytes of a part's tensors. A tensor that is larger gets a part of its own.
    Bytes(u64),
}

/// A part that a split would make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    pub n_tensors: usize,
    /// Of its tensors.
    pub n_bytes: u64,
}

/// Reads `500M` or `2G`: a number of decimal megabytes or gigabytes.
///
/// # Errors
/// If the text has another form.
pub fn parse_size(text: &str) -> Result<u64> {
    let wrong = || Error::Override(format!("{text:?} is no size; write for example 500M or 2G"));
    let (number, unit) = match text.strip_suffix('M') {
        Some(number) => (number, 1_000_000),
        None => (text.strip_suffix('G').ok_or_else(wrong)?, 1_000_000_000),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

/// The parts that a split makes. `metadata_alone` puts no tensor into the first.
#[must_use]
pub fn plan_split(source: &Gguf, by: SplitBy, metadata_alone: bool) -> Vec<PartPlan> {
    let empty = PartPlan { n_tensors: 0, n_bytes: 0 };
    let mut parts = vec![empty; 1 + usize::from(metadata_alone)];
    for tensor in source.tensors() {
        let last = parts.last().copied().unwrap_or(empty);
        let is_full = match by {
            SplitBy::Tensors(max) => last.n_tensors >= max.max(1),
            SplitBy::Bytes(max) => last.n_tensors > 0 && last.n_bytes + tensor.n_bytes() > max,
        };
        if is_full {
            parts.push(empty);
        }
        if let Some(part) = parts.last_mut() {
            part.n_tensors += 1;
            part.n_bytes += tensor.n_bytes();
        }
    }
    parts
}

/// Writes the parts `prefix-00001-of-0000N.gguf` and so on; the metadata is in the first.
///
/// # Errors
/// If there is such a file already, the source cannot be read, or the parts cannot be written.
pub fn split(
    source: &Gguf,
    parts: &[PartPlan],
    prefix: &Path,
    progress: &mut CopyProgress<'_>,
) -> Result<()> {
    let mut headers = Vec::with_capacity(parts.len());
    let mut tensors = source.tensors();
    for (i, part) in parts.iter().enumerate() {
        let mut header = if i == 0 { Header::like(source.metadata()) } else { Header::new() };
        let (own, rest) = tensors.split_at(part.n_tensors);
        list(&mut header, own);
        tensors = rest;
        headers.push(header);
    }
    copy(source, Writer::create_split(prefix, headers)?, progress)
}
