//! Log-probabilities of tokens, straight from the logits.

use tokenizer::TokenId;

use crate::answer::Logprobs;

impl Logprobs {
    /// Of `chosen`, and of the `n_top` most likely tokens. There is a logit for each token, none NaN.
    pub(crate) fn of(logits: &[f32], chosen: TokenId, n_top: usize) -> Self {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|&l| f64::from(l - max).exp()).sum();
        let log_sum = f64::from(max) + sum.ln();
        let logprob = |token: TokenId| (f64::from(logits[token as usize]) - log_sum) as f32;
        let better = |a: &TokenId, b: &TokenId| {
            logits[*b as usize].total_cmp(&logits[*a as usize]).then_with(|| a.cmp(b))
        };
        let mut tokens: Vec<TokenId> = (0..logits.len() as TokenId).collect();
        if n_top < tokens.len() {
            tokens.select_nth_unstable_by(n_top, better);
            tokens.truncate(n_top);
        }
        tokens.sort_unstable_by(better);
        Self { chosen: logprob(chosen), top: tokens.into_iter().map(|t| (t, logprob(t))).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_and_the_best_come_first() {
        let check = |logits: &[f32], n_top: usize, want: &[TokenId]| {
            let of = Logprobs::of(logits, 0, n_top);
            assert_eq!(of.top.iter().map(|t| t.0).collect::<Vec<_>>(), want, "{logits:?} {n_top}");
            let all = Logprobs::of(logits, 0, logits.len());
            let sum: f32 = all.top.iter().map(|t| t.1.exp()).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{logits:?}: {sum}");
        };
        check(&[0.0, 3.0, 1.0], 0, &[]);
        check(&[0.0, 3.0, 1.0], 2, &[1, 2]);
        check(&[500.0, 500.0, f32::NEG_INFINITY], 2, &[0, 1]);
        check(&[1.0, 2.0], 9, &[1, 0]);
        assert_eq!(Logprobs::of(&[2.0, 2.0], 1, 0).chosen, -(2.0_f32.ln()));
    }
}
