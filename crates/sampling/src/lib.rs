//! Samplers: from logits to the next token. One file a sampler, and the chain.
//!
//! [`Chain`] is what an engine uses: built once from [`Params`], fed with every accepted token, asked for the
//! next one. It knows no vocabulary text but through [`VocabInfo`], and no model; of grammars it knows that a
//! [`Constraint`] allows tokens, joined by [`Chain::constrain`].
//!
//! ```
//! use sampling::{Chain, Params, VocabInfo};
//!
//! let params = Params { seed: Some(42), top_k: 2, ..Params::default() };
//! let mut chain = Chain::new(&params, &VocabInfo::of_size(4))?;
//! let token = chain.sample(&[0.0, 3.0, 2.5, -1.0])?;
//! chain.accept(token)?;
//! assert!(token == 1 || token == 2);
//! # Ok::<(), sampling::Error>(())
//! ```
//!
//! With the same seed and the same logits the draws equal llama.cpp's (`std::mt19937` and the distributions of
//! libstdc++). Ties between equal logits go to the lower token id, which llama.cpp leaves unspecified.

mod candidates;
mod chain;
mod error;
mod params;
mod rng;
pub mod samplers;
mod scan;
mod vocab;

pub use candidates::{Candidates, Distribution};
pub use chain::Chain;
pub use error::Error;
pub use grammar::Constraint;
pub use params::{Mirostat, Params};
pub use rng::{Draws, Mt19937};
pub use samplers::{DEFAULT_BREAKERS, Kind, expand_breakers};
pub use vocab::{PieceFn, VocabInfo};

/// Index of a token in the vocabulary.
pub type TokenId = u32;

/// One step of a chain: reads and changes the candidates of one token, and may remember accepted tokens.
pub trait Sampler: Send + std::fmt::Debug {
    /// The name users know it by, e.g. `top-k`.
    fn name(&self) -> &'static str;

    /// Changes logits, drops candidates or selects one. There is at least one candidate, before and after.
    fn apply(&mut self, candidates: &mut Candidates);

    /// Takes note of a token that became part of the sequence, prompt tokens included.
    fn accept(&mut self, token: TokenId) {
        let _ = token;
    }

    /// Forgets accepted tokens and starts the random sequence again.
    fn reset(&mut self) {}

    /// The generator it draws from, if it draws.
    fn draws(&self) -> Option<&Draws> {
        None
    }

    /// A copy with all its state.
    fn boxed_clone(&self) -> Box<dyn Sampler>;
}

impl Clone for Box<dyn Sampler> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}
