//! Where a person's turns come from: a terminal with a line editor, or a pipe with a turn a line.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result};
use reedline::{
    EditCommand, Emacs, KeyCode, KeyModifiers, Prompt, PromptEditMode, PromptHistorySearch, Reedline,
    ReedlineEvent, Signal, ValidationResult, Validator, default_emacs_keybindings,
};

pub(super) enum Input {
    Terminal(Box<Reedline>),
    Pipe,
}

impl Input {
    pub(super) fn new() -> Self {
        if !io::stdin().is_terminal() {
            return Self::Pipe;
        }
        let mut keys = default_emacs_keybindings();
        let newline = || ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline());
        keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('j'), newline());
        let editor = Reedline::create()
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_validator(Box::new(OpenQuotes))
            .use_bracketed_paste(true);
        Self::Terminal(Box::new(editor))
    }

    /// The next turn; none at the end of the input.
    pub(super) fn read(&mut self) -> Result<Option<String>> {
        let text = match self {
            Self::Pipe => return pipe(),
            Self::Terminal(editor) => loop {
                match editor.read_line(&Turn).context("cannot read the terminal")? {
                    Signal::Success(text) => break text,
                    // It clears the line; there is no answer to stop.
                    Signal::CtrlC => {}
                    Signal::CtrlD => return Ok(None),
                    _ => {}
                }
            },
        };
        Ok(Some(unquoted(&text)))
    }
}

fn pipe() -> Result<Option<String>> {
    let mut line = String::new();
    let n = io::stdin().lock().read_line(&mut line).context("standard input is not UTF-8 text")?;
    Ok((n > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// A text between triple quotes may have many lines.
const QUOTES: &str = "\"\"\"";

fn unquoted(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix(QUOTES) {
        Some(inside) => inside.strip_suffix(QUOTES).unwrap_or(inside).trim_matches('\n').to_owned(),
        None => text.to_owned(),
    }
}

/// Enter starts another line while triple quotes are open.
struct OpenQuotes;

impl Validator for OpenQuotes {
    fn validate(&self, line: &str) -> ValidationResult {
        let is_open = line.trim_start().strip_prefix(QUOTES).is_some_and(|rest| !rest.contains(QUOTES));
        if is_open { ValidationResult::Incomplete } else { ValidationResult::Complete }
    }
}

/// What stands in front of a turn.
struct Turn;

impl Prompt for Turn {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        ". ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("(search: {}) ", search.term).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_lines_together() {
        let check = |typed: &str, is_complete: bool, want: &str| {
            assert_eq!(
                matches!(OpenQuotes.validate(typed), ValidationResult::Complete),
                is_complete,
                "{typed:?}"
            );
            assert_eq!(unquoted(typed), want);
        };
        check("hello ", true, "hello");
        check("\"\"\"a", false, "a");
        check("\"\"\"\na\nb\n\"\"\"", true, "a\nb");
        check("say \"\"\"", true, "say \"\"\"");
    }
}
