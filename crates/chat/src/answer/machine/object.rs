//! Calls written as JSON objects, alone or in a list.

use super::{Machine, State};
use crate::answer::input::Input;
use crate::answer::json::{self, Progress};
use crate::answer::layout::Shape;
use crate::answer::output::Output;

impl Machine {
    pub(super) fn list(&mut self, input: &mut Input, out: &mut Output) -> bool {
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

    pub(super) fn object(&mut self, input: &mut Input, out: &mut Output) -> bool {
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
}
