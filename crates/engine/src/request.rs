//! What is asked of an engine.

use sampling::{Constraint, Params};
use tokenizer::{Encode, TokenId};

/// A prompt and how it is to be continued.
#[derive(Clone, Debug)]
pub struct Request {
    pub prompt: Prompt,
    pub sampling: Params,
    /// What the answer must keep to, from its first token.
    pub constraint: Option<Box<dyn Constraint>>,
    /// Most tokens of the answer; as many as the context holds if absent.
    pub max_tokens: Option<usize>,
    /// Strings that end the answer and are not part of it.
    pub stop: Vec<String>,
    /// Give the log-probability of each token, and of this many most likely ones in its place.
    pub logprobs: Option<usize>,
    /// Print special tokens by their text instead of hiding them.
    pub print_special: bool,
    /// What prompts have in common is computed once, within a scope: use one for each party that must not learn, by
    /// time or count, what another has asked. `None` neither uses nor leaves anything.
    pub cache_scope: Option<u64>,
}

/// What is continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    Text { text: String, encode: Encode },
    Tokens(Vec<TokenId>),
}

impl Request {
    /// A request with default settings.
    pub fn new(prompt: impl Into<Prompt>) -> Self {
        Self {
            prompt: prompt.into(),
            sampling: Params::default(),
            constraint: None,
            max_tokens: None,
            stop: Vec::new(),
            logprobs: None,
            print_special: false,
            cache_scope: Some(0),
        }
    }
}

impl Prompt {
    /// Text in which special tokens are meant as such, as a chat template renders it.
    pub fn rendered(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), encode: Encode { add_special: true, parse_special: true } }
    }
}

/// Plain text: the model's own start is added, special tokens in the text are only text.
impl From<&str> for Prompt {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// As for `&str`.
impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self::Text { text, encode: Encode { add_special: true, parse_special: false } }
    }
}

/// Tokens as they are, with nothing added.
impl From<Vec<TokenId>> for Prompt {
    fn from(tokens: Vec<TokenId>) -> Self {
        Self::Tokens(tokens)
    }
}
