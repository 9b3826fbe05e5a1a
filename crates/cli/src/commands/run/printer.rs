//! Where answers appear: standard output, plain or laid out for a terminal.

use anyhow::Result;
use chat::ToolCall;
use serde_json::{Value, json};

use crate::output;
use crate::terminal::{Markdown, style};

pub(super) struct Printer {
    markdown: Option<Markdown>,
    /// What was printed last ended a line, or nothing was.
    is_line_start: bool,
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
        Self { markdown: None, is_line_start: true, thinking: Thinking::Hidden }
    }

    /// Markdown with colours, thoughts dimmed.
    pub(super) fn terminal(shows_thinking: bool) -> Self {
        let thinking = if shows_thinking { Thinking::Shown { has_begun: false } } else { Thinking::Hidden };
        Self { markdown: Some(Markdown::new()), is_line_start: true, thinking }
    }

    pub(super) fn content(&mut self, text: &str) -> Result<()> {
        self.end_thinking()?;
        self.is_line_start = text.ends_with('\n');
        match &mut self.markdown {
            None => output::emit(text),
            Some(markdown) => output::emit_styled(&markdown.push(text)),
        }
    }

    pub(super) fn thought(&mut self, text: &str) -> Result<()> {
        let Thinking::Shown { has_begun } = &mut self.thinking else {
            return Ok(());
        };
        let start = if std::mem::replace(has_begun, true) { "" } else { style::DIM };
        let shown: String = text.chars().filter(|c| output::is_harmless(*c)).collect();
        output::emit_styled(&format!("{start}{shown}"))
    }

    /// The answer is over; it ends with these calls, each in a line of its own.
    pub(super) fn finish(&mut self, calls: &[ToolCall]) -> Result<()> {
        self.end_thinking()?;
        if let Some(markdown) = &mut self.markdown {
            output::emit_styled(&markdown.finish())?;
        }
        for call in calls {
            let start = if std::mem::replace(&mut self.is_line_start, false) { "" } else { "\n" };
            match self.markdown {
                None => output::emit(&format!("{start}{}", as_json(call)))?,
                Some(_) => {
                    let shown = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
                    let (name, arguments) = (shown(&call.name), shown(&call.arguments));
                    let (bold, reset) = (style::BOLD, style::RESET);
                    output::emit_styled(&format!("{start}call {bold}{name}{reset} {arguments}"))?;
                }
            }
        }
        Ok(())
    }

    fn end_thinking(&mut self) -> Result<()> {
        if let Thinking::Shown { has_begun } = &mut self.thinking
            && std::mem::take(has_begun)
        {
            output::emit_styled(&format!("{}\n\n", style::RESET))?;
        }
        Ok(())
    }
}

/// For programs: `{"name": .., "arguments": ..}`; arguments that are no JSON stay the text they are.
fn as_json(call: &ToolCall) -> Value {
    let arguments = serde_json::from_str(&call.arguments).unwrap_or_else(|_| call.arguments.as_str().into());
    let arguments: Value = arguments;
    json!({ "name": call.name, "arguments": arguments })
}
