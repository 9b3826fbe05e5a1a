//! Finds out how a model writes calls and thoughts from its template: small conversations are rendered, and what
//! stands around their words is the dialect.

use serde_json::{Value as Json, json};

use super::json::Keys;
use super::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags, Thinking};
use crate::Template;

const NAME: &str = "zfirstz";
const KEY: &str = "zkeyz";
const VALUE: &str = "zvaluez";
const OTHER_KEY: &str = "zlastz";
const OTHER_VALUE: &str = "zendz";
const ANSWER: &str = "zanswerz";
const THOUGHT: &str = "zthoughtz";
/// Some templates insist on nine letters and digits.
const ID: &str = "abcdef123";

/// Around text in the answers of some models, though their templates do not show it.
const WRAPPERS: [(&str, &str); 2] =
    [("<response>", "</response>"), ("<|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>")];

/// Tags of thinking that are looked for if no earlier thought is shown.
const KNOWN_TAGS: [(&str, &str); 7] = [
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|think|>", "<|/think|>"),
];

/// The layout of answers that this template shows.
pub(super) fn derive(template: &Template) -> Layout {
    let probes = Probes { template };
    let (mut thinking, mut dropped) = probes.thinking();
    let calls = probes.calls(thinking.as_ref());
    // Where no pair of tags is around thinking, the prompt opens it, and templates show a call without its end.
    if let (Some(thinking), Some(calls)) = (&mut thinking, &calls)
        && !is_pair(&thinking.start, &thinking.end)
    {
        thinking.cut_by = vec![calls.section.start.clone(), calls.call.start.clone()];
    }
    for (start, end) in WRAPPERS.into_iter().filter(|(start, _)| template.source().contains(start)) {
        dropped.extend(
            [start, end]
                .map(str::to_owned)
                .into_iter()
                .filter(|tag| !dropped.contains(tag))
                .collect::<Vec<_>>(),
        );
    }
    Layout { thinking, dropped, calls }
}

struct Probes<'a> {
    template: &'a Template,
}

impl Probes<'_> {
    /// What a template shows after the question if this is the answer; nothing if it fails or shows nothing else.
    fn answer(&self, message: &Json, other: &Json) -> Option<String> {
        let (text, other) = (self.render(message)?, self.render(other)?);
        let mut start = common_prefix(&text, &other);
        // Tags may begin and end alike: none is cut in two.
        if let Some(open) = text[..start].rfind('<').filter(|open| !text[*open..start].contains(['>', '\n']))
        {
            start = open;
        }
        let rest = &text[start..];
        let mut end = rest.len() - common_suffix(rest, &other[start..]);
        if rest[..end].rfind('<') > rest[..end].rfind('>') {
            end = rest[end..].find('>').map_or(end, |close| end + close + 1);
        }
        Some(rest[..end].to_owned())
    }

    fn render(&self, message: &Json) -> Option<String> {
        let declare = |name: &str| {
            let keys =
                [KEY, OTHER_KEY].map(|key| (key.to_owned(), json!({ "type": "string", "description": "d" })));
            json!({ "type": "function", "function": { "name": name, "description": "d",
                "parameters": { "type": "object", "properties": serde_json::Map::from_iter(keys) } } })
        };
        let tools = json!([declare(NAME)]);
        let user = json!({ "role": "user", "content": "zuserz" });
        let more = [("tools", tools), ("add_generation_prompt", json!(false))];
        self.template.probe().render(&json!([user, message]), &more)
    }

    fn call(&self, arguments: Json) -> Json {
        let arguments = match self.template.capabilities().object_arguments {
            true => arguments,
            false => arguments.to_string().into(),
        };
        json!({ "id": ID, "type": "function", "function": { "name": NAME, "arguments": arguments } })
    }

    fn thinking(&self) -> (Option<Thinking>, Vec<String>) {
        let plain = json!({ "role": "assistant", "content": ANSWER });
        for field in &self.template.capabilities().reasoning_fields {
            let mut thoughtful = plain.clone();
            thoughtful[*field] = THOUGHT.into();
            let Some(text) = self.render(&thoughtful) else { continue };
            let (Some(thought), Some(answer)) = (text.find(THOUGHT), text.rfind(ANSWER)) else { continue };
            if thought > answer {
                continue;
            }
            let before = text[..thought].trim_end();
            let between = text[thought + THOUGHT.len()..answer].trim();
            let (end, wrapper) = between.split_at(tag_len(between));
            let shared =
                self.render(&plain).map_or(0, |plain| common_prefix(&text, &plain)).min(before.len());
            // A tag of which both begin alike is none that both have.
            let shared =
                before[..shared].rfind(['<', '[']).filter(|at| !before[*at..shared].contains(['>', ']']));
            let own = shared.map_or("", |at| before[at..].trim());
            let start =
                if is_pair(last_tag(before), &between[..tag_len(between)]) { last_tag(before) } else { own };
            if !end.is_empty() {
                let dropped = wrapper.trim();
                let dropped = (!dropped.is_empty()).then(|| dropped.to_owned());
                return (Some(Thinking::new(start, end)), dropped.into_iter().collect());
            }
        }
        let source = self.template.source();
        let known = KNOWN_TAGS.iter().find(|(start, end)| source.contains(start) || source.contains(end));
        (known.map(|(start, end)| Thinking::new(start, end)), Vec::new())
    }

    fn calls(&self, thinking: Option<&Thinking>) -> Option<Calls> {
        let calling = |calls: Json| json!({ "role": "assistant", "content": "", "tool_calls": calls });
        let one = self.call(json!({ KEY: VALUE }));
        let plain = json!({ "role": "assistant", "content": ANSWER });
        let shown = |message: &Json| -> Option<String> {
            let text = self.answer(message, &plain)?;
            let text = match thinking {
                Some(thinking) if text.trim_start().starts_with(&thinking.start) => {
                    text.split_once(&thinking.end).map_or(text.as_str(), |(_, rest)| rest)
                }
                _ => &text,
            };
            Some(text.to_owned())
        };
        let Some(single) = shown(&calling(json!([one]))).filter(|text| text.contains(NAME)) else {
            return Some(known_calls(self.template.source()));
        };
        let at = single.find(NAME)?;
        let two_arguments =
            shown(&calling(json!([self.call(json!({ KEY: VALUE, OTHER_KEY: OTHER_VALUE }))])));
        let (before, after, shape) =
            object(&single, at).or_else(|| named(&single, at, two_arguments.as_deref()))?;
        let both = shown(&calling(json!([one, one])));
        Some(assemble(&before, &after, shape, &single, both.as_deref()))
    }
}

/// Calls of a template that shows no earlier call: as it tells the model, or as we do where it does not.
fn known_calls(source: &str) -> Calls {
    let known = KNOWN_CALLS.iter().find(|(sign, ..)| source.contains(sign));
    let (_, start, end, keys) = known.unwrap_or(&KNOWN_CALLS[0]);
    let mut shape = Keys::default();
    if let Some((name, arguments)) = keys {
        (shape.name, shape.arguments) = (vec![(*name).to_owned()], vec![(*arguments).to_owned()]);
    }
    Calls { call: Tags::new(start, end), shape: Shape::Object(shape), ..Calls::default() }
}

/// A sign of the form, its start and end, and its keys if they are not the usual ones.
type KnownCall = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

const KNOWN_CALLS: [KnownCall; 5] = [
    ("<tool_call>", "<tool_call>", "</tool_call>", None),
    ("<|tool_call|>", "<|tool_call|>", "", None),
    ("[TOOL_CALLS]", "[TOOL_CALLS]", "", None),
    ("functools[", "functools", "", None),
    ("Action:", "Action:\n```json", "```", Some(("tool_name", "parameters"))),
];

/// A call that is one JSON object: what is before it, what after it.
fn object(text: &str, name: usize) -> Option<(String, String, Shape)> {
    let starts = text[..name].match_indices('{').map(|(at, _)| at);
    for start in starts {
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Json>();
        let Some(Ok(Json::Object(map))) = values.next() else { continue };
        let end = start + values.byte_offset();
        if end <= name {
            continue;
        }
        let mut keys = Keys::default();
        let inner = map.get("function").and_then(Json::as_object).unwrap_or(&map);
        for (key, value) in inner.iter().chain(&map) {
            match value {
                _ if key == NAME => keys.name_is_key = true,
                Json::String(text) if text == NAME => add(&mut keys.name, key),
                Json::String(text) if text == ID => add(&mut keys.id, key),
                value if value.to_string().contains(KEY) && key != "function" => {
                    add(&mut keys.arguments, key);
                }
                _ => {}
            }
        }
        let before = text[..start].trim_end();
        let before = before.strip_suffix('[').unwrap_or(before);
        let after = text[end..].trim_start();
        let after = after.strip_prefix(']').unwrap_or(after);
        return Some((before.to_owned(), after.to_owned(), Shape::Object(keys)));
    }
    None
}

fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// A call whose name is outside its arguments.
fn named(text: &str, name: usize, two: Option<&str>) -> Option<(String, String, Shape)> {
    let after_name = &text[name + NAME.len()..];
    let before = text[..name].to_owned();
    let json = after_name.match_indices('{').find_map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(&after_name[at..]).into_iter::<Json>();
        match values.next() {
            Some(Ok(Json::Object(map))) if map.contains_key(KEY) => Some((at, at + values.byte_offset())),
            _ => None,
        }
    });
    if let Some((start, end)) = json {
        let mark = after_name[..start].trim();
        let mark = if mark.is_empty() { "{" } else { mark };
        let mut named = Named { after_name: vec![mark.to_owned()], ..Named::default() };
        if let Some((start, last)) = before.split_once(ID) {
            named.before_name = last.trim().to_owned();
            named.id_before_name = true;
            return Some((start.to_owned(), after_name[end..].to_owned(), Shape::Named(named)));
        }
        if let Some((first, last)) = mark.split_once(ID) {
            named.after_name = vec![first.to_owned()];
            named.id = Some(Tags::new(first, last));
        }
        return Some((before, after_name[end..].to_owned(), Shape::Named(named)));
    }
    let key = after_name.find(KEY)?;
    let value = key + after_name[key..].find(VALUE)?;
    let middle = after_name[key + KEY.len()..value].trim();
    let tail = &after_name[value + VALUE.len()..];
    let two = two?;
    let between = between(two, VALUE, OTHER_KEY)?;
    let start = common_tail(&after_name[..key], between).trim();
    let end = between[..between.rfind(start)?].trim_end();
    let mark = after_name[..key].trim().strip_suffix(start)?.trim();
    let mark = if mark.is_empty() { start } else { mark };
    let end =
        if end.trim().is_empty() { &tail[..tag_len(tail.trim_start()) + leading_space(tail)] } else { end };
    let tagged = Tagged {
        start: start.to_owned(),
        middle: match middle.split_once('>') {
            // White space between two tags may differ.
            Some((first, last)) if last.starts_with(char::is_whitespace) => {
                Middle::Span(format!("{first}>"), last.trim().to_owned())
            }
            _ => Middle::Text(middle.to_owned()),
        },
        end: vec![end.to_owned(), end.trim().to_owned()],
        has_cdata: false,
    };
    let after = tail.strip_prefix(end).unwrap_or(tail);
    let named =
        Named { after_name: vec![mark.to_owned()], arguments: Arguments::Tagged(tagged), ..Named::default() };
    Some((before, after.to_owned(), Shape::Named(named)))
}

/// Tells what is around each call from what is around all, by a message with two calls.
fn assemble(before: &str, after: &str, shape: Shape, single: &str, both: Option<&str>) -> Calls {
    let (before, after) = (before.trim(), after.trim());
    let section = || Calls { section: Tags::new(before, after), shape: shape.clone(), ..Calls::default() };
    let Some(both) = both.filter(|both| both.matches(NAME).count() > single.matches(NAME).count()) else {
        // One call only: its marks are its own.
        return Calls { call: Tags::new(before, after), shape, ..Calls::default() };
    };
    // The text of the first call is that of the only one, up to what comes after it.
    let Some(body) = single.trim().strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) else {
        return section();
    };
    let inner = both.trim().strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let body = body.trim().trim_start_matches('[').trim_end_matches(']').trim();
    let Some((_, middle)) = inner.and_then(|inner| inner.split_once(body)) else { return section() };
    let middle = middle.rsplit_once(body).map_or(middle, |(middle, _)| middle).trim();
    let start = common_tail(middle, before).trim();
    let rest = middle[..middle.len() - start.len()].trim();
    let end = &rest[..common_prefix(rest, after)];
    if start.is_empty() && end.is_empty() {
        return section();
    }
    let outer = Tags::new(
        before.strip_suffix(start).unwrap_or(before).trim(),
        after.strip_prefix(end).unwrap_or(after).trim(),
    );
    Calls { section: outer, call: Tags::new(start, end.trim()), shape }
}

fn between<'a>(text: &'a str, first: &str, last: &str) -> Option<&'a str> {
    let start = text.find(first)? + first.len();
    let end = start + text[start..].find(last)?;
    Some(&text[start..end])
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The bytes of a first tag such as `<x>` or `[x]`; all of the text if it is none.
fn tag_len(text: &str) -> usize {
    let close = match text.chars().next() {
        Some('<') => '>',
        Some('[') => ']',
        _ => return text.len(),
    };
    text.find(close).map_or(text.len(), |at| at + 1)
}

/// The last tag of a text, if it ends in one.
fn last_tag(text: &str) -> &str {
    let open = match text.chars().next_back() {
        Some('>') => '<',
        Some(']') => '[',
        _ => return "",
    };
    text.rfind(open).map_or("", |at| &text[at..])
}

/// Whether two tags share a word, as `<think>` and `</think>` do.
fn is_pair(start: &str, end: &str) -> bool {
    let words = |tag: &str| -> Vec<String> {
        tag.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| w.len() > 2 && !matches!(*w, "begin" | "start" | "end"))
            .map(str::to_owned)
            .collect()
    };
    let ends = words(end);
    words(start).iter().any(|word| ends.contains(word))
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b).map_or(a.len().min(b.len()), |((at, _), _)| at)
}

fn common_suffix(a: &str, b: &str) -> usize {
    let same = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// The end that both texts share, from the start of a tag on.
fn common_tail<'a>(a: &'a str, b: &str) -> &'a str {
    let tail = &a[a.len() - common_suffix(a, b)..];
    tail.find(['<', '[']).map_or(tail, |at| &tail[at..])
}
