//! What an answer turns out to be, in deltas as the APIs stream them, and the whole that they add up to.

use crate::ToolCall;

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    Content(String),
    Reasoning(String),
    /// Of the call number `index`: the first has the name (and the id, if the model gives one), the others more of
    /// the arguments. An id can come late.
    Call {
        index: usize,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub content: String,
    pub reasoning: String,
    pub tool_calls: Vec<ToolCall>,
    /// A call was begun and not understood, or not finished: its text is in `content`, or its arguments are cut.
    pub malformed: bool,
}

impl Answer {
    /// Adds a piece.
    pub fn apply(&mut self, delta: Delta) {
        match delta {
            Delta::Content(text) => self.content.push_str(&text),
            Delta::Reasoning(text) => self.reasoning.push_str(&text),
            Delta::Call { index, id, name, arguments } => {
                if self.tool_calls.len() <= index {
                    self.tool_calls.resize_with(index + 1, ToolCall::default);
                }
                let call = &mut self.tool_calls[index];
                if let Some(id) = id {
                    call.id = id;
                }
                if let Some(name) = name {
                    call.name = name;
                }
                call.arguments.push_str(&arguments);
            }
        }
    }
}

/// Collects deltas; white space at the borders of content and reasoning belongs to the format and is left out, but for
/// that between two stretches of content and the indent of the first line.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) deltas: Vec<Delta>,
    pub(super) malformed: bool,
    /// White space that is shown only if more text follows.
    held: String,
    /// White space around what interrupted the content.
    gap: String,
    /// What the text before was.
    last: Last,
    n_calls: usize,
    /// Of the call that is not over yet, to see at its end whether they are JSON.
    call_arguments: Option<String>,
    /// Some content was shown.
    pub(super) has_content: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Content,
    Reasoning,
}

impl Output {
    pub(super) fn content(&mut self, text: &str) {
        self.text(text, Last::Content);
    }

    pub(super) fn reasoning(&mut self, text: &str) {
        self.text(text, Last::Reasoning);
    }

    /// Text that could not be understood: nothing of it is left out.
    pub(super) fn broken(&mut self, text: &str) {
        self.malformed = true;
        if !text.is_empty() {
            let text = std::mem::take(&mut self.gap) + &std::mem::take(&mut self.held) + text;
            self.last = Last::Content;
            self.push_text(text, Last::Content);
        }
    }

    /// Text after the beginning of a call that was shown; white space alone is none.
    pub(super) fn broken_if_any(&mut self, text: &str) {
        if self.last == Last::Nothing && text.trim().is_empty() {
            self.held.push_str(text);
        } else if !text.is_empty() {
            self.broken(text);
        }
    }

    fn text(&mut self, text: &str, kind: Last) {
        let mut text = text;
        if self.last != kind {
            self.border();
            let start = text.trim_start();
            match kind {
                Last::Content => {
                    self.gap.push_str(&text[..text.len() - start.len()]);
                    if !start.is_empty() {
                        let gap = std::mem::take(&mut self.gap);
                        self.held = if self.has_content { gap } else { indent(&gap).to_owned() };
                    }
                }
                _ if !self.has_content => self.gap.clear(),
                _ => {}
            }
            text = start;
        }
        let shown = text.trim_end();
        if shown.is_empty() {
            self.held.push_str(text);
            return;
        }
        self.last = kind;
        let all = std::mem::take(&mut self.held) + shown;
        self.held.push_str(&text[shown.len()..]);
        self.push_text(all, kind);
    }

    fn push_text(&mut self, text: String, kind: Last) {
        match (self.deltas.last_mut(), kind) {
            (Some(Delta::Content(before)), Last::Content)
            | (Some(Delta::Reasoning(before)), Last::Reasoning) => {
                before.push_str(&text);
            }
            (_, Last::Reasoning) => self.deltas.push(Delta::Reasoning(text)),
            _ => self.deltas.push(Delta::Content(text)),
        }
        self.has_content |= kind == Last::Content;
    }

    /// A marker was here: white space before and after it is not text, unless content goes on.
    pub(super) fn border(&mut self) {
        let held = std::mem::take(&mut self.held);
        if self.last == Last::Content {
            self.gap = held;
        }
        self.last = Last::Nothing;
    }

    /// Another message begins: it is a paragraph of its own.
    pub(super) fn paragraph(&mut self) {
        self.border();
        if self.has_content && !self.gap.contains('\n') {
            self.gap.push_str("\n\n");
        }
    }

    /// The answer is over; the white space at its end is part of it.
    pub(super) fn finish(&mut self) {
        self.check_arguments();
        let held = std::mem::take(&mut self.held);
        if self.last != Last::Nothing && !held.is_empty() {
            self.push_text(held, self.last);
        }
    }

    pub(super) fn open_call(&mut self, name: String, id: Option<String>) {
        self.border();
        self.check_arguments();
        self.call_arguments = Some(String::new());
        self.deltas.push(Delta::Call { index: self.n_calls, id, name: Some(name), arguments: String::new() });
        self.n_calls += 1;
    }

    pub(super) fn arguments(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(all) = &mut self.call_arguments {
            all.push_str(text);
        }
        let at = self.n_calls.saturating_sub(1);
        match self.deltas.last_mut() {
            Some(Delta::Call { index, arguments, .. }) if *index == at => arguments.push_str(text),
            _ => {
                self.deltas.push(Delta::Call { index: at, id: None, name: None, arguments: text.to_owned() });
            }
        }
    }

    /// The last call is over: what a model wrote with balanced brackets may still be no JSON.
    fn check_arguments(&mut self) {
        let text = self.call_arguments.take();
        self.malformed |= text.is_some_and(|text| serde_json::from_str::<serde_json::Value>(&text).is_err());
    }

    pub(super) fn late_id(&mut self, new: String) {
        let at = self.n_calls.saturating_sub(1);
        match self.deltas.last_mut() {
            Some(Delta::Call { index, id, .. }) if *index == at => *id = Some(new),
            _ => self.deltas.push(Delta::Call {
                index: at,
                id: Some(new),
                name: None,
                arguments: String::new(),
            }),
        }
    }
}

/// Of white space before the first content, what is part of it: an indent. Many models begin with one space, which is
/// none.
fn indent(space: &str) -> &str {
    let of_line = space.rfind('\n').map_or(space, |at| &space[at + 1..]);
    if of_line == " " { "" } else { of_line }
}
