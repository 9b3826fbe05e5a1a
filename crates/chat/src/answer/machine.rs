//! Reads an answer of a given layout as it arrives. What is not understood comes out as content.

use super::arguments::{self, Kind};
use super::input::{Found, Input, Start};
use super::json::{self, Progress, Step};
use super::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged};
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
    Value {
        key: String,
        is_streamed: bool,
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
        } else if is_call || !self.raw.is_empty() || !rest.is_empty() {
            let raw = std::mem::take(&mut self.raw);
            out.broken(&(raw + &rest));
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
            Found::Marker { before, which } => {
                let (text, marker) = (markers[which].0.len(), markers[which].1);
                out.content(input.take(before));
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
        let end = self.layout.thinking.as_ref().map_or("", |thinking| thinking.end.as_str());
        let (section, call) = self
            .layout
            .calls
            .as_ref()
            .map_or(("", ""), |calls| (calls.section.start.as_str(), calls.call.start.as_str()));
        match input.find(&[end, section, call]) {
            Found::Safe(0) => false,
            Found::Safe(n) => {
                out.reasoning(input.take(n));
                true
            }
            Found::Marker { before, which } => {
                out.reasoning(input.take(before));
                self.state = State::Text;
                if which == 0 {
                    let n = end.len();
                    input.take(n);
                    out.border();
                }
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

    fn list(&mut self, input: &mut Input, out: &mut Output) -> bool {
        if !self.skip_space(input) {
            return false;
        }
        match input.peek() {
            Some('[') if !self.raw.ends_with('[') => {
                self.take(input, 1);
                if !self.skip_space(input) {
                    return false;
                }
                true
            }
            Some('{') => {
                let in_list = self.raw.trim_end().ends_with(['[', ',']);
                self.begin();
                self.state = State::Object(json::Call::default(), in_list);
                true
            }
            _ => self.fail(out),
        }
    }

    fn begin(&mut self) {
        self.is_open = false;
        self.n_arguments = 0;
    }

    fn object(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let State::Object(mut call, in_list) = std::mem::replace(&mut self.state, State::Text) else {
            return false;
        };
        let Shape::Object(keys) = self.shape().clone() else { return self.fail(out) };
        let mut used = 0;
        let mut progress = Progress::Open;
        for c in input.rest().chars() {
            progress = call.step(c, &keys);
            if progress == Progress::Wrong {
                break;
            }
            used += c.len_utf8();
            if !self.is_open && (call.has_arguments || progress == Progress::Done) && call.name.is_some() {
                let name = call.name.clone().unwrap_or_default();
                if self.is_bare() && !self.tools.iter().any(|tool| tool.name == name) {
                    break;
                }
                out.open_call(name, call.id.take());
                self.is_open = true;
            }
            if progress == Progress::Done {
                break;
            }
        }
        if self.is_open {
            self.raw.clear();
            input.take(used);
            out.arguments(&std::mem::take(&mut call.arguments));
        } else {
            self.take(input, used);
            if call.name.is_some() && (call.has_arguments || progress == Progress::Done) {
                return self.fail(out);
            }
        }
        match progress {
            Progress::Wrong => self.fail(out),
            Progress::Open => {
                self.state = State::Object(call, in_list);
                false
            }
            Progress::Done => {
                if !call.has_arguments {
                    out.arguments("{}");
                }
                if let Some(id) = call.id.take() {
                    out.late_id(id);
                }
                self.done(in_list);
                true
            }
        }
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

    fn name(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Shape::Named(named) = self.shape().clone() else { return self.fail(out) };
        if !self.skip_space(input) {
            return false;
        }
        if named.id_before_name && !self.raw.ends_with(&named.before_name) {
            let Found::Marker { before, .. } = input.find(&[&named.before_name]) else {
                return input.rest().len() > 4096 && self.fail(out);
            };
            self.id = input.rest()[..before].trim().to_owned();
            self.take(input, before + named.before_name.len());
            if !self.skip_space(input) {
                return false;
            }
        }
        if !named.before_name.is_empty() && !self.raw.ends_with(&named.before_name) {
            match input.next_is(&[&named.before_name]) {
                Start::Maybe => return false,
                Start::With(_) => self.take(input, named.before_name.len()),
                Start::Without => return self.fail(out),
            }
            if !self.skip_space(input) {
                return false;
            }
        }
        let marks: Vec<&str> = named.after_name.iter().map(String::as_str).collect();
        let found = input.find(&marks);
        let (Found::Safe(before) | Found::Marker { before, .. }) = found;
        let name = input.rest()[..before].trim().to_owned();
        // A long or strange text is no name, even if its end is still to come.
        if before > 256 || name.contains(|c: char| !(c.is_alphanumeric() || "_-.:/ ".contains(c))) {
            return self.fail(out);
        }
        let Found::Marker { which, .. } = found else { return false };
        if name.is_empty() {
            return self.fail(out);
        }
        self.begin();
        let mark = marks[which];
        let is_end = self.layout.calls.as_ref().is_some_and(|calls| mark == calls.call.end);
        self.take(input, before + if is_end || named.keeps(mark) { 0 } else { mark.len() });
        self.name = name;
        self.state = State::Id;
        true
    }

    /// What may be between name and arguments.
    fn id(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Shape::Named(named) = self.shape().clone() else { return self.fail(out) };
        if !named.skip_until.is_empty() {
            let Found::Marker { before, .. } = input.find(&[&named.skip_until]) else {
                return input.rest().len() > 4096 && self.fail(out);
            };
            self.take(input, before + named.skip_until.len());
        }
        let mut id = Some(std::mem::take(&mut self.id)).filter(|id| !id.is_empty());
        if let Some(tags) = &named.id {
            match input.next_is(&[&tags.start]) {
                Start::Maybe => return false,
                Start::Without => {}
                Start::With(_) => {
                    let after = &input.rest()[tags.start.len()..];
                    let Some(end) = after.find(&tags.end) else { return false };
                    id = Some(after[..end].trim().to_owned());
                    self.take(input, tags.start.len() + end + tags.end.len());
                }
            }
        }
        let mut name = std::mem::take(&mut self.name);
        if named.name_in_id {
            id = Some(name.clone());
            let short = name.strip_prefix("functions.").unwrap_or(&name);
            name = short.rsplit_once(':').map_or(short, |(name, _)| name).to_owned();
        }
        if name.is_empty() || name.contains(' ') {
            return self.fail(out);
        }
        self.name = name;
        match &named.arguments {
            Arguments::Gemma | Arguments::Nested(_) => self.state = State::Whole,
            Arguments::Json => {
                self.open(id, out);
                self.state = State::Json(json::Value::default());
            }
            Arguments::Tagged(_) => {
                self.open(id, out);
                out.arguments("{");
                self.state = State::Argument;
            }
        }
        true
    }

    fn open(&mut self, id: Option<String>, out: &mut Output) {
        out.open_call(self.name.clone(), id.filter(|id| !id.is_empty()));
        self.is_open = true;
        self.raw.clear();
    }

    fn json(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let ends = self.ends();
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        let State::Json(mut value) = std::mem::replace(&mut self.state, State::Text) else { return false };
        if value.is_new() {
            let there = input.skip_space();
            let is_end = there && !matches!(input.peek(), Some('{'));
            match (there, is_end, input.next_is(&ends)) {
                (false, ..) | (_, true, Start::Maybe) => {
                    self.state = State::Json(value);
                    return false;
                }
                (_, true, Start::With(_)) => {
                    out.arguments("{}");
                    self.done(false);
                    return true;
                }
                (_, true, Start::Without) => return self.fail(out),
                _ => {}
            }
        }
        let mut used = 0;
        let mut step = Step::Inside;
        for c in input.rest().chars() {
            step = value.step(c);
            used += c.len_utf8();
            if step == Step::Last {
                break;
            }
        }
        out.arguments(input.take(used));
        if step == Step::Last {
            self.done(false);
            return true;
        }
        self.state = State::Json(value);
        false
    }

    /// Before an argument, or after the last.
    fn argument(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Some(tagged) = self.tagged() else { return self.fail(out) };
        if !input.skip_space() {
            return false;
        }
        let mut marks = vec![tagged.start.clone()];
        marks.extend(self.ends());
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        match input.next_is(&marks) {
            Start::Maybe => false,
            Start::With(0) => {
                input.take(marks[0].len());
                self.state = State::Key;
                true
            }
            Start::With(_) => {
                out.arguments("}");
                self.done(false);
                true
            }
            Start::Without => self.fail(out),
        }
    }

    fn key(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Some(tagged) = self.tagged() else { return self.fail(out) };
        let (first, second) = match &tagged.middle {
            Middle::Text(text) => (text.as_str(), ""),
            Middle::Span(first, second) => (first.as_str(), second.as_str()),
        };
        let Found::Marker { before, .. } = input.find(&[first]) else {
            return input.rest().len() > 4096 && self.fail(out);
        };
        let after = &input.rest()[before + first.len()..];
        let mut skip = 0;
        if !second.is_empty() {
            match after.find(second) {
                Some(at) => skip = at + second.len(),
                None => return after.len() > 4096 && self.fail(out),
            }
        }
        let strips = tagged.end.first().is_some_and(|end| end.starts_with('\n'));
        let value = &after[skip..];
        if strips && value.is_empty() && !input.is_finished {
            return false;
        }
        skip += usize::from(strips && value.starts_with('\n'));
        let key = input.rest()[..before].trim().to_owned();
        let n = before + first.len() + skip;
        input.take(n);
        if self.n_arguments > 0 {
            out.arguments(", ");
        }
        self.n_arguments += 1;
        out.arguments(&format!("{}: ", arguments::quoted(&key)));
        let is_streamed = arguments::kind(&self.tools, &self.name, &key) == Kind::Text;
        if is_streamed {
            out.arguments("\"");
        }
        self.state = State::Value { key, is_streamed };
        true
    }

    fn value(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Some(tagged) = self.tagged() else { return self.fail(out) };
        let State::Value { key, is_streamed } = &self.state else { return false };
        let ends: Vec<&str> = tagged.end.iter().map(String::as_str).collect();
        let inner = |text: &str| {
            let quoted = arguments::quoted(text);
            quoted[1..quoted.len() - 1].to_owned()
        };
        match input.find(&ends) {
            Found::Marker { before, which } => {
                let text = input.take(before);
                if *is_streamed {
                    out.arguments(&inner(text));
                    out.arguments("\"");
                } else {
                    out.arguments(&arguments::value(text, arguments::kind(&self.tools, &self.name, key)));
                }
                let n = ends[which].len();
                input.take(n);
                self.state = State::Argument;
                true
            }
            Found::Safe(n) if *is_streamed && n > 0 => {
                out.arguments(&inner(input.take(n)));
                true
            }
            Found::Safe(_) => false,
        }
    }

    /// A call, or all of a section, that is read at once when its end has come.
    fn whole(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let ends = self.ends();
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        let Found::Marker { before, .. } = input.find(&ends) else { return false };
        let text = input.rest()[..before].to_owned();
        let calls = match self.shape() {
            Shape::Python => arguments::python_calls(&text),
            Shape::Named(named) => {
                let arguments = match &named.arguments {
                    Arguments::Nested(prefix) => {
                        let kind = |key: &str| arguments::kind(&self.tools, &self.name, key);
                        arguments::nested_tags(&text, prefix, kind)
                    }
                    _ => arguments::gemma(&text),
                };
                arguments.map(|arguments| vec![(self.name.clone(), arguments)])
            }
            Shape::Object(_) => None,
        };
        let Some(calls) = calls else { return self.fail(out) };
        input.take(before);
        for (name, arguments) in calls {
            out.open_call(name, None);
            out.arguments(&arguments);
        }
        self.done(false);
        true
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

    fn tagged(&self) -> Option<Tagged> {
        match self.shape() {
            Shape::Named(Named { arguments: Arguments::Tagged(tagged), .. }) => Some(tagged.clone()),
            _ => None,
        }
    }

    /// What can come after the arguments.
    fn ends(&self) -> Vec<String> {
        let Some(calls) = &self.layout.calls else { return Vec::new() };
        let close = match &calls.shape {
            Shape::Named(named) => named.close.clone(),
            _ => String::new(),
        };
        [close, calls.call.end.clone(), calls.section.end.clone()]
            .into_iter()
            .filter(|end| !end.is_empty())
            .collect()
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
