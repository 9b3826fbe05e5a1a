//! Runs a text through a model window by window and hands the logits that count to a judge.

use engine::{Context, Entry, Mode, SeqId, Wanted};

use crate::{Error, Result};

/// Logits of consecutive tokens of a window, and what really came next.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// `[n_vocab, targets.len()]`.
    pub logits: &'a [f32],
    pub targets: &'a [u32],
    /// Place in the text of the first target.
    pub position: usize,
}

impl Scored<'_> {
    pub fn n_vocab(&self) -> usize {
        self.logits.len() / self.targets.len().max(1)
    }
}

/// What becomes of the logits.
pub trait Judge {
    /// Takes the next rows, in the order of the text.
    fn judge(&mut self, scored: Scored<'_>) -> Result<()>;
}

/// How a text is cut into windows, and which tokens of a window count.
#[derive(Clone, Debug)]
pub struct Windows {
    /// Tokens of a window.
    pub n_ctx: usize,
    /// From the start of one window to the start of the next.
    step: usize,
    /// Tokens of a window whose prediction counts are the last of it, from this one on.
    first_target: usize,
    pub n_windows: usize,
    /// Windows computed at once, each a sequence.
    n_parallel: usize,
    /// Replaces the first token of every window.
    bos: Option<u32>,
}

/// A piece of a window's second half.
#[derive(Clone, Copy, Debug)]
struct Piece {
    window: usize,
    start: usize,
    len: usize,
}

impl Windows {
    /// The standard: windows side by side; of each, the second half counts. `n_batch` tokens are computed at once, as
    /// far as whole windows fit.
    ///
    /// # Errors
    /// If the text has less than two windows, or windows are too short.
    pub fn side_by_side(n_tokens: usize, n_ctx: usize, n_batch: usize, bos: Option<u32>) -> Result<Self> {
        const MIN: usize = 4;
        if n_ctx < MIN {
            return Err(Error::ContextTooSmall { n_ctx, min: MIN });
        }
        let needed = n_ctx.saturating_mul(2);
        if n_tokens < needed {
            return Err(Error::TextTooShort { needed, found: n_tokens, n_ctx });
        }
        Ok(Self {
            n_ctx,
            step: n_ctx,
            first_target: n_ctx / 2 + 1,
            n_windows: n_tokens / n_ctx,
            n_parallel: (n_batch / n_ctx).max(1),
            bos,
        })
    }

    /// Overlapping windows of `n_ctx` tokens, `stride` apart; of each, the last `stride` tokens count. No token is
    /// replaced: what is in front of a window is text.
    ///
    /// # Errors
    /// If the text is not longer than a window, or the stride not shorter.
    pub fn strided(n_tokens: usize, n_ctx: usize, stride: usize) -> Result<Self> {
        if stride == 0 || stride >= n_ctx {
            return Err(Error::StrideTooLong { stride, n_ctx });
        }
        if n_tokens <= n_ctx {
            return Err(Error::TextTooShort { needed: n_ctx + 1, found: n_tokens, n_ctx });
        }
        Ok(Self {
            n_ctx,
            step: stride,
            first_target: n_ctx - stride,
            n_windows: (n_tokens - n_ctx).div_ceil(stride),
            n_parallel: 1,
            bos: None,
        })
    }

    /// At most `n` windows.
    #[must_use]
    pub fn limit(self, n: usize) -> Self {
        Self { n_windows: self.n_windows.min(n), ..self }
    }

    /// Tokens of the sequences that are alive at once: what a context must have room for.
    pub fn n_alive(&self) -> usize {
        self.n_sequences() * self.n_ctx
    }

    /// Sequences that are alive at once.
    pub fn n_sequences(&self) -> usize {
        self.n_parallel.min(self.n_windows).max(1)
    }

    /// Place in the text where a window starts.
    pub fn start(&self, window: usize) -> usize {
        window * self.step
    }

    /// The tokens of a window whose logits count: each predicts the next.
    pub(crate) fn scored_rows(&self) -> std::ops::Range<usize> {
        self.first_target - 1..self.n_ctx - 1
    }

    /// Runs all windows; `done` hears of each finished window and has the judge.
    ///
    /// # Errors
    /// If the model or the judge fails, or `done` does.
    pub fn run<J: Judge, E: From<Error>>(
        &self,
        context: &mut Context,
        tokens: &[u32],
        judge: &mut J,
        mut done: impl FnMut(usize, &J) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = 0;
        while next < self.n_windows {
            let n = self.n_sequences().min(self.n_windows - next);
            let windows: Vec<Vec<u32>> = (next..next + n).map(|w| self.window(tokens, w)).collect();
            let sequences: Vec<SeqId> =
                windows.iter().map(|_| context.sequence()).collect::<Result<_, _>>().map_err(Error::from)?;
            let result = self.run_group(context, tokens, next, &windows, &sequences, judge, &mut done);
            sequences.into_iter().for_each(|seq| context.remove(seq));
            result?;
            next += n;
        }
        Ok(())
    }

    /// The tokens of a window.
    pub(crate) fn window(&self, tokens: &[u32], window: usize) -> Vec<u32> {
        let start = window * self.step;
        let mut window = tokens[start..start + self.n_ctx].to_vec();
        if let Some(bos) = self.bos {
            window[0] = bos;
        }
        window
    }

    #[expect(clippy::too_many_arguments, reason = "one call: the loop body of `run`, which owns all of it")]
    fn run_group<J: Judge, E: From<Error>>(
        &self,
        context: &mut Context,
        tokens: &[u32],
        first_window: usize,
        windows: &[Vec<u32>],
        sequences: &[SeqId],
        judge: &mut J,
        done: &mut impl FnMut(usize, &J) -> Result<(), E>,
    ) -> Result<(), E> {
        // The logits of the token before the first target are the first that count.
        let first_row = self.first_target - 1;
        let heads: Vec<_> = windows
            .iter()
            .zip(sequences)
            .map(|(window, &seq)| Entry { seq, tokens: &window[..first_row], wanted: Wanted::None })
            .collect();
        context.decode(Mode::Logits, &heads).map_err(Error::from)?;
        for group in self.pieces(windows.len(), context.config().n_ubatch) {
            let entry = |p: &Piece| Entry {
                seq: sequences[p.window],
                tokens: &windows[p.window][p.start..p.start + p.len],
                wanted: Wanted::All,
            };
            let entries: Vec<_> = group.iter().map(entry).collect();
            let mut logits = context.decode(Mode::Logits, &entries).map_err(Error::from)?.data();
            let n_vocab = logits.len() / group.iter().map(|p| p.len).sum::<usize>().max(1);
            for piece in group {
                let (rows, rest) = logits.split_at(piece.len * n_vocab);
                logits = rest;
                let window = first_window + piece.window;
                let position = window * self.step + piece.start + 1;
                let targets = &tokens[position..position + piece.len];
                judge.judge(Scored { logits: rows, targets, position })?;
                if piece.start + piece.len == self.n_ctx - 1 {
                    done(window, judge)?;
                }
            }
        }
        Ok(())
    }

    /// What counts of `n` windows, in groups that fit one step of the model: so no more logits than those of one step
    /// are held at a time. The last token of a window predicts nothing that counts and is left out.
    fn pieces(&self, n: usize, n_ubatch: usize) -> Vec<Vec<Piece>> {
        let mut groups: Vec<Vec<Piece>> = Vec::new();
        let mut room = 0;
        for window in 0..n {
            let (mut start, end) = (self.first_target - 1, self.n_ctx - 1);
            while start < end {
                let left = end - start;
                if room < left.min(n_ubatch) {
                    groups.push(Vec::new());
                    room = n_ubatch;
                }
                let len = left.min(room);
                groups.last_mut().expect("just made").push(Piece { window, start, len });
                start += len;
                room -= len;
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_in_one_piece_and_groups_fit_a_step() {
        for (n_ctx, n, n_ubatch) in [(512, 4, 512), (512, 3, 100), (64, 8, 512), (4, 2, 1), (1024, 1, 64)] {
            let windows =
                Windows::side_by_side(n_ctx * n.max(2), n_ctx, n_ctx * n, None).expect("long enough");
            let groups = windows.pieces(n, n_ubatch);
            for group in &groups {
                assert!(group.iter().map(|p| p.len).sum::<usize>() <= n_ubatch);
            }
            let all: Vec<_> = groups
                .iter()
                .flatten()
                .flat_map(|p| (p.start..p.start + p.len).map(|t| (p.window, t)))
                .collect();
            let want: Vec<_> = (0..n).flat_map(|w| (n_ctx / 2..n_ctx - 1).map(move |t| (w, t))).collect();
            assert_eq!(all, want, "{n_ctx} {n} {n_ubatch}");
        }
    }

    #[test]
    fn texts_that_are_too_short_are_named() {
        for (result, want) in [
            (Windows::side_by_side(1023, 512, 2048, None), "1024 tokens are needed"),
            (Windows::side_by_side(1023, 2, 2048, None), "no second half"),
            (Windows::strided(512, 512, 256), "513 tokens are needed"),
            (Windows::strided(5120, 512, 512), "more than 512 tokens"),
            (Windows::strided(5120, 512, 0), "a stride of 0"),
        ] {
            let error = result.expect_err("too short").to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
