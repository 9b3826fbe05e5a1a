//! Writes float32 matrices as NumPy files (format 1.0).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// Writes `rows` rows of `columns` values; the file appears whole or not at all.
pub(crate) fn write(path: &Path, rows: usize, columns: usize, data: &[f32]) -> Result<()> {
    assert_eq!(data.len(), rows * columns, "a full matrix");
    let temporary = path.with_extension("npy.partial");
    write_to(&temporary, rows, columns, data)
        .and_then(|()| std::fs::rename(&temporary, path))
        .with_context(|| format!("cannot write {}; is the folder there and writable?", path.display()))
        .inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}

fn write_to(path: &Path, rows: usize, columns: usize, data: &[f32]) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // Magic, version, length and header together fill whole 64-byte lines, the last byte a newline.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for value in data {
        file.write_all(&value.to_le_bytes())?;
    }
    file.into_inner()?.sync_all()
}
