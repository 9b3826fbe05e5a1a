//! Sequences of finished requests, kept for those that begin alike. Knows tokens, not memory.

use tokenizer::TokenId;

use crate::SeqId;

/// A sequence that nobody runs on.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) seq: SeqId,
    /// What it remembers.
    pub(super) tokens: Vec<TokenId>,
    pub(super) scope: u64,
    last_used: u64,
}

/// All idle sequences.
#[derive(Debug, Default)]
pub(super) struct IdleSequences {
    entries: Vec<Idle>,
    clock: u64,
}

impl IdleSequences {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn add(&mut self, seq: SeqId, tokens: Vec<TokenId>, scope: u64) {
        self.clock += 1;
        self.entries.push(Idle { seq, tokens, scope, last_used: self.clock });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Idle> {
        self.entries.iter()
    }

    /// Counts a use of the sequence, if it is idle.
    pub(super) fn touch(&mut self, seq: SeqId) {
        self.clock += 1;
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.seq == seq) {
            entry.last_used = self.clock;
        }
    }

    /// Takes the sequence out, if it is idle.
    pub(super) fn take(&mut self, seq: SeqId) -> Option<Idle> {
        let index = self.entries.iter().position(|entry| entry.seq == seq)?;
        Some(self.entries.swap_remove(index))
    }

    /// Takes out the least recently used, `except` one.
    pub(super) fn take_oldest(&mut self, except: Option<SeqId>) -> Option<SeqId> {
        let others = self.entries.iter().filter(|entry| Some(entry.seq) != except);
        let seq = others.min_by_key(|entry| entry.last_used)?.seq;
        self.take(seq).map(|entry| entry.seq)
    }
}

/// How many tokens two sequences have in common at the start.
pub(super) fn n_common(a: &[TokenId], b: &[TokenId]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
