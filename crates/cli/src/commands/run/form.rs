//! What an answer is held to: a grammar or schema from the flags, and a limit on the thinking before it.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use chat::ThinkingTags;
use grammar::{Constraint, Thinking, Thoughts, Token, Vocabulary};
use tokenizer::{Encode, TokenAttr, TokenId, Tokenizer};

use super::constraint::constraint;
use crate::args::RunArgs;

pub(super) struct Form {
    constraint: Option<Box<dyn Constraint>>,
    /// Where something needs it.
    vocabulary: Option<Arc<Vocabulary>>,
    budget: Option<usize>,
    message: Vec<TokenId>,
}

impl Form {
    /// # Errors
    /// If the flags ask for what cannot be enforced. Nothing has been generated then.
    pub(super) fn open(args: &RunArgs, tokenizer: &Tokenizer) -> Result<Self> {
        let budget = usize::try_from(args.reasoning_budget).ok();
        let is_needed = budget.is_some() || args.grammar.is_any();
        let vocabulary = is_needed.then(|| vocabulary(tokenizer));
        let constraint = match &vocabulary {
            Some(vocabulary) => constraint(&args.grammar, tokenizer, vocabulary)?,
            None => None,
        };
        let message = args.reasoning_budget_message.as_deref().unwrap_or_default();
        let message = tokenizer.encode(message, Encode::default());
        Ok(Self { constraint, vocabulary, budget, message })
    }

    /// What holds for a text that is no answer.
    pub(super) fn of_text(&self) -> Option<Box<dyn Constraint>> {
        self.constraint.clone()
    }

    /// What holds for an answer of a model that marks its thinking so.
    ///
    /// # Errors
    /// If its thinking is to be limited, and nothing is known to mark it.
    pub(super) fn of_answer(
        &self,
        tags: Option<ThinkingTags<'_>>,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Box<dyn Constraint>>> {
        let Some(vocabulary) = &self.vocabulary else { return Ok(None) };
        if self.budget.is_none() && !tags.is_some_and(|tags| tags.is_open) {
            return Ok(self.of_text());
        }
        let tags = tags.context(
            "--reasoning-budget: this model's template shows no tags around thinking, so it cannot be limited; \
             leave the flag out",
        )?;
        let tokens = |text: &str| tokenizer.encode(text, Encode { add_special: false, parse_special: true });
        let thoughts = Thoughts {
            start: tokens(tags.start),
            end: tokens(tags.end),
            message: self.message.clone(),
            budget: self.budget,
            is_open: tags.is_open,
        };
        Ok(Some(Box::new(Thinking::new(self.constraint.clone(), vocabulary, thoughts))))
    }
}

fn vocabulary(tokenizer: &Tokenizer) -> Arc<Vocabulary> {
    let vocab = tokenizer.vocab();
    let tokens = (0..vocab.len() as TokenId).map(|id| Token {
        text: tokenizer.piece(id, true),
        is_control: vocab.attr(id).has(TokenAttr::CONTROL | TokenAttr::UNKNOWN),
    });
    Vocabulary::new(tokens, &vocab.eog_ids().collect::<Vec<_>>())
}
