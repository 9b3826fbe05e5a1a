//! What an importance matrix says of each weight: how large, how even and how much like the layer before its inputs are.

use super::{Entry, Imatrix};

/// Mean squares up to this count as no activity.
const INACTIVE: f32 = 1e-5;

/// Of the mean squared inputs of one weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    pub name: String,
    /// `N` of names that begin with `blk.N.`.
    pub layer: Option<usize>,
    pub n: usize,
    pub total: f64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub deviation: f64,
    /// Share of inputs that are active.
    pub active: f64,
    /// In bits, of the shares that inputs have of the total.
    pub entropy: f64,
    /// Share of inputs that are more than a deviation above the mean.
    pub z_share: f64,
    /// Cosine similarity to the same weight of the layer before; 0 if there is none.
    pub similarity: f64,
}

impl Statistics {
    /// 1 if all inputs are alike.
    #[must_use]
    pub fn normalized_entropy(&self) -> f64 {
        self.entropy / (self.n as f64).log2()
    }

    /// The weight's name without its layer and `weight`.
    #[must_use]
    pub fn kind(&self) -> &str {
        let parts: Vec<&str> = self.name.split('.').collect();
        let at = parts.iter().position(|part| *part == "weight").filter(|at| *at > 0);
        at.map_or(&self.name, |at| parts[at - 1])
    }
}

impl Imatrix {
    /// Of every weight that was used, by name.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistics> {
        self.entries.iter().filter_map(|(name, entry)| self.of(name, entry)).collect()
    }

    fn of(&self, name: &str, entry: &Entry) -> Option<Statistics> {
        let used =
            entry.sums.chunks(entry.n_in().max(1)).zip(&entry.counts).filter(|(_, count)| **count > 0.0);
        let values: Vec<f64> =
            used.flat_map(|(sums, count)| sums.iter().map(move |sum| f64::from(sum / count))).collect();
        let n = values.len();
        if n == 0 {
            return None;
        }
        let total: f64 = values.iter().sum();
        let mean = total / n as f64;
        let squares: f64 = values.iter().map(|v| v * v).sum();
        let deviation = (squares / n as f64 - mean * mean).max(0.0).sqrt();
        let share = |count: usize| count as f64 / n as f64;
        let bits = move |v: &f64| Some(v / total).filter(|p| *p > 0.0).map_or(0.0, |p| -p * p.log2());
        let layer = layer(name);
        let before = layer.and_then(|i| i.checked_sub(1)).and_then(|i| {
            self.entries.get(&name.replacen(&format!("blk.{}.", i + 1), &format!("blk.{i}."), 1))
        });
        Some(Statistics {
            name: name.to_owned(),
            layer,
            n,
            total,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean,
            deviation,
            active: share(values.iter().filter(|v| **v > f64::from(INACTIVE)).count()),
            entropy: if total > 0.0 { values.iter().map(bits).sum() } else { 0.0 },
            z_share: share(
                values.iter().filter(|v| deviation > 0.0 && (**v - mean) / deviation > 1.0).count(),
            ),
            similarity: before.map_or(0.0, |before| cosine(&entry.sums, &before.sums)),
        })
    }
}

fn layer(name: &str) -> Option<usize> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let size = (dot(a, a) * dot(b, b)).sqrt();
    if size > 0.0 { dot(a, b) / size } else { 0.0 }
}
