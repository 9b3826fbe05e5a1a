//! Importance matrices: how strongly each input of each weight was used on sample text. Files of either format are read
//! and written, added up and judged; what is in them is measured elsewhere.

mod merge;
mod statistics;
#[cfg(test)]
mod tests;
mod write;

pub use statistics::Statistics;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gguf::{Array, Gguf, TensorInfo};

use crate::{Error, Result};

/// Squared activations by the name of the weight that they were multiplied by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imatrix {
    pub entries: BTreeMap<String, Entry>,
    /// The texts it was made from.
    pub datasets: Vec<String>,
    /// Chunks of text that were run; 0 if unknown.
    pub n_chunks: u32,
    pub counted: Counted,
}

/// What the counts are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counted {
    #[default]
    Activations,
    /// Of text, as in the older format.
    Chunks,
}

/// Of one weight: of each of its matrices, as experts have many, the sums for each input.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Matrix after matrix.
    pub sums: Vec<f32>,
    /// How many activations were summed, for each matrix; a matrix of no activations was never used.
    pub counts: Vec<f32>,
}

impl Entry {
    /// Mean squares: a value for each input of each matrix. Inputs of a matrix that was never used count alike.
    #[must_use]
    pub fn means(&self) -> Vec<f32> {
        let mut means = Vec::with_capacity(self.sums.len());
        for (sums, count) in self.sums.chunks(self.n_in().max(1)).zip(&self.counts) {
            means.extend(sums.iter().map(|sum| if *count > 0.0 { sum / count } else { 1.0 }));
        }
        means
    }
}

impl Imatrix {
    /// Reads a file: GGUF, or else the older format.
    ///
    /// # Errors
    /// If the file is of neither format, is damaged, or holds a value that is not finite.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |cause| gguf::Error::Io { action: "read", path: path.into(), cause };
        let bytes = fs::read(path).map_err(io)?;
        let problem = |problem| Error::Imatrix { path: path.into(), problem };
        let found = match bytes.starts_with(b"GGUF") {
            true => Self::from_gguf(&Gguf::from_bytes(bytes)?)?,
            false => from_dat(&bytes),
        };
        let found = found.map_err(problem)?;
        found.check().map_err(problem)?;
        Ok(found)
    }

    /// Keeps the entries whose names contain one of these parts.
    pub fn include(&mut self, parts: &[String]) {
        self.entries.retain(|name, _| parts.iter().any(|part| name.contains(part)));
    }

    /// Drops the entries whose names contain one of these parts.
    pub fn exclude(&mut self, parts: &[String]) {
        self.entries.retain(|name, _| !parts.iter().any(|part| name.contains(part)));
    }

    fn from_gguf(file: &Gguf) -> gguf::Result<Result<Self, String>> {
        let metadata = file.metadata();
        let datasets: Option<Array<'_>> = metadata.get("imatrix.datasets")?;
        let (Some(datasets), Some(n_chunks), true) =
            (datasets, metadata.get("imatrix.chunk_count")?, metadata.contains("imatrix.chunk_size"))
        else {
            let problem = "it lacks imatrix.datasets, .chunk_count or .chunk_size: is it a model?";
            return Ok(Err(problem.into()));
        };
        let datasets = datasets.strings()?.map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        let mut entries = BTreeMap::new();
        for sums in file.tensors() {
            let Some(name) = sums.name.strip_suffix(".in_sum2") else { continue };
            let Some(counts) = file.tensor(&format!("{name}.counts")) else {
                return Ok(Err(format!("{name} has sums, but no counts")));
            };
            let (Some(sums), Some(counts)) = (floats(file, sums), floats(file, counts)) else {
                return Ok(Err(format!("sums and counts of {name} should be F32")));
            };
            let counts = counts.into_iter().map(f32::round).collect();
            entries.insert(name.to_owned(), Entry { sums, counts });
        }
        Ok(Ok(Self { entries, datasets, n_chunks, counted: Counted::Activations }))
    }

    fn check(&self) -> Result<(), String> {
        if self.entries.is_empty() {
            return Err("it has no entries".into());
        }
        for (name, Entry { sums, counts }) in &self.entries {
            if counts.is_empty() || !sums.len().is_multiple_of(counts.len()) {
                return Err(format!("{name} has {} sums and {} counts", sums.len(), counts.len()));
            }
            if let Some(value) = sums.iter().chain(counts).find(|value| !value.is_finite()) {
                return Err(format!("{name} has the value {value}; make it again"));
            }
        }
        Ok(())
    }
}

/// The values of an F32 tensor.
fn floats(file: &Gguf, tensor: &TensorInfo) -> Option<Vec<f32>> {
    let data = file.data(tensor);
    let (values, _) = data.as_chunks();
    (tensor.ty.name() == "F32").then(|| values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Reads the older format: entries of name, calls and sums; then, as later writers added, chunks and one data set.
fn from_dat(bytes: &[u8]) -> Result<Imatrix, String> {
    let mut reader = DatReader { bytes };
    let n = reader.count("the number of entries")?;
    let mut found = Imatrix { counted: Counted::Chunks, ..Imatrix::default() };
    for i in 0..n {
        let name = reader.text(&format!("the name of entry {i}"))?;
        let n_calls = reader.i32(&name)?;
        let n_values = reader.count(&name)?;
        let (values, _) = reader.take(n_values.saturating_mul(4), &name)?.as_chunks();
        let sums: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        // Without calls the values are means already.
        let counts = vec![n_calls.max(1) as f32];
        found.entries.insert(name, Entry { sums, counts });
    }
    if !reader.bytes.is_empty() {
        found.n_chunks = u32::try_from(reader.i32("the number of chunks")?).unwrap_or(0);
    }
    if !reader.bytes.is_empty() {
        // Empty where the matrix is not of one text.
        let dataset = reader.text("the name of the data set")?;
        found.datasets.extend((!dataset.is_empty()).then_some(dataset));
    }
    Ok(found)
}

struct DatReader<'a> {
    bytes: &'a [u8],
}

impl<'a> DatReader<'a> {
    fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.bytes.split_at_checked(n) else {
            return Err(format!(
                "it ends too soon, or is no importance matrix: {what} needs {n} bytes, {} are left",
                self.bytes.len()
            ));
        };
        self.bytes = rest;
        Ok(taken)
    }

    fn i32(&mut self, what: &str) -> Result<i32, String> {
        let bytes = self.take(4, what)?;
        Ok(i32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
    }

    fn count(&mut self, what: &str) -> Result<usize, String> {
        let n = self.i32(what)?;
        usize::try_from(n).ok().filter(|n| *n > 0).ok_or_else(|| format!("{what}: a count of {n}"))
    }

    fn text(&mut self, what: &str) -> Result<String, String> {
        let len = self.i32(what)?;
        let len = usize::try_from(len).map_err(|_| format!("{what}: a length of {len}"))?;
        Ok(String::from_utf8_lossy(self.take(len, what)?).into_owned())
    }
}
