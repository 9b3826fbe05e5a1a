//! Where a person's turns come from: a terminal with a line editor, or a pipe with a turn a line.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result};
use reedline::{
    EditCommand, Emacs, KeyCode, KeyModifiers, Prompt, PromptEditMode, PromptHistorySearch, Reedline,
    ReedlineEvent, Signal, ValidationResult, Validator, default_emacs_keybindings,
};

use crate::text_file;

/// What a person typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// For the program, without its slash.
    Command(String),
    /// For the model.
    Text(String),
}

impl Turn {
    fn new(line: &str) -> Self {
        match line.strip_prefix('/') {
            Some(command) => Self::Command(command.to_owned()),
            None => Self::Text(line.to_owned()),
        }
    }
}

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
    pub(super) fn read(&mut self) -> Result<Option<Turn>> {
        let text = match self {
            Self::Pipe => return pipe(),
            Self::Terminal(editor) => loop {
                match editor.read_line(&Mark).context("cannot read the terminal")? {
                    Signal::Success(text) => break text,
                    // It clears the line; there is no answer to stop.
                    Signal::CtrlC => {}
                    Signal::CtrlD => return Ok(None),
                    _ => {}
                }
            },
        };
        Ok(Some(typed(&text)))
    }
}

fn pipe() -> Result<Option<Turn>> {
    let mut line = Vec::new();
    let n = io::stdin().lock().read_until(b'\n', &mut line).context("standard input")?;
    let line = text_file::text(line).context("standard input")?;
    Ok((n > 0).then(|| Turn::new(line.trim_end_matches(['\n', '\r']))))
}

/// A text between triple quotes may have many lines, and is never a command.
const QUOTES: &str = "\"\"\"";

fn typed(text: &str) -> Turn {
    let text = text.trim();
    match text.strip_prefix(QUOTES) {
        Some(inside) => {
            Turn::Text(inside.strip_suffix(QUOTES).unwrap_or(inside).trim_matches('\n').to_owned())
        }
        None => Turn::new(text),
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
struct Mark;

impl Prompt for Mark {
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
        let check = |text: &str, is_complete: bool, want: &str| {
            let complete = matches!(OpenQuotes.validate(text), ValidationResult::Complete);
            assert_eq!(complete, is_complete, "{text:?}");
            assert_eq!(typed(text), Turn::Text(want.to_owned()));
        };
        check("hello ", true, "hello");
        check("\"\"\"a", false, "a");
        check("\"\"\"\na\nb\n\"\"\"", true, "a\nb");
        check("say \"\"\"", true, "say \"\"\"");
        check("\"\"\"\n/* a */\n\"\"\"", true, "/* a */");
        assert_eq!(typed(" /save a b "), Turn::Command("save a b".to_owned()));
    }
}
