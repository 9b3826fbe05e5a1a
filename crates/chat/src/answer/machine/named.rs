//! Calls whose name is outside their arguments, and the forms of arguments.

use super::{Machine, State};
use crate::answer::arguments::{self, Kind};
use crate::answer::input::{Found, Input, Start, TooFar};
use crate::answer::json::{self, Step};
use crate::answer::layout::{Arguments, Middle, Named, Shape, Tagged};
use crate::answer::output::Output;

impl Machine {
    pub(super) fn name(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Shape::Named(named) = self.shape().clone() else { return self.fail(out) };
        if !self.skip_space(input) {
            return false;
        }
        if named.id_before_name && !self.raw.ends_with(&named.before_name) {
            let before = match input.find_near(0, &[&named.before_name]) {
                Ok(Found::Marker { before, .. }) => before,
                Ok(Found::Safe(_)) => return false,
                Err(TooFar) => return self.fail(out),
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
        let Ok(found) = input.find_near(0, &marks) else { return self.fail(out) };
        let (Found::Safe(before) | Found::Marker { before, .. }) = found;
        let name = input.rest()[..before].trim().to_owned();
        // A strange text is no name, even if its end is still to come.
        if name.contains(|c: char| !(c.is_alphanumeric() || "_-.:/ ".contains(c))) {
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
    pub(super) fn id(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Shape::Named(named) = self.shape().clone() else { return self.fail(out) };
        if !named.skip_until.is_empty() {
            let before = match input.find_near(0, &[&named.skip_until]) {
                Ok(Found::Marker { before, .. }) => before,
                Ok(Found::Safe(_)) => return false,
                Err(TooFar) => return self.fail(out),
            };
            self.take(input, before + named.skip_until.len());
        }
        let mut id = Some(std::mem::take(&mut self.id)).filter(|id| !id.is_empty());
        if let Some(tags) = &named.id {
            match input.next_is(&[&tags.start]) {
                Start::Maybe => return false,
                Start::Without => {}
                Start::With(_) => {
                    let start = tags.start.len();
                    let end = match input.find_near(start, &[&tags.end]) {
                        Ok(Found::Marker { before, .. }) => before,
                        Ok(Found::Safe(_)) => return false,
                        Err(TooFar) => return self.fail(out),
                    };
                    id = Some(input.rest()[start..end].trim().to_owned());
                    self.take(input, end + tags.end.len());
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

    pub(super) fn open(&mut self, id: Option<String>, out: &mut Output) {
        out.open_call(self.name.clone(), id.filter(|id| !id.is_empty()));
        self.is_open = true;
        self.raw.clear();
    }

    pub(super) fn json(&mut self, input: &mut Input, out: &mut Output) -> bool {
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
    pub(super) fn argument(&mut self, input: &mut Input, out: &mut Output) -> bool {
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

    pub(super) fn key(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let Some(tagged) = self.tagged() else { return self.fail(out) };
        let (first, second) = match &tagged.middle {
            Middle::Text(text) => (text.as_str(), ""),
            Middle::Span(first, second) => (first.as_str(), second.as_str()),
        };
        let before = match input.find_near(0, &[first]) {
            Ok(Found::Marker { before, .. }) => before,
            Ok(Found::Safe(_)) => return false,
            Err(TooFar) => return self.fail(out),
        };
        let mut value_at = before + first.len();
        if !second.is_empty() {
            match input.find_near(value_at, &[second]) {
                Ok(Found::Marker { before, .. }) => value_at = before + second.len(),
                Ok(Found::Safe(_)) => return false,
                Err(TooFar) => return self.fail(out),
            }
        }
        let strips = tagged.end.first().is_some_and(|end| end.starts_with('\n'));
        let value = &input.rest()[value_at..];
        if strips && value.is_empty() && !input.is_finished {
            return false;
        }
        value_at += usize::from(strips && value.starts_with('\n'));
        let mut ends = tagged.end.clone();
        if tagged.has_cdata {
            const CDATA: &str = "<![CDATA[";
            if value.starts_with(CDATA) {
                value_at += CDATA.len();
                ends.iter_mut().for_each(|end| end.insert_str(0, "]]>"));
            } else if CDATA.starts_with(value) && !input.is_finished {
                return false;
            }
        }
        let key = input.rest()[..before].trim().to_owned();
        input.take(value_at);
        if self.n_arguments > 0 {
            out.arguments(", ");
        }
        self.n_arguments += 1;
        out.arguments(&format!("{}: ", arguments::quoted(&key)));
        let is_streamed = arguments::kind(&self.tools, &self.name, &key) == Kind::Text;
        if is_streamed {
            out.arguments("\"");
        }
        self.state = State::Value { key, ends, is_streamed, searched: 0 };
        true
    }

    pub(super) fn value(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let State::Value { key, ends, is_streamed, searched } = &mut self.state else { return false };
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        let inner = |text: &str| {
            let quoted = arguments::quoted(text);
            quoted[1..quoted.len() - 1].to_owned()
        };
        match input.find_from(*searched, &ends) {
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
            Found::Safe(n) => {
                *searched = if *is_streamed { 0 } else { n };
                false
            }
        }
    }

    /// A call, or all of a section, that is read at once when its end has come.
    pub(super) fn whole(&mut self, input: &mut Input, out: &mut Output) -> bool {
        let ends = self.ends();
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        let searched = self.no_end_before.saturating_sub(input.position());
        let found = input.find_from(searched, &ends);
        let (Found::Safe(before) | Found::Marker { before, .. }) = found;
        self.no_end_before = input.position() + before;
        if matches!(found, Found::Safe(_)) {
            return false;
        }
        let text = &input.rest()[..before];
        let calls = match self.shape() {
            Shape::Python => arguments::python_calls(text),
            Shape::Named(named) => {
                let arguments = match &named.arguments {
                    Arguments::Nested(prefix) => {
                        let kind = |key: &str| arguments::kind(&self.tools, &self.name, key);
                        arguments::nested_tags(text, prefix, kind)
                    }
                    _ => arguments::gemma(text),
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

    pub(super) fn tagged(&self) -> Option<Tagged> {
        match self.shape() {
            Shape::Named(Named { arguments: Arguments::Tagged(tagged), .. }) => Some(tagged.clone()),
            _ => None,
        }
    }

    /// What can come after the arguments.
    pub(super) fn ends(&self) -> Vec<String> {
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
}
