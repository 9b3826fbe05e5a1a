//! Arguments that are not JSON, as JSON: tagged texts, Python calls, Gemma's dictionaries.

use serde_json::{Map, Number, Value as Json};

use crate::Tool;

/// How deep notations of arguments may nest.
const MAX_DEPTH: usize = 64;

/// What the schema of a tool says about an argument that came as bare text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string, whatever it looks like.
    Text,
    /// JSON, or else a string.
    Either,
}

pub(super) fn kind(tools: &[Tool], name: &str, key: &str) -> Kind {
    let tool = tools.iter().find(|tool| tool.name == name);
    let Some(schema) = tool.and_then(|tool| tool.parameters.get("properties")?.get(key)) else {
        return Kind::Either;
    };
    let are_texts = |list: &Json| list.as_array().is_some_and(|list| list.iter().all(Json::is_string));
    match (schema.get("type").and_then(Json::as_str), schema.get("enum")) {
        (Some("string"), _) => Kind::Text,
        (None, Some(list)) if are_texts(list) => Kind::Text,
        _ => Kind::Either,
    }
}

/// A bare text as a JSON value.
pub(super) fn value(text: &str, kind: Kind) -> String {
    let json = match kind {
        Kind::Text => None,
        Kind::Either => serde_json::from_str::<Json>(text.trim()).ok().map(|_| text.trim().to_owned()),
    };
    json.unwrap_or_else(|| quoted(text))
}

pub(super) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// `[name(key=value, ..), ..]`, with or without the brackets: names and arguments as JSON objects.
pub(super) fn python_calls(text: &str) -> Option<Vec<(String, String)>> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let mut reader = Reader { rest: text, depth: 0 };
    let mut calls = Vec::new();
    loop {
        let name = reader.word()?;
        reader.expect('(')?;
        let mut map = Map::new();
        while !reader.eat(')') {
            let key = reader.word()?;
            reader.expect('=')?;
            map.insert(key.to_owned(), reader.python()?);
            if !reader.eat(',') {
                reader.expect(')')?;
                break;
            }
        }
        calls.push((name.to_owned(), Json::Object(map).to_string()));
        if !reader.eat(',') {
            return reader.rest.trim().is_empty().then_some(calls);
        }
    }
}

/// `{key:<|"|>text<|"|>,other:[1,true]}` as JSON.
pub(super) fn gemma(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text.trim(), depth: 0 };
    let value = reader.gemma()?;
    (reader.rest.trim().is_empty() && value.is_object()).then(|| value.to_string())
}

/// Nested tags, `<key>..</key>` with `<item>` for lists, all with `prefix` before the bracket, as a JSON object.
pub(super) fn nested_tags(text: &str, prefix: &str, kind: impl Fn(&str) -> Kind) -> Option<String> {
    let mut map = Map::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, inner, after) = element(rest, prefix)?;
        let value = match kind(key) {
            Kind::Text => Json::from(inner),
            Kind::Either => tag_value(inner, prefix, 0)?,
        };
        map.insert(key.to_owned(), value);
        rest = after.trim_start();
    }
    Some(Json::Object(map).to_string())
}

fn tag_value(inner: &str, prefix: &str, depth: usize) -> Option<Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    let open = format!("{prefix}<");
    let mut rest = inner.trim();
    if !rest.starts_with(&open) || rest.starts_with(&format!("{open}/")) {
        return Some(serde_json::from_str(rest).unwrap_or_else(|_| Json::from(inner)));
    }
    let (mut items, mut map) = (Vec::new(), Map::new());
    while !rest.is_empty() {
        let (key, inner, after) = element(rest, prefix)?;
        let value = tag_value(inner, prefix, depth + 1)?;
        if key == "item" {
            items.push(value);
        } else {
            map.insert(key.to_owned(), value);
        }
        rest = after.trim_start();
    }
    match (items.is_empty(), map.is_empty()) {
        (false, true) => Some(Json::Array(items)),
        (true, _) => Some(Json::Object(map)),
        _ => None,
    }
}

/// Key, content and rest of the element at the start; elements of the same name within it are counted.
fn element<'a>(text: &'a str, prefix: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let rest = text.strip_prefix(prefix)?.strip_prefix('<')?;
    let (key, body) = rest.split_once('>')?;
    let (open, close) = (format!("{prefix}<{key}>"), format!("{prefix}</{key}>"));
    let (mut at, mut depth) = (0, 1);
    loop {
        let end = at + body[at..].find(&close)?;
        depth += body[at..end].matches(&open).count();
        depth -= 1;
        at = end + close.len();
        if depth == 0 {
            return Some((key, &body[..end], &body[at..]));
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, c: char) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, c: char) -> Option<()> {
        self.eat(c).then_some(())
    }

    fn word(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let end =
            self.rest.find(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// A literal of Python or JSON.
    fn python(&mut self) -> Option<Json> {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            quote @ ('"' | '\'') => self.string(quote).map(Json::from),
            '[' | '(' => self.list(Self::python),
            '{' => self.map(Self::python_key, Self::python),
            _ => self.atom(),
        }
    }

    fn python_key(&mut self) -> Option<String> {
        match self.rest.trim_start().chars().next()? {
            '"' | '\'' => match self.python()? {
                Json::String(key) => Some(key),
                _ => None,
            },
            _ => self.word().map(str::to_owned),
        }
    }

    fn gemma(&mut self) -> Option<Json> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(GEMMA_QUOTE) {
            let (text, rest) = rest.split_once(GEMMA_QUOTE)?;
            self.rest = rest;
            return Some(Json::from(text));
        }
        match self.rest.chars().next()? {
            '[' => self.list(Self::gemma),
            '{' => self.map(Self::gemma_key, Self::gemma),
            '"' => self.string('"').map(Json::from),
            _ => self.atom(),
        }
    }

    fn gemma_key(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        if rest.starts_with(GEMMA_QUOTE) || rest.starts_with('"') {
            return self.gemma()?.as_str().map(str::to_owned);
        }
        let (key, _) = rest.split_once(':')?;
        self.rest = &rest[key.len()..];
        Some(key.trim().to_owned())
    }

    fn list(&mut self, item: fn(&mut Self) -> Option<Json>) -> Option<Json> {
        let close = if self.eat('[') { ']' } else { self.expect('(').map(|()| ')')? };
        self.nested(|reader| {
            let mut items = Vec::new();
            while !reader.eat(close) {
                items.push(item(reader)?);
                if !reader.eat(',') {
                    reader.expect(close)?;
                    break;
                }
            }
            Some(Json::Array(items))
        })
    }

    fn map(
        &mut self,
        key: fn(&mut Self) -> Option<String>,
        value: fn(&mut Self) -> Option<Json>,
    ) -> Option<Json> {
        self.expect('{')?;
        self.nested(|reader| {
            let mut map = Map::new();
            while !reader.eat('}') {
                let key = key(reader)?;
                reader.expect(':')?;
                map.insert(key, value(reader)?);
                if !reader.eat(',') {
                    reader.expect('}')?;
                    break;
                }
            }
            Some(Json::Object(map))
        })
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<Json>) -> Option<Json> {
        self.depth += 1;
        let value = (self.depth <= MAX_DEPTH).then(|| read(self)).flatten();
        self.depth -= 1;
        value
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next()?.1 {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    '0' => out.push('\0'),
                    'u' => {
                        let hex: String = (0..4).filter_map(|_| chars.next().map(|(_, c)| c)).collect();
                        out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?).unwrap_or('\u{fffd}'));
                    }
                    c @ ('\\' | '\'' | '"' | '/') => out.push(c),
                    c => out.extend(['\\', c]),
                },
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(out);
                }
                c => out.push(c),
            }
        }
        None
    }

    /// A number or a word.
    fn atom(&mut self) -> Option<Json> {
        let end = self.rest.find([',', ')', ']', '}', ' ', '\n']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "True" | "true" => Some(true.into()),
            "False" | "false" => Some(false.into()),
            "None" | "null" => Some(Json::Null),
            number => serde_json::from_str::<Number>(number).ok().map(Json::Number),
        }
    }
}

const GEMMA_QUOTE: &str = "<|\"|>";
