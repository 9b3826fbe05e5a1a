//! `logit_bias`: adds a constant to the logits of given tokens, or forbids them. Always first in a chain.

use super::Built;
use crate::{Candidates, Error, Params, Sampler, TokenId, VocabInfo};

/// Adds biases.
#[derive(Debug, Clone)]
pub struct LogitBias {
    biases: Vec<(TokenId, f32)>,
}

impl LogitBias {
    /// Adds these biases; those of one token add up.
    pub fn new(mut biases: Vec<(TokenId, f32)>) -> Self {
        biases.sort_by_key(|&(token, _)| token);
        biases.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 += next.1;
            }
            same
        });
        Self { biases }
    }

    /// The user's biases, the tokens that the model forbids, and the ends of generation to be ignored.
    pub(crate) fn build(params: &Params, vocab: &VocabInfo) -> Built {
        let in_range = |token: TokenId| (token as usize) < vocab.n_tokens;
        let ended: &[TokenId] = if params.ignore_eos { &vocab.eog } else { &[] };
        if let Some(&(token, _)) = params.logit_bias.iter().find(|&&(token, _)| !in_range(token)) {
            return Err(Error::TokenOutOfRange { param: "logit_bias", token, n_tokens: vocab.n_tokens });
        }
        let forbidden = vocab.suppressed.iter().chain(ended).filter(|&&token| in_range(token));
        let forbidden = forbidden.map(|&token| (token, f32::NEG_INFINITY));
        let biases: Vec<_> = params.logit_bias.iter().copied().chain(forbidden).collect();
        Ok(if biases.is_empty() { None } else { Some(Box::new(Self::new(biases))) })
    }
}

impl Sampler for LogitBias {
    fn name(&self) -> &'static str {
        "logit_bias"
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        candidates.adjust(&self.biases, |bias, logit| logit + bias);
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
