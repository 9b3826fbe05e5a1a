//! `infill`: decides in fill-in-the-middle between text and end, on candidates that are already few (after `top_k`
//! and `top_p`). After llama.cpp pull request 9896.

use super::{Effect, Entry};
use crate::{Candidates, Error, PieceFn, Sampler, TokenId, VocabInfo};

pub(super) const ENTRY: Entry = Entry {
    name: "infill",
    letter: 'i',
    aliases: &[],
    effect: Effect::MayDropBest,
    build: |_, vocab| Ok(Some(Box::new(Infill::new(vocab)?))),
};

/// Texts are compared in pairs, so only the likeliest are: beyond this, none could reach [`CERTAIN`] anyhow.
const N_COMPARED: usize = 512;
/// Least probability of a text token in the first cut.
const CERTAIN: f32 = 0.2;

/// Keeps few certain tokens, or the end.
#[derive(Debug, Clone)]
pub struct Infill {
    /// Sorted.
    eog: Vec<TokenId>,
    end: TokenId,
    pieces: PieceFn,
    /// Texts of the candidates, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    piece: Vec<u8>,
    probabilities: Vec<f32>,
}

impl Infill {
    /// # Errors
    /// [`Error::VocabLacks`] when the vocabulary has no end token or no texts.
    pub fn new(vocab: &VocabInfo) -> Result<Self, Error> {
        let lacks = |needs| Error::VocabLacks { sampler: ENTRY.name, needs };
        let mut eog = vocab.eog.clone();
        eog.sort_unstable();
        Ok(Self {
            eog,
            end: vocab.end.ok_or_else(|| lacks("an end-of-turn or end-of-sequence token"))?,
            pieces: vocab.pieces.clone().ok_or_else(|| lacks("the texts of tokens"))?,
            text: Vec::new(),
            ends: Vec::new(),
            piece: Vec::new(),
            probabilities: Vec::new(),
        })
    }

    fn is_eog(&self, token: TokenId) -> bool {
        self.eog.binary_search(&token).is_ok()
    }

    /// Reads the texts of the candidates.
    fn read_texts(&mut self, ids: &[TokenId]) {
        self.text.clear();
        self.ends.clear();
        for &id in ids {
            self.pieces.read(id, &mut self.piece);
            self.text.extend_from_slice(&self.piece);
            self.ends.push(self.text.len());
        }
    }

    fn text_of(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    /// Where one text begins another, gives the probability of both to the likelier. What is merged away is
    /// left with NaN, which passes no comparison.
    fn merge_prefixes(&mut self) {
        for short in 0..self.ends.len() {
            for long in 0..self.ends.len() {
                let (p_short, p_long) = (self.probabilities[short], self.probabilities[long]);
                if p_short.is_nan() {
                    break;
                }
                let is_prefix = !self.text_of(short).is_empty()
                    && self.text_of(long).starts_with(self.text_of(short));
                if short == long || p_long.is_nan() || !is_prefix {
                    continue;
                }
                let (into, from) = if p_long > p_short { (long, short) } else { (short, long) };
                self.probabilities[into] = p_short + p_long;
                self.probabilities[from] = f32::NAN;
            }
        }
    }

    /// Keeps the ends, and texts of at least `least`. Returns how many texts stay and their total with the ends.
    fn keep_likely(&mut self, candidates: &mut Candidates, least: f32) -> (usize, f32) {
        let (mut n_texts, mut total, mut index, mut n_kept) = (0, 0.0, 0, 0);
        candidates.retain(|id, _| {
            let p = self.probabilities[index];
            index += 1;
            let is_eog = self.is_eog(id);
            let keep = p >= least || (is_eog && !p.is_nan());
            if keep {
                n_texts += usize::from(!is_eog);
                total += p;
                self.probabilities[n_kept] = p;
                n_kept += 1;
            }
            keep
        });
        self.probabilities.truncate(n_kept);
        (n_texts, total)
    }
}

impl Sampler for Infill {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        candidates.sort();
        let distribution = candidates.distribution();
        if distribution.max == f32::NEG_INFINITY {
            return;
        }
        let probability = |logit: &f32| distribution.probability(*logit);
        let both = || candidates.ids().iter().zip(candidates.logits().iter().map(probability));
        let p_end: f32 = both().filter(|&(&id, _)| self.is_eog(id)).map(|(_, p)| p).sum();
        let p_text: f32 = both().filter(|&(&id, _)| !self.is_eog(id)).map(|(_, p)| p).sum();
        if 3.0 * p_end * candidates.len() as f32 > p_text {
            return candidates.retain(|id, _| self.is_eog(id));
        }

        candidates.truncate(N_COMPARED);
        self.probabilities.clear();
        self.probabilities.extend(candidates.logits().iter().map(probability));
        self.read_texts(candidates.ids());
        self.merge_prefixes();
        let (n_texts, total) = self.keep_likely(candidates, CERTAIN);
        if n_texts == 0 {
            return candidates.load_single(self.end, 1.0);
        }
        self.probabilities.iter_mut().for_each(|p| *p /= total);
        self.keep_likely(candidates, 1.0 / (n_texts + 1) as f32);
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
