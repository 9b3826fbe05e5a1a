//! Collects the squared inputs of every weight over a text: what an importance matrix is made of. Knows no file format.

use std::collections::BTreeMap;

use engine::{Context, Entry, Mode, Product, Wanted};

use crate::windows::{Judge, Scored, Windows};
use crate::{Error, Result};

/// Squared inputs of one weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Squares {
    /// Sums over all vectors, `[n_in, n_matrices]`.
    pub sums: Vec<f64>,
    /// Vectors summed: for each expert, or one number for a weight that is no expert's.
    pub counts: Vec<u64>,
}

/// Squared inputs by the name of the weight.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    squares: BTreeMap<String, Squares>,
}

/// Whether a weight is one of the many that importance matrices are made for; the output is only on request.
pub fn is_counted(name: &str, with_output: bool) -> bool {
    name.starts_with("blk.") || (with_output && name == "output.weight")
}

impl Collector {
    pub fn squares(&self) -> &BTreeMap<String, Squares> {
        &self.squares
    }

    fn add(&mut self, product: &Product<'_>) {
        let shape = product.weight.weight.shape;
        let n_in = shape.dim(0);
        let n_matrices = shape.dim(2);
        let squares = self.squares.entry(product.weight.name.clone()).or_insert_with(|| Squares {
            sums: vec![0.0; n_in * n_matrices],
            counts: vec![0; if product.experts.is_some() { n_matrices } else { 1 }],
        });
        let row_len = n_in * product.n_vectors;
        let rows = product.input.chunks_exact(row_len);
        match product.experts {
            Some(ids) => {
                let n_used = ids.len() / rows.len().max(1);
                for (row, ids) in rows.zip(ids.chunks_exact(n_used.max(1))) {
                    for (i, &expert) in ids.iter().enumerate() {
                        let vector = &row[i % product.n_vectors * n_in..][..n_in];
                        squares.counts[expert as usize] += 1;
                        add_squares(&mut squares.sums[expert as usize * n_in..][..n_in], vector);
                    }
                }
            }
            None => {
                let per_vector = product.has_matrix_per_vector;
                squares.counts[0] += (rows.len() * if per_vector { 1 } else { product.n_vectors }) as u64;
                for (i, vector) in rows.flat_map(|row| row.chunks_exact(n_in)).enumerate() {
                    let matrix = if per_vector { i % product.n_vectors } else { 0 };
                    add_squares(&mut squares.sums[matrix * n_in..][..n_in], vector);
                }
            }
        }
    }

    /// # Errors
    /// If a sum is no longer a number: the model computed garbage.
    fn check(&self) -> Result<()> {
        let bad = |(_, s): &(&String, &Squares)| s.sums.iter().any(|v| !v.is_finite());
        match self.squares.iter().find(bad) {
            Some((name, _)) => Err(Error::InputNotFinite { weight: name.clone() }),
            None => Ok(()),
        }
    }

    /// Runs all windows, whole. In `Mode::Logits` the judge gets what counts of each; `done` hears of each finished
    /// window. The context must [observe](Context::observe) the mode.
    ///
    /// # Errors
    /// If the model or the judge fails, or `done` does, or an input is not finite.
    pub fn run<J: Judge, E: From<Error>>(
        &mut self,
        context: &mut Context,
        mode: Mode,
        windows: &Windows,
        tokens: &[u32],
        judge: &mut J,
        mut done: impl FnMut(usize, &Self, &J) -> Result<(), E>,
    ) -> Result<(), E> {
        for window in 0..windows.n_windows {
            let seq = context.sequence().map_err(Error::from)?;
            let result = self.run_window(context, mode, windows, tokens, window, seq, judge);
            context.remove(seq);
            result?;
            self.check()?;
            done(window, self, judge)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one call: the loop body of `run`, which owns all of it")]
    fn run_window<J: Judge>(
        &mut self,
        context: &mut Context,
        mode: Mode,
        windows: &Windows,
        tokens: &[u32],
        window: usize,
        seq: engine::SeqId,
        judge: &mut J,
    ) -> Result<()> {
        let own = windows.window(tokens, window);
        let scored = windows.scored_rows();
        let mut start = 0;
        for piece in own.chunks(context.config().n_ubatch) {
            // All rows, as only then the last layer computes its products for all tokens.
            let entry = Entry { seq, tokens: piece, wanted: Wanted::All };
            let outputs = context.decode_observed(mode, &[entry], &mut |product| self.add(&product))?;
            let (from, to) = (scored.start.max(start), scored.end.min(start + piece.len()));
            if mode == Mode::Logits && from < to {
                let rows = (from - start) * outputs.width()..(to - start) * outputs.width();
                let position = windows.start(window) + from + 1;
                let targets = &tokens[position..position + to - from];
                judge.judge(Scored { logits: &outputs.data()[rows], targets, position })?;
            }
            start += piece.len();
        }
        Ok(())
    }
}

fn add_squares(sums: &mut [f64], vector: &[f32]) {
    for (sum, x) in sums.iter_mut().zip(vector) {
        *sum += f64::from(*x) * f64::from(*x);
    }
}
