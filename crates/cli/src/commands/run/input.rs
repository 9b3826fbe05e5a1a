//! Where a person's turns come from: a terminal with a line editor, or lines of a pipe or of a terminal that can do no more.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result};
use reedline::{
    EditCommand, Emacs, KeyCode, KeyModifiers, Prompt, PromptEditMode, PromptHistorySearch, Reedline,
    ReedlineEvent, Signal, ValidationResult, Validator, default_emacs_keybindings,
};

use crate::{output, terminal, text_file};

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

pub(super) struct Input {
    /// None where turns are lines.
    editor: Option<Box<Reedline>>,
    /// Whether a person sees what stands in front of a line.
    is_marked: bool,
    ends: Ends,
}

/// What ends a turn.
#[derive(Clone, Copy)]
enum Ends {
    /// The end of a line, unless triple quotes are open.
    Line,
    /// A backslash at the end of a line.
    Backslash,
}

impl Input {
    pub(super) fn new(is_multiline: bool) -> Self {
        let ends = if is_multiline { Ends::Backslash } else { Ends::Line };
        let is_marked = io::stdin().is_terminal() && io::stderr().is_terminal();
        // The editor asks on standard output where the cursor is, and draws on standard error.
        if !(is_marked && io::stdout().is_terminal() && terminal::is_capable()) {
            return Self { editor: None, is_marked, ends };
        }
        #[cfg(unix)]
        terminal::modes::end_with_terminal();
        let mut keys = default_emacs_keybindings();
        let newline = || ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline());
        keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('j'), newline());
        let editor = Reedline::create()
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_validator(Box::new(ends))
            .with_ansi_colors(terminal::is_coloured())
            .use_bracketed_paste(true);
        Self { editor: Some(Box::new(editor)), is_marked, ends }
    }

    /// While it lives, what is typed waits for the line editor.
    #[cfg(unix)]
    pub(super) fn quiet(&self) -> Option<terminal::modes::Quiet> {
        self.editor.as_ref().and_then(|_| terminal::modes::quiet())
    }

    /// The next turn; none at the end of the input.
    pub(super) fn read(&mut self) -> Result<Option<Turn>> {
        let text = match &mut self.editor {
            None => return lines(self.ends, self.is_marked),
            Some(editor) => loop {
                match editor.read_line(&Mark).context("cannot read the terminal")? {
                    Signal::Success(text) => break text,
                    // It clears the line; there is no answer to stop.
                    Signal::CtrlC => {}
                    Signal::CtrlD => return Ok(None),
                    _ => {}
                }
            },
        };
        Ok(Some(typed(&text, self.ends)))
    }
}

fn lines(ends: Ends, is_marked: bool) -> Result<Option<Turn>> {
    let mut text = String::new();
    loop {
        if is_marked {
            output::ask(if text.is_empty() { "> " } else { ". " });
        }
        let mut line = Vec::new();
        let n = io::stdin().lock().read_until(b'\n', &mut line).context("standard input")?;
        if n == 0 && text.is_empty() {
            if is_marked {
                output::ask("\n");
            }
            return Ok(None);
        }
        text += text_file::text(line).context("standard input")?.trim_end_matches(['\n', '\r']);
        // What a program writes is taken as it is, what a person types as in the editor.
        if is_marked && (n == 0 || !ends.is_open(&text)) {
            return Ok(Some(typed(&text, ends)));
        }
        if !is_marked && (n == 0 || ends.is_whole(&text)) {
            return Ok(Some(Turn::new(ends.without_mark(&text))));
        }
        text.push('\n');
    }
}

/// A text between triple quotes may have many lines, and is never a command.
const QUOTES: &str = "\"\"\"";

fn typed(text: &str, ends: Ends) -> Turn {
    let text = ends.without_mark(text.trim()).trim();
    match text.strip_prefix(QUOTES) {
        Some(inside) => {
            Turn::Text(inside.strip_suffix(QUOTES).unwrap_or(inside).trim_matches('\n').to_owned())
        }
        None => Turn::new(text),
    }
}

impl Ends {
    /// Whether the turn is over after these lines. A command is always one line.
    fn is_whole(self, text: &str) -> bool {
        match self {
            Self::Line => true,
            Self::Backslash => text.starts_with('/') || text.ends_with('\\'),
        }
    }

    /// Whether a person goes on in the next line.
    fn is_open(self, text: &str) -> bool {
        match self {
            Self::Line => text.trim_start().strip_prefix(QUOTES).is_some_and(|rest| !rest.contains(QUOTES)),
            Self::Backslash => !self.is_whole(text),
        }
    }

    fn without_mark(self, text: &str) -> &str {
        match self {
            Self::Backslash if !text.starts_with('/') => text.strip_suffix('\\').unwrap_or(text),
            _ => text,
        }
    }
}

/// Decides whether Enter ends the turn or begins another line.
impl Validator for Ends {
    fn validate(&self, text: &str) -> ValidationResult {
        if self.is_open(text) { ValidationResult::Incomplete } else { ValidationResult::Complete }
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
            let complete = matches!(Ends::Line.validate(text), ValidationResult::Complete);
            assert_eq!(complete, is_complete, "{text:?}");
            assert_eq!(typed(text, Ends::Line), Turn::Text(want.to_owned()));
        };
        check("hello ", true, "hello");
        check("\"\"\"a", false, "a");
        check("\"\"\"\na\nb\n\"\"\"", true, "a\nb");
        check("say \"\"\"", true, "say \"\"\"");
        check("\"\"\"\n/* a */\n\"\"\"", true, "/* a */");
        assert_eq!(typed(" /save a b ", Ends::Line), Turn::Command("save a b".to_owned()));
    }

    #[test]
    fn a_backslash_ends_many_lines() {
        for (text, is_whole, want) in [
            ("a", false, Turn::Text("a".to_owned())),
            ("a\\", true, Turn::Text("a".to_owned())),
            ("a\\\nb\\", true, Turn::Text("a\\\nb".to_owned())),
            ("/help", true, Turn::Command("help".to_owned())),
        ] {
            assert_eq!(Ends::Backslash.is_whole(text), is_whole, "{text:?}");
            assert_eq!(typed(text, Ends::Backslash), want);
        }
    }
}
