//! One request on its way: what is known of it, and what a new token means for it. When it runs, and in which memory,
//! is for others to decide.

use std::sync::Arc;
use std::time::Instant;

use sampling::Chain;
use tokenizer::{Decode, Detokenizer, TokenId, Tokenizer};

use crate::answer::{Done, Finish, Logprobs, Outlet, Piece, Stats};
use crate::stop::StopStrings;
use crate::{Request, SeqId};

/// A request, its answer so far, and how far its memory is.
#[derive(Debug)]
pub(crate) struct Job {
    /// Prompt and answer.
    pub(super) tokens: Vec<TokenId>,
    /// Its memory, and how many of the tokens are in it.
    pub(super) seq: Option<SeqId>,
    pub(super) n_done: usize,
    pub(super) cache_scope: Option<u64>,
    pub(super) chain: Chain,
    tokenizer: Arc<Tokenizer>,
    text: Detokenizer<Arc<Tokenizer>>,
    stops: StopStrings,
    max_tokens: usize,
    n_ctx: usize,
    n_logprobs: Option<usize>,
    outlet: Outlet,
    stats: Stats,
    submitted: Instant,
    started: Option<Instant>,
    answered: Option<Instant>,
}

impl Job {
    /// `tokens` are those of the prompt.
    pub(crate) fn new(
        request: Request,
        mut tokens: Vec<TokenId>,
        mut chain: Chain,
        tokenizer: &Arc<Tokenizer>,
        n_ctx: usize,
        outlet: Outlet,
    ) -> Self {
        tokens.iter().for_each(|token| chain.accept_prompt(*token));
        let stats = Stats { n_prompt: tokens.len(), seed: chain.seed(), ..Stats::default() };
        let max_tokens = request.max_tokens.unwrap_or(usize::MAX);
        tokens.reserve_exact(max_tokens.min(n_ctx + 1 - tokens.len()));
        let decode = Decode { special: request.print_special, remove_special: false };
        Self {
            tokens,
            seq: None,
            n_done: 0,
            cache_scope: request.cache_scope,
            chain,
            text: Detokenizer::continuing(Arc::clone(tokenizer), decode),
            tokenizer: Arc::clone(tokenizer),
            stops: StopStrings::new(request.stop),
            max_tokens,
            n_ctx,
            n_logprobs: request.logprobs,
            outlet,
            stats,
            submitted: Instant::now(),
            started: None,
            answered: None,
        }
    }

    /// Tokens that are not in memory.
    pub(super) fn n_pending(&self) -> usize {
        self.tokens.len() - self.n_done
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.outlet.is_cancelled()
    }

    /// Whether the reader of the answer keeps up.
    pub(super) fn can_send(&self) -> bool {
        self.outlet.has_room()
    }

    /// It begins in a memory that has the first `n_reused` tokens already.
    pub(super) fn start(&mut self, seq: SeqId, n_reused: usize) {
        self.seq = Some(seq);
        self.n_done = n_reused;
        if self.started.is_none() {
            self.started = Some(Instant::now());
            self.stats.n_reused = n_reused;
        }
    }

    /// It loses its memory and has to begin again some time.
    pub(super) fn pause(&mut self) -> Option<SeqId> {
        self.n_done = 0;
        self.seq.take()
    }

    /// Picks the next token from the logits behind the last one. Returns how the answer ends, if it does.
    pub(super) fn advance(&mut self, logits: &[f32]) -> Option<Finish> {
        self.answered.get_or_insert_with(Instant::now);
        if self.max_tokens == 0 {
            return Some(Finish::Length);
        }
        let token = match self.chain.sample(logits) {
            Ok(token) => token,
            Err(error) => return Some(Finish::Failed(error.into())),
        };
        if let Err(error) = self.chain.accept(token) {
            return Some(Finish::Failed(error.into()));
        }
        self.tokens.push(token);
        self.stats.n_generated += 1;
        let logprobs = self.n_logprobs.map(|n| Logprobs::of(logits, token, n));
        let mut text = String::new();
        let stop = self.stops.push(self.text.push(token), &mut text).map(str::to_owned);
        self.outlet.send(Piece { text, token, logprobs });
        if let Some(stop) = stop {
            Some(Finish::StopString(stop))
        } else if self.tokenizer.vocab().is_eog(token) {
            Some(Finish::EndOfGeneration)
        } else if self.stats.n_generated == self.max_tokens {
            Some(Finish::Length)
        } else if self.tokens.len() > self.n_ctx {
            Some(Finish::ContextFull)
        } else {
            None
        }
    }

    /// Ends the answer.
    pub(super) fn finish(mut self, finish: Finish) {
        let mut text = String::new();
        if !matches!(finish, Finish::StopString(_)) {
            self.stops.push(self.text.finish(), &mut text);
            self.stops.finish(&mut text);
        }
        let now = Instant::now();
        let started = self.started.unwrap_or(now);
        let answered = self.answered.unwrap_or(now);
        self.stats.waited = started - self.submitted;
        self.stats.prompt_time = answered - started;
        self.stats.generate_time = now - answered;
        self.outlet.finish(Done { text, finish, stats: self.stats });
    }
}
