//! Writes importance matrices, in both formats. A file takes its name when it is whole.

use std::path::Path;

use gguf::write::{AtomicFile, Header, OwnedValue, Writer};
use gguf::{TensorType, ValueType};

use super::{Entry, Imatrix};
use crate::{Error, Result};

/// GGUF's id of float32.
const F32: u32 = 0;

impl Imatrix {
    /// Writes the GGUF format: sums and counts as they are. `chunk_size` are the tokens of a chunk of text.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_gguf(&self, path: &Path, chunk_size: usize) -> Result<()> {
        let problem = |problem| Error::Imatrix { path: path.into(), problem };
        let ty = TensorType::from_id(F32).map_err(problem)?;
        let text = |text: &str| OwnedValue::String(text.into());
        let mut header = Header::new();
        header.set("general.type", text("imatrix"));
        let datasets = self.datasets.iter().map(|d| text(d)).collect();
        header.set("imatrix.datasets", OwnedValue::Array(ValueType::String, datasets));
        header.set("imatrix.chunk_count", OwnedValue::U32(self.n_chunks));
        header.set("imatrix.chunk_size", OwnedValue::U32(u32::try_from(chunk_size).unwrap_or(u32::MAX)));
        for (name, entry) in &self.entries {
            let n_matrices = entry.counts.len() as u64;
            header.tensor(&format!("{name}.in_sum2"), &[entry.n_in() as u64, n_matrices], ty);
            header.tensor(&format!("{name}.counts"), &[1, n_matrices], ty);
        }
        let mut writer = Writer::create(path, &header)?;
        for entry in self.entries.values() {
            writer.append(&bytes(&entry.sums))?;
            writer.append(&bytes(&entry.counts))?;
        }
        Ok(writer.finish()?)
    }

    /// Writes the older format: means times the number of chunks. Weights that were never used are left out, and
    /// experts that were never used have ones, as the format cannot tell.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_dat(&self, path: &Path, chunk_size: usize) -> Result<()> {
        let mut out = Vec::new();
        let used: Vec<_> = self.entries.iter().filter(|(_, e)| e.counts.iter().any(|c| *c > 0.0)).collect();
        put(&mut out, used.len());
        for (name, entry) in used {
            put(&mut out, name.len());
            out.extend(name.bytes());
            let most = entry.counts.iter().copied().fold(0.0, f32::max);
            let n_calls = (most / chunk_size.max(1) as f32).ceil();
            put(&mut out, n_calls as usize);
            put(&mut out, entry.sums.len());
            let scaled: Vec<f32> = entry.means().iter().map(|mean| mean * n_calls).collect();
            out.extend(bytes(&scaled));
        }
        put(&mut out, self.n_chunks as usize);
        let dataset = self.datasets.last().map_or("", String::as_str);
        put(&mut out, dataset.len());
        out.extend(dataset.bytes());
        let mut file = AtomicFile::create(path)?;
        file.append(&out)?;
        Ok(file.sync()?.publish()?)
    }
}

impl Entry {
    /// Inputs of each matrix.
    #[must_use]
    pub fn n_in(&self) -> usize {
        self.sums.len() / self.counts.len().max(1)
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Counts of this format have 32 bits; none that occurs is larger.
fn put(out: &mut Vec<u8>, n: usize) {
    out.extend(i32::try_from(n).unwrap_or(i32::MAX).to_le_bytes());
}
