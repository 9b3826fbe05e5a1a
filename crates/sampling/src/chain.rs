//! The samplers in their order, and the buffer they work on. It decides which samplers run, not what they do.

use crate::samplers::{Dist, Effect, Greedy, LogitBias, MirostatV1, MirostatV2, Temperature};
use crate::{
    Candidates, Constraint, Draws, Error, Kind, Mirostat, Params, Sampler, TokenId, VocabInfo, scan,
};

/// Picks tokens for one sequence.
///
/// A clone has the same state (random generator, accepted tokens, constraint) and its own, empty, candidate buffer.
#[derive(Debug)]
pub struct Chain {
    samplers: Vec<Box<dyn Sampler>>,
    candidates: Candidates,
    n_tokens: usize,
    /// The chain is one argmax over untouched logits.
    is_bare_greedy: bool,
    constraint: Option<Box<dyn Constraint>>,
    n_free: usize,
}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Self {
            samplers: self.samplers.clone(),
            candidates: Candidates::new(),
            n_tokens: self.n_tokens,
            is_bare_greedy: self.is_bare_greedy,
            constraint: self.constraint.clone(),
            n_free: self.n_free,
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
        let (candidates, n_tokens) = (Candidates::new(), vocab.n_tokens);
        Ok(Self { samplers, candidates, n_tokens, is_bare_greedy, constraint: None, n_free: 0 })
    }

    /// Lets only what `constraint` allows be picked from here on.
    pub fn constrain(&mut self, constraint: Box<dyn Constraint>) {
        self.constraint = Some(constraint);
    }

    /// Takes off what constrains the chain, to ask for its mask beside the forward pass; [`Self::constrain`] puts it
    /// back before the next token is picked.
    pub fn take_constraint(&mut self) -> Option<Box<dyn Constraint>> {
        self.constraint.take()
    }

    /// Tokens in a row that were picked freely and allowed by the constraint: after many, its next mask is hardly
    /// needed.
    pub fn n_free(&self) -> usize {
        self.n_free
    }

    /// Picks the next token from the logits of the whole vocabulary. Does not accept it.
    ///
    /// Under a constraint it picks freely, and where the constraint refuses the token it picks again among those
    /// allowed, with fresh draws: as llama.cpp does, and the mask is not needed where the model keeps to the
    /// grammar by itself.
    ///
    /// # Errors
    /// [`Error::LogitCount`] for another vocabulary's logits; [`Error::BadLogit`] for NaN or +infinity, before
    /// anything is drawn; [`Error::NothingLeft`] when every token is ruled out; [`Error::Grammar`] when the
    /// constraint is at a dead end or takes too much.
    pub fn sample(&mut self, logits: &[f32]) -> Result<TokenId, Error> {
        let token = self.sample_freely(logits)?;
        let Some(constraint) = &mut self.constraint else { return Ok(token) };
        if constraint.allows(token)? {
            self.n_free += 1;
            return Ok(token);
        }
        self.n_free = 0;
        let Some(allowed) = constraint.mask()? else { return Ok(token) };
        let filter = |candidates: &mut Candidates| candidates.rule_out(|token| !allowed.contains(token));
        run(&mut self.samplers, &mut self.candidates, logits, filter)
    }

    fn sample_freely(&mut self, logits: &[f32]) -> Result<TokenId, Error> {
        if !self.is_bare_greedy {
            return self.sample_filtered(logits, |_| {});
        }
        self.check_count(logits)?;
        scan::check(logits)?;
        let best = scan::argmax(logits).ok_or(Error::NothingLeft)?;
        self.candidates.load_single(best as TokenId, logits[best]);
        Ok(best as TokenId)
    }

    /// Like [`Self::sample`] without a constraint, after `filter` has ruled out tokens (by -infinity or by dropping
    /// them).
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn sample_filtered(
        &mut self,
        logits: &[f32],
        filter: impl FnOnce(&mut Candidates),
    ) -> Result<TokenId, Error> {
        self.check_count(logits)?;
        run(&mut self.samplers, &mut self.candidates, logits, filter)
    }

    /// Tells the samplers of a token of the prompt. The constraint is not told: it is about the answer.
    pub fn accept_prompt(&mut self, token: TokenId) {
        for sampler in &mut self.samplers {
            sampler.accept(token);
        }
    }

    /// Tells constraint and samplers that `token`, a part of the answer, comes next.
    ///
    /// # Errors
    /// [`Error::Grammar`] when the constraint refuses it; nobody is told then.
    pub fn accept(&mut self, token: TokenId) -> Result<(), Error> {
        if let Some(constraint) = &mut self.constraint {
            constraint.accept(token)?;
        }
        self.accept_prompt(token);
        Ok(())
    }

    /// Forgets accepted tokens and starts the random sequence again.
    ///
    /// # Errors
    /// [`Error::Grammar`] when the constraint's engine failed for good.
    pub fn reset(&mut self) -> Result<(), Error> {
        for sampler in &mut self.samplers {
            sampler.reset();
        }
        self.n_free = 0;
        self.constraint.as_mut().map_or(Ok(()), |constraint| Ok(constraint.reset()?))
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

/// Lets the samplers pick one of the candidates that `filter` leaves.
fn run(
    samplers: &mut [Box<dyn Sampler>],
    candidates: &mut Candidates,
    logits: &[f32],
    filter: impl FnOnce(&mut Candidates),
) -> Result<TokenId, Error> {
    candidates.load(logits)?;
    filter(candidates);
    for sampler in samplers {
        if candidates.is_empty() {
            return Err(Error::NothingLeft);
        }
        sampler.apply(candidates);
    }
    match candidates.selected_logit() {
        Some(logit) if logit > f32::NEG_INFINITY => {}
        _ => return Err(Error::NothingLeft),
    }
    candidates.selected().ok_or(Error::NothingLeft)
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
