//! How far a model is from a base model: Kullback-Leibler divergence and differences of probabilities, token by token.

use std::io::Read;

use crate::base::BaseReader;
use crate::logits::{Row, parallel};
use crate::statistics::{Estimate, Moments, Percentiles, covariance};
use crate::windows::{Judge, Scored};
use crate::{Error, Result};

/// Log-probabilities of the base model below this add nothing to the divergence: its files do not hold them.
const NEGLIGIBLE: f32 = -16.0;

/// The running comparison with a base model.
#[derive(Debug)]
pub struct Divergence<R> {
    base: BaseReader<R>,
    n_threads: usize,
    base_rows: Vec<f32>,
    nll: Moments,
    nll_base: Moments,
    nll_products: f64,
    divergence: Moments,
    difference: Moments,
    difference_squared: Moments,
    n_same_top: usize,
    divergences: Vec<f32>,
    differences: Vec<f32>,
}

/// What was found so far.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Tokens compared.
    pub n_scored: usize,
    pub ppl: Estimate,
    pub ppl_base: Estimate,
    /// Of the logarithms of both perplexities.
    pub correlation: f64,
    pub log_ppl_ratio: Estimate,
    pub ppl_ratio: Estimate,
    pub ppl_difference: Estimate,
    pub divergence: Estimate,
    /// Of the probabilities of the tokens that came, model minus base.
    pub probability_difference: Estimate,
    pub probability_difference_rms: Estimate,
    /// Share of tokens for which both find the same one likeliest.
    pub same_top: Estimate,
}

/// One token, compared.
struct Compared {
    nll: f32,
    nll_base: f32,
    divergence: f64,
    difference: f32,
    same_top: bool,
}

impl<R: Read> Divergence<R> {
    /// # Errors
    /// If the vocabularies differ in size.
    pub fn new(base: BaseReader<R>, n_vocab: usize, n_threads: usize) -> Result<Self> {
        if base.header().n_vocab != n_vocab {
            return Err(Error::OtherVocabulary { base: base.header().n_vocab, model: n_vocab });
        }
        Ok(Self {
            base,
            n_threads,
            base_rows: Vec::new(),
            nll: Moments::default(),
            nll_base: Moments::default(),
            nll_products: 0.0,
            divergence: Moments::default(),
            difference: Moments::default(),
            difference_squared: Moments::default(),
            n_same_top: 0,
            divergences: Vec::new(),
            differences: Vec::new(),
        })
    }

    pub fn summary(&self) -> Summary {
        let (log_ppl, log_base) = (self.nll.estimate(), self.nll_base.estimate());
        let covariance = covariance(&self.nll, &self.nll_base, self.nll_products);
        let error_of_difference = |a: f64, b: f64, covariance: f64| {
            // Rounding may leave a tiny negative number where the two models are the same.
            (a * a + b * b - 2.0 * covariance).max(0.0).sqrt()
        };
        let log_ppl_ratio = Estimate {
            value: log_ppl.value - log_base.value,
            error: error_of_difference(log_ppl.error, log_base.error, covariance),
        };
        let (ppl, ppl_base) = (log_ppl.exp(), log_base.exp());
        Summary {
            n_scored: self.nll.n,
            ppl,
            ppl_base,
            correlation: covariance / (log_ppl.error * log_base.error),
            log_ppl_ratio,
            ppl_ratio: log_ppl_ratio.exp(),
            ppl_difference: Estimate {
                value: ppl.value - ppl_base.value,
                error: error_of_difference(
                    ppl.error,
                    ppl_base.error,
                    ppl.value * ppl_base.value * covariance,
                ),
            },
            divergence: self.divergence.estimate(),
            probability_difference: self.difference.estimate(),
            probability_difference_rms: self.difference_squared.estimate().sqrt(),
            same_top: Estimate::share(self.n_same_top, self.nll.n),
        }
    }

    /// The divergences of all tokens, and the differences of the probabilities of the tokens that came.
    pub fn percentiles(&self) -> (Percentiles, Percentiles) {
        (Percentiles::new(self.divergences.clone()), Percentiles::new(self.differences.clone()))
    }

    fn add(&mut self, token: &Compared) {
        let (nll, base) = (f64::from(token.nll), f64::from(token.nll_base));
        self.nll.add(nll);
        self.nll_base.add(base);
        self.nll_products += nll * base;
        self.divergence.add(token.divergence);
        let difference = f64::from(token.difference);
        self.difference.add(difference);
        self.difference_squared.add(difference * difference);
        self.n_same_top += usize::from(token.same_top);
        self.divergences.push(token.divergence as f32);
        self.differences.push(token.difference);
    }
}

impl<R: Read> Judge for Divergence<R> {
    fn judge(&mut self, scored: Scored<'_>) -> Result<()> {
        let n_vocab = scored.n_vocab();
        self.base_rows.clear();
        for _ in scored.targets {
            self.base.read(&mut self.base_rows)?;
        }
        let base_rows = &self.base_rows;
        let compared = parallel(self.n_threads, scored.targets.len(), |i| {
            let row = Row::new(&scored.logits[i * n_vocab..][..n_vocab]);
            compare(&row, &base_rows[i * n_vocab..][..n_vocab], scored.targets[i])
        });
        for (i, token) in compared.iter().enumerate() {
            if token.nll.is_nan() {
                return Err(Error::NotANumber { position: scored.position + i });
            }
            self.add(token);
        }
        Ok(())
    }
}

fn compare(row: &Row<'_>, base: &[f32], target: u32) -> Compared {
    let log_total = row.max + row.log_sum as f32;
    let (mut top, mut top_log) = (0, f32::NEG_INFINITY);
    let mut divergence = 0.0;
    for (i, (&log_base, &logit)) in base.iter().zip(row.logits).enumerate() {
        if log_base > top_log {
            (top, top_log) = (i, log_base);
        }
        if log_base > NEGLIGIBLE {
            divergence += f64::from(log_base.exp() * (log_base - logit + log_total));
        }
    }
    let nll = log_total - row.logits[target as usize];
    let nll_base = -base[target as usize];
    let difference = (-nll).exp() - (-nll_base).exp();
    Compared { nll, nll_base, divergence, difference, same_top: row.top == top }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{BaseHeader, BaseWriter};

    /// A base of two windows of four tokens: one scored token each.
    fn base(rows: &[Vec<f32>]) -> BaseReader<std::io::Cursor<Vec<u8>>> {
        let header =
            BaseHeader { n_ctx: 4, n_vocab: 3, n_windows: rows.len(), tokens: vec![1; 4 * rows.len()] };
        let mut writer = BaseWriter::new(Vec::new(), &header).expect("memory takes it");
        for row in rows {
            writer.write(&BaseWriter::<Vec<u8>>::encode(&Row::new(row))).expect("memory takes it");
        }
        let file = writer.finish().expect("memory takes it");
        let n = file.len() as u64;
        BaseReader::new(std::io::Cursor::new(file), n).expect("a whole file")
    }

    #[test]
    fn a_model_does_not_diverge_from_itself() {
        let rows: Vec<Vec<f32>> = (0..20).map(|i| vec![1.0, i as f32 / 5.0, 3.0]).collect();
        let mut divergence = Divergence::new(base(&rows), 3, 2).expect("equal vocabularies");
        divergence
            .judge(Scored { logits: &rows.concat(), targets: &[1; 20], position: 0 })
            .expect("as many rows as records");
        let summary = divergence.summary();
        assert_eq!(summary.n_scored, 20);
        assert!(summary.divergence.value.abs() < 1e-4, "{summary:?}");
        assert!((summary.ppl_ratio.value - 1.0).abs() < 1e-4, "{summary:?}");
        assert_eq!(summary.same_top.value, 1.0);
        assert!((summary.correlation - 1.0).abs() < 1e-3, "{summary:?}");
    }

    #[test]
    fn divergence_is_that_of_the_definition() {
        let mut divergence = Divergence::new(base(&[vec![0.0, 2.0, 1.0]]), 3, 1).expect("equal vocabularies");
        let logits = [3.0, 1.0, 0.0];
        divergence.judge(Scored { logits: &logits, targets: &[1], position: 0 }).expect("one record");
        let (p, q) = (Row::new(&[0.0, 2.0, 1.0]), Row::new(&logits));
        let want: f64 = (0..3).map(|t| p.log_prob(t).exp() * (p.log_prob(t) - q.log_prob(t))).sum();
        let summary = divergence.summary();
        assert!((summary.divergence.value - want).abs() < 1e-3, "{summary:?} {want}");
        assert_eq!(summary.same_top.value, 0.0);
        assert!(Divergence::new(base(&[vec![0.0; 3]]), 4, 1).is_err());
    }
}
