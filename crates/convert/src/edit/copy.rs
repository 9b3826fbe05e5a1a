//! Copies tensors into a new file as they are, a few megabytes at a time.

use std::path::Path;

use gguf::split::{PART_KEY, PARTS_KEY, TENSORS_KEY};
use gguf::write::{Header, Writer};
use gguf::{Gguf, TensorInfo};

use crate::Result;
use crate::quantize::refuse_source;

const PIECE_BYTES: u64 = 4 << 20;

/// Called with the bytes that are done, and all.
pub type CopyProgress<'a> = dyn FnMut(u64, u64) + 'a;

/// Writes all parts of a split file as one.
///
/// # Errors
/// If the target is one of the parts, the source cannot be read, or the target cannot be written.
pub fn merge(source: &Gguf, target: &Path, progress: &mut CopyProgress<'_>) -> Result<()> {
    refuse_source(source, target)?;
    let mut header = Header::like(source.metadata());
    for key in [PART_KEY, PARTS_KEY, TENSORS_KEY] {
        header.remove(key);
    }
    list(&mut header, source.tensors());
    copy(source, Writer::create(target, &header)?, progress)
}

pub(super) fn list(header: &mut Header, tensors: &[TensorInfo]) {
    for tensor in tensors {
        header.tensor(&tensor.name, &tensor.dims, tensor.ty);
    }
}

/// Fills a file, or its parts, that has the tensors of the source in the same order.
pub(super) fn copy(source: &Gguf, mut writer: Writer, progress: &mut CopyProgress<'_>) -> Result<()> {
    let total: u64 = source.tensors().iter().map(TensorInfo::n_bytes).sum();
    let mut done = 0;
    let mut piece = Vec::new();
    for tensor in source.tensors() {
        let mut offset = 0;
        while offset < tensor.n_bytes() {
            let n = PIECE_BYTES.min(tensor.n_bytes() - offset);
            piece.resize(n as usize, 0);
            source.read_at(tensor, offset, &mut piece)?;
            writer.append(&piece)?;
            offset += n;
            done += n;
            progress(done, total);
        }
    }
    Ok(writer.finish()?)
}
