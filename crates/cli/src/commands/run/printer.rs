//! Where answers appear: standard output, plain or laid out for a terminal.

use anyhow::Result;

use crate::output;
use crate::terminal::Markdown;

pub(super) struct Printer {
    markdown: Option<Markdown>,
}

impl Printer {
    /// The text as it is.
    pub(super) fn plain() -> Self {
        Self { markdown: None }
    }

    /// Markdown with colours.
    pub(super) fn markdown() -> Self {
        Self { markdown: Some(Markdown::new()) }
    }

    pub(super) fn push(&mut self, text: &str) -> Result<()> {
        match &mut self.markdown {
            None => output::emit(text),
            Some(markdown) => output::emit(&markdown.push(text)),
        }
    }

    /// The answer is over.
    pub(super) fn finish(&mut self) -> Result<()> {
        match &mut self.markdown {
            None => Ok(()),
            Some(markdown) => output::emit(&markdown.finish()),
        }
    }
}
