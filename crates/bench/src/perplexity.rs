//! Perplexity: the exponential of the mean negative log-likelihood.

use std::io::Write;

use crate::base::BaseWriter;
use crate::logits::{Row, parallel};
use crate::statistics::{Estimate, Moments};
use crate::windows::{Judge, Scored};
use crate::{Error, Result};

/// The running perplexity.
#[derive(Clone, Copy, Debug)]
pub struct Perplexity {
    n_threads: usize,
    nll: Moments,
}

impl Perplexity {
    /// Rows are judged by `n_threads` threads.
    pub fn new(n_threads: usize) -> Self {
        Self { n_threads, nll: Moments::default() }
    }

    pub fn estimate(&self) -> Estimate {
        self.log_estimate().exp()
    }

    /// Of the perplexity's logarithm.
    pub fn log_estimate(&self) -> Estimate {
        self.nll.estimate()
    }

    /// Tokens scored.
    pub fn n_scored(&self) -> usize {
        self.nll.n
    }

    fn add(&mut self, index: usize, position: usize, nll: f64) -> Result<()> {
        if nll.is_nan() {
            return Err(Error::NotANumber { position: position + index });
        }
        self.nll.add(nll);
        Ok(())
    }
}

impl Judge for Perplexity {
    fn judge(&mut self, scored: Scored<'_>) -> Result<()> {
        let n_vocab = scored.n_vocab();
        let nll = parallel(self.n_threads, scored.targets.len(), |i| {
            -Row::new(&scored.logits[i * n_vocab..][..n_vocab]).log_prob(scored.targets[i])
        });
        nll.into_iter().enumerate().try_for_each(|(i, nll)| self.add(i, scored.position, nll))
    }
}

/// The running perplexity of a base model whose log-probabilities are kept for later comparisons.
#[derive(Debug)]
pub struct SavedPerplexity<W> {
    pub perplexity: Perplexity,
    base: BaseWriter<W>,
}

impl<W: Write> SavedPerplexity<W> {
    pub fn new(n_threads: usize, base: BaseWriter<W>) -> Self {
        Self { perplexity: Perplexity::new(n_threads), base }
    }

    /// The file, once everything has been judged.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> Result<W> {
        self.base.finish()
    }
}

impl<W: Write> Judge for SavedPerplexity<W> {
    fn judge(&mut self, scored: Scored<'_>) -> Result<()> {
        let n_vocab = scored.n_vocab();
        let rows = parallel(self.perplexity.n_threads, scored.targets.len(), |i| {
            let row = Row::new(&scored.logits[i * n_vocab..][..n_vocab]);
            (-row.log_prob(scored.targets[i]), BaseWriter::<W>::encode(&row))
        });
        for (i, (nll, bytes)) in rows.into_iter().enumerate() {
            self.perplexity.add(i, scored.position, nll)?;
            self.base.write(&bytes)?;
        }
        Ok(())
    }
}
