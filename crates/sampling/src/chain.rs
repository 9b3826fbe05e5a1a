//! The samplers in their order, and the buffer they work on. It decides which samplers run, not what they do.

use crate::samplers::{Dist, Effect, Greedy, LogitBias, MirostatV1, MirostatV2, Temperature};
use crate::{Candidates, Draws, Error, Kind, Mirostat, Params, Sampler, TokenId, VocabInfo, scan};

/// Picks tokens for one sequence.
///
/// A clone has the same state (random generator, accepted tokens) and its own, empty, candidate buffer.
#[derive(Debug)]
pub struct Chain {
    samplers: Vec<Box<dyn Sampler>>,
    candidates: Candidates,
    n_tokens: usize,
    /// The chain is one argmax over untouched logits.
    is_bare_greedy: bool,
}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Self {
            samplers: self.samplers.clone(),
            candidates: Candidates::new(),
            n_tokens: self.n_tokens,
            is_bare_greedy: self.is_bare_greedy,
        }
    }
}

impl Chain {
    /// Builds the chain; samplers whose settings have no effect are left out.
    ///
    /// # Errors
    /// What [`Params::validate`] says; a token outside the vocabulary; a sampler that needs to know more of
    /// the vocabulary than `vocab` tells.
    pub fn new(params: &Params, vocab: &VocabInfo) -> Result<Self, Error> {
        params.validate()?;
        let (samplers, is_greedy) = build(params, vocab)?;
        let is_bare_greedy = is_greedy && samplers.len() == 1;
        Ok(Self { samplers, candidates: Candidates::new(), n_tokens: vocab.n_tokens, is_bare_greedy })
    }

    /// Picks the next token from the logits of the whole vocabulary. Does not accept it.
    ///
    /// # Errors
    /// [`Error::LogitCount`] for another vocabulary's logits; [`Error::BadLogit`] for NaN or +infinity, before
    /// anything is drawn; [`Error::NothingLeft`] when every token is ruled out.
    pub fn sample(&mut self, logits: &[f32]) -> Result<TokenId, Error> {
        if !self.is_bare_greedy {
            return self.sample_filtered(logits, |_| {});
        }
        self.check_count(logits)?;
        scan::check(logits)?;
        let best = scan::argmax(logits).ok_or(Error::NothingLeft)?;
        self.candidates.load_single(best as TokenId, logits[best]);
        Ok(best as TokenId)
    }

    /// Like [`Self::sample`], after `filter` has ruled out tokens (by -infinity or by dropping them), as a
    /// grammar does.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn sample_filtered(
        &mut self,
        logits: &[f32],
        filter: impl FnOnce(&mut Candidates),
    ) -> Result<TokenId, Error> {
        self.check_count(logits)?;
        self.candidates.load(logits)?;
        filter(&mut self.candidates);
        for sampler in &mut self.samplers {
            if self.candidates.is_empty() {
                return Err(Error::NothingLeft);
            }
            sampler.apply(&mut self.candidates);
        }
        match self.candidates.selected_logit() {
            Some(logit) if logit > f32::NEG_INFINITY => {}
            _ => return Err(Error::NothingLeft),
        }
        self.candidates.selected().ok_or(Error::NothingLeft)
    }

    /// Tells the samplers that `token` is part of the sequence now; prompt tokens too are told.
    pub fn accept(&mut self, token: TokenId) {
        for sampler in &mut self.samplers {
            sampler.accept(token);
        }
    }

    /// Forgets accepted tokens and starts the random sequence again.
    pub fn reset(&mut self) {
        for sampler in &mut self.samplers {
            sampler.reset();
        }
    }

    /// What the last [`Self::sample`] chose from: the tokens that survived, with logits and probabilities.
    pub fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    /// Names of the samplers that have an effect, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.samplers.iter().map(|sampler| sampler.name())
    }

    /// The seed in use; `None` when nothing is drawn.
    pub fn seed(&self) -> Option<u32> {
        self.samplers.iter().rev().find_map(|sampler| sampler.draws()).map(Draws::seed)
    }

    fn check_count(&self, logits: &[f32]) -> Result<(), Error> {
        if logits.len() == self.n_tokens {
            return Ok(());
        }
        Err(Error::LogitCount { expected: self.n_tokens, found: logits.len() })
    }
}

/// Samplers in order, the last of which selects; and whether that one is greedy.
type Built = (Vec<Box<dyn Sampler>>, bool);

fn build(params: &Params, vocab: &VocabInfo) -> Result<Built, Error> {
    let &Params { seed, mirostat_tau: tau, mirostat_eta: eta, .. } = params;
    let mut chain: Vec<_> = LogitBias::build(params, vocab)?.into_iter().collect();
    let last: Box<dyn Sampler> = match params.mirostat {
        Mirostat::Off => return build_in_order(chain, params, vocab),
        Mirostat::V1 => Box::new(MirostatV1::new(vocab.n_tokens, seed, tau, eta)),
        Mirostat::V2 => Box::new(MirostatV2::new(seed, tau, eta)),
    };
    let temperature = Temperature::new(params.temperature, 0.0, 1.0);
    chain.extend(temperature.map(|sampler| Box::new(sampler) as Box<dyn Sampler>));
    chain.push(last);
    Ok((chain, false))
}

fn build_in_order(
    mut chain: Vec<Box<dyn Sampler>>,
    params: &Params,
    vocab: &VocabInfo,
) -> Result<Built, Error> {
    let mut active = Vec::new();
    let mut last = None;
    for &kind in &params.order {
        match (kind.entry().build)(params, vocab)? {
            Some(sampler) if kind.entry().effect == Effect::Selects => last = Some(sampler),
            Some(sampler) => active.push((kind, sampler)),
            None => {}
        }
    }
    let n_needed = n_before_greedy(params, &active);
    let is_greedy = n_needed.is_some();
    let ordered = active.into_iter().map(|(_, sampler)| sampler);
    chain.extend(ordered.take(n_needed.unwrap_or(usize::MAX)));
    let last = if is_greedy { None } else { last };
    chain.push(match last {
        Some(last) => last,
        None if is_greedy => Box::new(Greedy),
        None => Box::new(Dist::new(params.seed)),
    });
    Ok((chain, is_greedy))
}

/// Where the outcome is certain to be the best token, the number of samplers that matter to which one that is.
fn n_before_greedy(params: &Params, active: &[(Kind, Box<dyn Sampler>)]) -> Option<usize> {
    let has_effect = |effect| move |(kind, _): &&(Kind, _)| kind.entry().effect == effect;
    let n = active.iter().take_while(has_effect(Effect::Reweighs)).count();
    let mut rest = active[n..]
        .iter()
        .skip_while(|(kind, _)| *kind != Kind::Temperature && kind.entry().effect == Effect::KeepsBest);
    let is_zero = params.temperature <= 0.0 && params.dynatemp_range <= 0.0;
    let (kind, _) = rest.next()?;
    (is_zero && *kind == Kind::Temperature).then_some(n)
}
