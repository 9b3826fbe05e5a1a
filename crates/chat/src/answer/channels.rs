//! Answers made of messages with headers: who it is for decides whether a message is thinking, text or a call.

use super::input::{Found, Input, Start, TooFar};
use super::json::{Step, Value};
use super::layout::Layout;
use super::machine::Machine;
use super::output::Output;
use crate::Tool;

/// The form of such an answer.
#[derive(Clone, Debug)]
pub(super) struct Headers {
    /// Before a header.
    pub(super) start: &'static str,
    /// What a header can begin with; an answer that begins otherwise is text.
    pub(super) first: &'static [&'static str],
    /// Between header and message.
    pub(super) message: &'static str,
    /// After a message.
    pub(super) ends: &'static [&'static str],
    pub(super) role: fn(&str) -> Role,
    /// How messages with calls of their own form are read.
    pub(super) inner: Option<Layout>,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Reasoning,
    Content,
    /// The arguments of a call, as JSON.
    Call(String),
    /// Text with calls in it.
    Inner,
    Unknown,
}

#[derive(Debug)]
pub(super) struct Channels {
    headers: Headers,
    parses_calls: bool,
    splits_reasoning: bool,
    state: State,
    inner: Option<(Machine, Input)>,
}

#[derive(Debug)]
enum State {
    Header,
    Text(Role),
    Call(Value),
    /// After the arguments of a call.
    Rest,
}

impl Channels {
    pub(super) fn new(headers: Headers, tools: &[Tool], parses_calls: bool, splits_reasoning: bool) -> Self {
        let layout = headers.inner.clone().filter(|_| parses_calls);
        let inner = layout.map(|layout| (Machine::new(layout, tools, false), Input::default()));
        Self { headers, parses_calls, splits_reasoning, state: State::Header, inner }
    }

    pub(super) fn run(&mut self, input: &mut Input, out: &mut Output) {
        while self.step(input, out) {}
        if input.is_finished {
            self.end_inner(out);
            let all = input.rest().len();
            let rest = input.take(all).to_owned();
            out.malformed |= matches!(self.state, State::Call(_));
            out.broken_if_any(&rest);
            out.finish();
        }
    }

    fn step(&mut self, input: &mut Input, out: &mut Output) -> bool {
        match &mut self.state {
            State::Header => self.header(input, out),
            State::Call(_) => self.call(input, out),
            State::Text(_) | State::Rest => self.message(input, out),
        }
    }

    fn header(&mut self, input: &mut Input, out: &mut Output) -> bool {
        if input.rest().is_empty() {
            return false;
        }
        let Headers { start, first, message, .. } = self.headers;
        match input.next_is(&[start]) {
            Start::Maybe => return false,
            Start::With(_) => {
                input.take(start.len());
                return true;
            }
            Start::Without => {}
        }
        if !first.is_empty() {
            match input.next_is(first) {
                Start::Maybe => return false,
                Start::Without => {
                    self.state = State::Text(Role::Content);
                    return true;
                }
                Start::With(_) => {}
            }
        }
        match input.find_near(0, &[message, start]) {
            Err(TooFar) => {
                self.state = State::Text(Role::Unknown);
                true
            }
            Ok(Found::Safe(_)) => false,
            // A header that another one follows says nothing.
            Ok(Found::Marker { before, which: 1 }) => {
                input.take(before);
                true
            }
            Ok(Found::Marker { before, .. }) => {
                let text = input.take(before).to_owned();
                let role = (self.headers.role)(&text);
                let is_call = matches!(role, Role::Call(_) | Role::Inner);
                let role = if is_call && !self.parses_calls { Role::Content } else { role };
                let is_shown = role == Role::Reasoning && !self.splits_reasoning;
                if role == Role::Unknown {
                    out.broken(&text);
                } else {
                    input.take(message.len());
                }
                match role {
                    // Thoughts that stay in the content bring their own marks.
                    Role::Content if self.splits_reasoning => out.paragraph(),
                    _ => out.border(),
                }
                if is_shown {
                    out.content(&text);
                    out.content(message);
                }
                self.state = match role {
                    Role::Call(name) => {
                        out.open_call(name, None);
                        State::Call(Value::default())
                    }
                    role => State::Text(role),
                };
                true
            }
        }
    }

    fn message(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let mut marks = vec![self.headers.start];
        marks.extend(self.headers.ends);
        let found = input.find(&marks);
        let (Found::Safe(n) | Found::Marker { before: n, .. }) = found;
        let text = input.take(n);
        match &self.state {
            State::Text(Role::Reasoning) if self.splits_reasoning => out.reasoning(text),
            State::Text(Role::Reasoning) => out.content(text),
            State::Text(Role::Content | Role::Call(_)) => out.content(text),
            State::Text(Role::Inner) => match &mut self.inner {
                Some((machine, inner)) => {
                    inner.push(text);
                    machine.run(inner, out);
                }
                None => out.content(text),
            },
            State::Text(Role::Unknown) => out.broken(text),
            _ => out.broken_if_any(text),
        }
        match found {
            Found::Safe(_) => n > 0,
            Found::Marker { which, .. } => {
                if matches!(self.state, State::Text(Role::Inner)) {
                    self.end_inner(out);
                }
                let mark = input.take(marks[which].len());
                if matches!(self.state, State::Text(Role::Reasoning)) && !self.splits_reasoning {
                    out.content(mark);
                }
                out.border();
                self.state = State::Header;
                true
            }
        }
    }

    /// A message is over; the next one is read from the start.
    fn end_inner(&mut self, out: &mut Output) {
        if let Some((machine, inner)) = &mut self.inner {
            inner.is_finished = true;
            machine.run(inner, out);
            *inner = Input::default();
        }
    }

    fn call(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let State::Call(value) = &mut self.state else { return false };
        if value.is_new() {
            if !input.skip_space() {
                return false;
            }
            if input.peek() != Some('{') {
                out.malformed = true;
                self.state = State::Rest;
                return true;
            }
        }
        let mut used = 0;
        let mut is_done = false;
        for c in input.rest().chars() {
            used += c.len_utf8();
            is_done = value.step(c) == Step::Last;
            if is_done {
                break;
            }
        }
        out.arguments(input.take(used));
        if is_done {
            self.state = State::Rest;
        }
        is_done
    }
}
