//! What a template can express, found by rendering small conversations and looking for their words.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::engine::Engine;
use super::python::Moment;

/// What a template does with the parts of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Content that is a plain string is shown.
    pub string_content: bool,
    /// Content that is a list of typed parts is shown.
    pub typed_content: bool,
    /// System messages are shown.
    pub system: bool,
    /// Tools are declared to the model.
    pub tools: bool,
    /// Earlier calls of tools are shown.
    pub tool_calls: bool,
    /// More than one call in a message is shown.
    pub parallel_tool_calls: bool,
    /// Arguments of calls must be objects; else they are JSON text.
    pub object_arguments: bool,
    /// The fields of a message from which earlier reasoning is shown, best first.
    pub reasoning_fields: Vec<&'static str>,
    /// `enable_thinking` makes a difference.
    pub thinking_switch: bool,
    /// `reasoning_effort` makes a difference.
    pub reasoning_effort: bool,
}

/// A moment for probes: any would do.
const THEN: Moment = Moment { year: 2026, month: 1, day: 1, hour: 0, minute: 0, second: 0 };

const USER: &str = "zuserz";

pub(crate) struct Probe<'a> {
    pub(super) engine: &'a Engine,
    pub(super) bos: &'a str,
    pub(super) eos: &'a str,
    /// What is left for all probes of this template together: dozens of slow ones would take minutes.
    pub(super) time: &'a Mutex<Duration>,
}

impl Probe<'_> {
    pub(super) fn run(&self) -> Capabilities {
        let text = |role: &str, text: &str| json!({ "role": role, "content": text });
        let user = || text("user", USER);
        let parts = json!({ "role": "user", "content": [{ "type": "text", "text": USER }] });
        let typed = self.render(&json!([parts]), &[]).is_some_and(|out| {
            // A list that is printed as such is not understood.
            out.contains(USER) && !out.contains("'type'") && !out.contains("\"type\"")
        });
        let string_content = self.shows(&json!([user()]), &[], USER);
        let wrap = |text: &str| match string_content || !typed {
            true => json!(text),
            false => json!([{ "type": "text", "text": text }]),
        };
        let user = || json!({ "role": "user", "content": wrap(USER) });
        let system = json!([{ "role": "system", "content": wrap("zsystemz") }, user()]);
        let call = |name: &str, arguments: Json| json!({ "id": "abcdef123", "type": "function", "function": { "name": name, "arguments": arguments } });
        let calling = |calls: Json| {
            json!([user(), { "role": "assistant", "content": "", "tool_calls": calls },
                { "role": "tool", "tool_call_id": "abcdef123", "name": "zcallz", "content": wrap("zresultz") }])
        };
        let tools = [("tools", tools())];
        let with_object =
            self.render(&calling(json!([call("zcallz", json!({ "zkeyz": "zvaluez" }))])), &tools);
        let with_text =
            self.render(&calling(json!([call("zcallz", json!("{\"zkeyz\": \"zvaluez\"}"))])), &tools);
        // Printed by Python's rules or written as a JSON string means: not what the template expects.
        let object_fits =
            with_object.as_ref().is_some_and(|out| out.contains("zkeyz") && !out.contains("{'zkeyz'"));
        let text_fits =
            with_text.as_ref().is_some_and(|out| out.contains("zvaluez") && !out.contains("{\\\"zkeyz"));
        let tool_calls = [&with_object, &with_text]
            .into_iter()
            .flatten()
            .any(|out| out.contains("zcallz") && out.contains("zkeyz"));
        let object_arguments = object_fits || !text_fits;
        let both =
            [call("zcallz", arguments(object_arguments)), call("zothercallz", arguments(object_arguments))];
        Capabilities {
            typed_content: typed,
            string_content,
            system: self.shows(&system, &[], "zsystemz"),
            tools: self.shows(&json!([user()]), &tools, "ztoolz"),
            tool_calls,
            parallel_tool_calls: tool_calls && self.shows(&calling(json!(both)), &tools, "zothercallz"),
            object_arguments,
            reasoning_fields: self.reasoning_fields(&user()),
            thinking_switch: self.differ(&user(), "enable_thinking", [json!(true), json!(false)])
                || self.differ(&user(), "thinking", [json!(true), json!(false)]),
            reasoning_effort: self.differ(&user(), "reasoning_effort", [json!("low"), json!("high")]),
        }
    }

    /// Templates show reasoning after the last question, some only beside a call of a tool.
    fn reasoning_fields(&self, user: &Json) -> Vec<&'static str> {
        let is_shown = |field: &&str| {
            let answer = |content: &str| {
                let mut message = json!({ "role": "assistant", "content": content });
                message[*field] = json!("zthoughtz");
                message
            };
            let mut calling = answer("");
            calling["tool_calls"] = json!([{ "id": "abcdef123", "type": "function",
                "function": { "name": "zcallz", "arguments": { "zkeyz": "zvaluez" } } }]);
            let result =
                json!({ "role": "tool", "tool_call_id": "abcdef123", "name": "zcallz", "content": "z" });
            let tools = [("tools", tools())];
            self.shows(&json!([user, answer("zanswerz")]), &[], "zthoughtz")
                || self.shows(&json!([user, calling, result]), &tools, "zthoughtz")
        };
        ["reasoning_content", "thinking", "reasoning"].into_iter().filter(is_shown).collect()
    }

    fn differ(&self, user: &Json, name: &'static str, values: [Json; 2]) -> bool {
        let [a, b] = values.map(|value| self.render(&json!([user]), &[(name, value)]));
        a.is_some() && b.is_some() && a != b
    }

    fn shows(&self, messages: &Json, more: &[(&'static str, Json)], word: &str) -> bool {
        self.render(messages, more).is_some_and(|out| out.contains(word))
    }

    /// Nothing if the template fails, or the time for probes is used up.
    pub(crate) fn render(&self, messages: &Json, more: &[(&'static str, Json)]) -> Option<String> {
        let mut vars = Map::new();
        vars.insert("messages".to_owned(), messages.clone());
        vars.insert("bos_token".to_owned(), self.bos.into());
        vars.insert("eos_token".to_owned(), self.eos.into());
        vars.insert("add_generation_prompt".to_owned(), true.into());
        vars.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let mut left = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_zero() {
            return None;
        }
        let start = Instant::now();
        let text = self.engine.render_within(*left, Json::Object(vars), THEN);
        *left = left.saturating_sub(start.elapsed());
        text.ok()
    }
}

fn arguments(as_object: bool) -> Json {
    if as_object { json!({ "zkeyz": "zvaluez" }) } else { json!("{\"zkeyz\": \"zvaluez\"}") }
}

fn tools() -> Json {
    let key = json!({ "zkeyz": { "type": "string", "description": "d" } });
    json!([{ "type": "function", "function": {
        "name": "ztoolz",
        "description": "d",
        "parameters": { "type": "object", "properties": key, "required": ["zkeyz"] },
    } }])
}

#[cfg(test)]
mod tests {
    use crate::{Limits, Template};
    use std::time::Duration;

    #[test]
    fn all_probes_together_take_no_longer_than_a_rendering() {
        let limits = Limits { time: Duration::from_millis(50), fuel: 20_000_000, ..Limits::default() };
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        let template = Template::strict(source, &limits).expect("it compiles");
        assert!(!template.capabilities().system);
        assert!(template.probe_time.lock().expect("no panic").is_zero());
    }
}
