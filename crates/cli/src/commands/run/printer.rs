//! Where answers appear: standard output, plain or laid out for a terminal.

use anyhow::Result;

use crate::output;
use crate::terminal::{Markdown, style};

pub(super) struct Printer {
    markdown: Option<Markdown>,
    thinking: Thinking,
}

/// What is done with what a model thinks before it answers.
enum Thinking {
    Hidden,
    Shown { has_begun: bool },
}

impl Printer {
    /// The answer as it is, and nothing else.
    pub(super) fn plain() -> Self {
        Self { markdown: None, thinking: Thinking::Hidden }
    }

    /// Markdown with colours, thoughts dimmed.
    pub(super) fn terminal(shows_thinking: bool) -> Self {
        let thinking = if shows_thinking { Thinking::Shown { has_begun: false } } else { Thinking::Hidden };
        Self { markdown: Some(Markdown::new()), thinking }
    }

    pub(super) fn content(&mut self, text: &str) -> Result<()> {
        self.end_thinking()?;
        match &mut self.markdown {
            None => output::emit(text),
            Some(markdown) => output::emit(&markdown.push(text)),
        }
    }

    pub(super) fn thought(&mut self, text: &str) -> Result<()> {
        let Thinking::Shown { has_begun } = &mut self.thinking else {
            return Ok(());
        };
        let start = if std::mem::replace(has_begun, true) { "" } else { style::DIM };
        let shown: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
        output::emit(&format!("{start}{shown}"))
    }

    /// The answer is over.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.end_thinking()?;
        match &mut self.markdown {
            None => Ok(()),
            Some(markdown) => output::emit(&markdown.finish()),
        }
    }

    fn end_thinking(&mut self) -> Result<()> {
        if let Thinking::Shown { has_begun } = &mut self.thinking
            && std::mem::take(has_begun)
        {
            output::emit(&format!("{}\n\n", style::RESET))?;
        }
        Ok(())
    }
}
