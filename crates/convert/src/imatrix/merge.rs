//! Adds importance matrices up, as if all their texts had been one.

use super::{Counted, Entry, Imatrix};

impl Imatrix {
    /// Adds another one. `chunk_size` says how many activations a chunk stands for in matrices that count chunks.
    ///
    /// # Errors
    /// If a weight has another size here than there.
    pub fn merge(&mut self, other: Self, chunk_size: usize) -> Result<(), String> {
        let scale = match other.counted {
            Counted::Activations => 1.0,
            Counted::Chunks => chunk_size as f32,
        };
        for (name, mut entry) in other.entries {
            entry.sums.iter_mut().chain(&mut entry.counts).for_each(|value| *value *= scale);
            match self.entries.get_mut(&name) {
                Some(own) => own.add(entry).map_err(|problem| format!("{name} {problem}"))?,
                None => {
                    self.entries.insert(name, entry);
                }
            }
        }
        self.datasets.extend(other.datasets);
        let most = self.entries.values().flat_map(|e| &e.counts).copied().fold(0.0, f32::max);
        self.n_chunks = (most / chunk_size.max(1) as f32) as u32;
        Ok(())
    }
}

impl Entry {
    /// Files that do not tell experts apart have one count for all of them.
    fn add(&mut self, mut other: Self) -> Result<(), String> {
        if self.sums.len() != other.sums.len() {
            return Err(format!(
                "has {} sums in one file and {} in another",
                self.sums.len(),
                other.sums.len()
            ));
        }
        let n = self.counts.len().max(other.counts.len());
        for entry in [&mut *self, &mut other] {
            if entry.counts.len() == 1 {
                entry.counts.resize(n, entry.counts[0]);
            }
            if entry.counts.len() != n {
                return Err(format!("has {} matrices in one file and {n} in another", entry.counts.len()));
            }
        }
        let add = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(&mut self.sums, &other.sums);
        add(&mut self.counts, &other.counts);
        Ok(())
    }
}
