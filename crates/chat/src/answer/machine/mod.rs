//! Reads an answer of a given layout as it arrives. What is not understood comes out as content.

mod named;
mod object;

use super::input::{Found, Input, Start};
use super::json;
use super::layout::{Calls, Layout, Shape};
use super::output::Output;
use crate::Tool;

#[derive(Debug)]
pub(super) struct Machine {
    layout: Layout,
    tools: Vec<Tool>,
    state: State,
    in_section: bool,
    /// What was consumed of a call that nothing was shown of yet.
    raw: String,
    /// Calls of this section that are done.
    n_done: usize,
    /// The call's name is out.
    is_open: bool,
    name: String,
    id: String,
    /// Arguments of the call so far.
    n_arguments: usize,
    /// No end of a call begins before this place of the answer: what is read whole is searched once, though several
    /// starts may have come before the end.
    no_end_before: usize,
}

#[derive(Debug)]
enum State {
    Text,
    Thinking,
    /// Between calls.
    Section,
    /// Within a JSON list of calls, before an item.
    List,
    Object(json::Call, bool),
    Name,
    Id,
    Json(json::Value),
    Argument,
    Key,
    /// No end of it begins in the first `searched` bytes.
    Value {
        key: String,
        ends: Vec<String>,
        is_streamed: bool,
        searched: usize,
    },
    Whole,
    /// After the arguments; the flag says that a JSON list goes on.
    Close(bool),
}

impl Machine {
    pub(super) fn new(layout: Layout, tools: &[Tool], is_thinking: bool) -> Self {
        let state = if is_thinking { State::Thinking } else { State::Text };
        Self {
            layout,
            tools: tools.to_vec(),
            state,
            in_section: false,
            raw: String::new(),
            n_done: 0,
            is_open: false,
            name: String::new(),
            id: String::new(),
            n_arguments: 0,
            no_end_before: 0,
        }
    }

    /// Reads all that can be told from what has come.
    pub(super) fn run(&mut self, input: &mut Input, out: &mut Output) {
        while self.step(input, out) {}
        if input.is_finished {
            self.finish(input, out);
        }
    }

    /// Text that is left when the answer ends within a call.
    fn finish(&mut self, input: &mut Input, out: &mut Output) {
        let all = input.rest().len();
        let rest = input.take(all).to_owned();
        let is_call = !matches!(self.state, State::Text | State::Thinking | State::Section | State::Close(_));
        if self.is_open {
            out.malformed |= is_call;
            out.broken_if_any(&rest);
        } else {
            let rest = std::mem::take(&mut self.raw) + &rest;
            // After a call, white space is no text.
            if is_call || !rest.trim().is_empty() {
                out.broken(&rest);
            }
        }
        self.state = State::Text;
        out.finish();
    }

    /// Whether something was read.
    fn step(&mut self, input: &mut Input, out: &mut Output) -> bool {
        match &self.state {
            State::Text => self.text(input, out),
            State::Thinking => self.thinking(input, out),
            State::Section => self.section(input, out),
            State::List => self.list(input, out),
            State::Object(..) => self.object(input, out),
            State::Name => self.name(input, out),
            State::Id => self.id(input, out),
            State::Json(_) => self.json(input, out),
            State::Argument => self.argument(input, out),
            State::Key => self.key(input, out),
            State::Value { .. } => self.value(input, out),
            State::Whole => self.whole(input, out),
            State::Close(_) => self.close(input, out),
        }
    }

    fn text(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Layout { thinking, dropped, calls } = &self.layout;
        let mut markers: Vec<(&str, Marker)> =
            dropped.iter().map(|text| (text.as_str(), Marker::Dropped)).collect();
        if let Some(thinking) = thinking {
            if thinking.repeats || !out.has_content {
                markers.push((&thinking.start, Marker::Think));
            }
            if !out.has_content {
                markers.push((&thinking.end, Marker::Dropped));
            }
        }
        if let Some(calls) = calls {
            markers.push((&calls.section.start, Marker::Section));
            markers.push((&calls.call.start, Marker::Call));
            let is_bare = calls.section.start.is_empty() && calls.call.start.is_empty();
            if is_bare && !out.has_content {
                if !input.skip_space() {
                    return false;
                }
                if matches!(input.peek(), Some('{' | '[')) {
                    self.state = State::Section;
                    return true;
                }
            }
        }
        let texts: Vec<&str> = markers.iter().map(|(text, _)| *text).collect();
        match input.find(&texts) {
            Found::Safe(0) => false,
            Found::Safe(n) => {
                out.content(input.take(n));
                true
            }
            // What the text before is decides what is a marker after it, however the answer was cut.
            Found::Marker { before, .. } if before > 0 => {
                out.content(input.take(before));
                true
            }
            Found::Marker { which, .. } => {
                let (text, marker) = (markers[which].0.len(), markers[which].1);
                self.raw.clear();
                self.take(input, text);
                self.enter(marker, out);
                true
            }
        }
    }

    fn enter(&mut self, marker: Marker, out: &mut Output) {
        self.is_open = false;
        match marker {
            // Where something was not understood, it may have been meant as text.
            Marker::Dropped if out.malformed => out.content(&std::mem::take(&mut self.raw)),
            Marker::Dropped => {
                self.raw.clear();
                out.border();
            }
            Marker::Think => {
                self.raw.clear();
                out.border();
                self.state = State::Thinking;
            }
            Marker::Section => {
                self.in_section = true;
                self.n_done = 0;
                self.state = State::Section;
            }
            Marker::Call => {
                self.n_done = 0;
                self.state = self.call_state();
            }
        }
    }

    /// How reading a call begins, after its start.
    fn call_state(&self) -> State {
        match self.shape() {
            Shape::Object(_) => State::List,
            Shape::Named(_) => State::Name,
            Shape::Python => State::Whole,
        }
    }

    fn thinking(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Some(thinking) = &self.layout.thinking else { return false };
        let mut marks = vec![thinking.end.as_str()];
        marks.extend(thinking.cut_by.iter().map(String::as_str));
        match input.find(&marks) {
            Found::Safe(0) => false,
            Found::Safe(n) => {
                out.reasoning(input.take(n));
                true
            }
            Found::Marker { before, which } => {
                out.reasoning(input.take(before));
                if which == 0 {
                    input.take(marks[0].len());
                    out.border();
                }
                self.state = State::Text;
                true
            }
        }
    }

    /// Before a call, or after the last.
    fn section(&mut self, input: &mut Input, out: &mut Output) -> bool {
        if !self.skip_space(input) {
            return false;
        }
        let Some(calls) = &self.layout.calls else { return self.fail(out) };
        let (start, end) = (calls.call.start.clone(), calls.section.end.clone());
        match input.next_is(&[&end, &start]) {
            Start::Maybe => false,
            Start::With(0) => {
                self.take(input, end.len());
                if self.n_done == 0 {
                    return self.fail(out);
                }
                self.leave(out);
                true
            }
            Start::With(_) => {
                self.take(input, start.len());
                self.state = self.call_state();
                true
            }
            Start::Without if start.is_empty() && self.n_done == 0 => {
                self.state = self.call_state();
                true
            }
            Start::Without => match (input.peek(), self.n_done) {
                (Some(',' | ';'), 1..) => {
                    self.take(input, 1);
                    true
                }
                (Some(_), 1..) => {
                    if start.is_empty() && !matches!(self.shape(), Shape::Python) && self.can_begin(input) {
                        self.state = self.call_state();
                    } else {
                        self.leave(out);
                    }
                    true
                }
                _ => self.fail(out),
            },
        }
    }

    /// Whether a call without a start could come next.
    fn can_begin(&self, input: &Input) -> bool {
        match self.shape() {
            Shape::Object(_) => matches!(input.peek(), Some('{' | '[')),
            Shape::Named(named) => {
                !named.before_name.is_empty() && input.next_is(&[&named.before_name]) == Start::With(0)
            }
            Shape::Python => false,
        }
    }

    fn leave(&mut self, out: &mut Output) {
        self.raw.clear();
        self.in_section = false;
        self.is_open = false;
        self.state = State::Text;
        out.border();
    }

    fn begin(&mut self) {
        self.is_open = false;
        self.n_arguments = 0;
    }

    fn is_bare(&self) -> bool {
        self.layout.calls.as_ref().is_some_and(Calls::is_bare)
    }

    fn done(&mut self, in_list: bool) {
        self.n_done += 1;
        self.is_open = false;
        self.raw.clear();
        self.state = State::Close(in_list);
    }

    fn close(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let State::Close(in_list) = self.state else { return false };
        if !self.skip_space(input) {
            return false;
        }
        if in_list {
            match input.peek() {
                Some(',') => {
                    self.take(input, 1);
                    self.state = State::List;
                }
                Some(']') => {
                    input.take(1);
                    self.state = State::Close(false);
                }
                _ => return self.fail(out),
            }
            return true;
        }
        let close = match self.shape() {
            Shape::Named(named) => named.close.clone(),
            _ => String::new(),
        };
        let end = self.layout.calls.as_ref().map(|calls| calls.call.end.clone()).unwrap_or_default();
        match input.next_is(&[&close, &end]) {
            Start::Maybe => return false,
            Start::With(0) => {
                input.take(close.len());
                return true;
            }
            Start::With(_) => {
                input.take(end.len());
            }
            Start::Without => {}
        }
        if self.in_section {
            self.state = State::Section;
        } else {
            self.leave(out);
        }
        true
    }

    /// Gives up on a call: what was not shown of it becomes content.
    fn fail(&mut self, out: &mut Output) -> bool {
        let raw = std::mem::take(&mut self.raw);
        if self.is_bare() && !self.is_open {
            // Without a marker it was no call to begin with.
            out.content(&raw);
        } else {
            out.broken(&raw);
        }
        self.is_open = false;
        self.in_section = false;
        self.state = State::Text;
        true
    }

    fn shape(&self) -> &Shape {
        self.layout.calls.as_ref().map_or(&Shape::Python, |calls| &calls.shape)
    }

    fn take(&mut self, input: &mut Input, bytes: usize) {
        self.raw.push_str(input.take(bytes));
    }

    fn skip_space(&mut self, input: &mut Input) -> bool {
        let rest = input.rest();
        let n = rest.len() - rest.trim_start().len();
        self.take(input, n);
        !input.rest().is_empty()
    }
}

#[derive(Clone, Copy, Debug)]
enum Marker {
    Dropped,
    Think,
    Section,
    Call,
}
