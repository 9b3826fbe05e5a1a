//! `json.dumps` and `json.loads`.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::invalid;
use super::methods::charge;
use super::text::{self, MAX_DEPTH};

/// The filter `tojson`, with the keywords of `json.dumps`. As transformers has it, characters outside ASCII stay.
pub(super) fn dumps(
    state: &State<'_, '_>,
    value: &Value,
    indent: Option<&Value>,
    kwargs: &Kwargs,
) -> Result<String, Error> {
    let flag = |name| kwargs.get::<Option<bool>>(name).map(Option::unwrap_or_default);
    let indent = match indent {
        Some(indent) => Some(indent.clone()),
        None => kwargs.get::<Option<Value>>("indent")?,
    };
    let indent = match indent.filter(|indent| !indent.is_none()) {
        None => None,
        Some(text) if text.as_str().is_some() => text.as_str().map(str::to_owned),
        Some(number) => Some(" ".repeat(indent_width(&number)?)),
    };
    let (item, key) = separators(kwargs.get::<Option<Value>>("separators")?, indent.is_some())?;
    let style =
        Style { state, ascii: flag("ensure_ascii")?, sort_keys: flag("sort_keys")?, indent, item, key };
    kwargs.assert_all_used()?;
    let mut out = String::new();
    style.value(&mut out, value, 0)?;
    Ok(out)
}

fn indent_width(value: &Value) -> Result<usize, Error> {
    match value.as_i64() {
        Some(n @ 0..=64) => Ok(usize::try_from(n).unwrap_or(0)),
        Some(n) if n < 0 => Ok(0),
        _ => Err(invalid(format!("tojson: indent={value} is not a number up to 64"))),
    }
}

fn separators(given: Option<Value>, is_indented: bool) -> Result<(String, String), Error> {
    let Some(given) = given.filter(|value| !value.is_none()) else {
        let item = if is_indented { "," } else { ", " };
        return Ok((item.to_owned(), ": ".to_owned()));
    };
    let wrong = || invalid("tojson: separators must be two strings");
    let texts: Vec<_> = given.try_iter()?.map(|text| text.as_str().map(str::to_owned)).collect();
    match texts.as_slice() {
        [Some(item), Some(key)] => Ok((item.clone(), key.clone())),
        _ => Err(wrong()),
    }
}

struct Style<'a> {
    state: &'a State<'a, 'a>,
    ascii: bool,
    sort_keys: bool,
    indent: Option<String>,
    item: String,
    key: String,
}

impl Style<'_> {
    fn value(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(invalid(format!("tojson: a value is nested more than {MAX_DEPTH} deep")));
        }
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => number(out, value),
            ValueKind::String => self.string(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.list(out, ['[', ']'], depth, items, |out, item| self.value(out, &item, depth + 1))?;
            }
            ValueKind::Map => self.map(out, value, depth)?,
            kind => return Err(invalid(format!("tojson: {kind} is not JSON serializable"))),
        }
        Ok(())
    }

    fn map(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        let mut pairs = text::pairs(value)?;
        if self.sort_keys {
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        self.list(out, ['{', '}'], depth, pairs, |out, (key, item)| {
            match key.kind() {
                ValueKind::String => self.string(out, key.as_str().unwrap_or_default()),
                ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                    let mut text = String::new();
                    self.value(&mut text, &key, depth + 1)?;
                    self.string(out, &text);
                }
                kind => return Err(invalid(format!("tojson: a key must be a string, found {kind}"))),
            }
            out.push_str(&self.key);
            self.value(out, &item, depth + 1)
        })
    }

    fn list<T>(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        depth: usize,
        items: Vec<T>,
        each: impl Fn(&mut String, T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let is_empty = items.is_empty();
        out.push(open);
        for (i, item) in items.into_iter().enumerate() {
            charge(self.state, 64 + self.indent.as_ref().map_or(0, |indent| indent.len() * depth))?;
            if i > 0 {
                out.push_str(&self.item);
            }
            self.line(out, depth + 1);
            each(out, item)?;
        }
        if !is_empty {
            self.line(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str(indent));
        }
    }

    fn string(&self, out: &mut String, text: &str) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if u32::from(c) < 0x20 => drop(write!(out, "\\u{:04x}", u32::from(c))),
                c if self.ascii && u32::from(c) > 0x7e && !crate::marks::is_mark(c) => {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

fn number(out: &mut String, value: &Value) {
    let start = out.len();
    text::number(out, value);
    let json = match &out[start..] {
        "nan" => "NaN",
        "inf" => "Infinity",
        "-inf" => "-Infinity",
        _ => return,
    };
    out.truncate(start);
    out.push_str(json);
}

/// The filter `from_json`, which llama.cpp adds to what Python has.
pub(super) fn loads(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text)
        .map(|value| crate::template::value::from_json(&value))
        .map_err(|error| Error::new(ErrorKind::BadSerialization, format!("from_json: {error}")))
}
