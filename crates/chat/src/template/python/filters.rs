//! Filters, tests and functions that the engine lacks, or has with another meaning.
#![expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over by value")]

use std::fmt;

use minijinja::value::{Kwargs, ObjectRepr, Rest, Value, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State};

use super::methods::{self, charge};
use super::{invalid, json, text};
use crate::template::source::{HOLD, TEXT};

/// The message that a template gave to `raise_exception`.
#[derive(Debug)]
pub(in crate::template) struct Raised(pub(in crate::template) String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

pub(super) fn install(env: &mut Environment<'_>) {
    env.add_filter(
        "tojson",
        |state: &State<'_, '_>, value: &Value, indent: Option<Value>, kwargs: Kwargs| {
            let json = json::dumps(state, value, indent.as_ref(), &kwargs)?;
            charge(state, json.len().saturating_mul(4))?;
            Ok::<_, Error>(json)
        },
    );
    env.add_filter("from_json", |text: &str| json::loads(text));
    for name in ["string", "pprint", TEXT] {
        env.add_filter(name, text_of);
    }
    env.add_filter("e", escape);
    env.add_filter("escape", escape);
    env.add_filter("format", percent_format);
    env.add_filter("replace", replace);
    // Those of the engine would turn any value into text without paying for it.
    for (name, method) in [
        ("upper", "upper"),
        ("lower", "lower"),
        ("title", "title"),
        ("capitalize", "capitalize"),
        ("trim", "strip"),
    ] {
        env.add_filter(name, move |state: &mut State<'_, '_>, value: &Value, args: Rest<Value>| {
            methods::call(state, &text_of(state, value)?, method, &args)
        });
    }
    for name in ["lines", "split"] {
        env.remove_filter(name);
    }
    for name in ["startingwith", "endingwith"] {
        env.remove_test(name);
    }
    env.remove_global("debug");
    env.add_filter("join", join);
    env.add_filter("indent", indent);
    env.add_filter("center", |state: &mut State<'_, '_>, value: &Value, width: Option<i64>| {
        let width = Value::from(width.unwrap_or(80));
        methods::call(state, &Value::from(text::str(state, value)?), "center", &[width])
    });
    env.add_filter("wordcount", |text: &str| text.split_whitespace().count());
    // jinja2 marks the text as HTML, which escapes what is added to it; no chat wants that.
    env.add_filter("safe", |value: Value| value);
    env.add_filter(HOLD, hold);

    env.add_test("iterable", |value: &Value| {
        value.is_undefined() || (!value.is_none() && value.try_iter().is_ok())
    });
    env.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Undefined | ValueKind::Seq | ValueKind::Map | ValueKind::String)
    });
    env.add_test("callable", |value: &Value| {
        value.as_object().is_some_and(|object| object.repr() == ObjectRepr::Plain)
    });

    env.add_function("raise_exception", |state: &State<'_, '_>, message: &Value| -> Result<Value, Error> {
        let message = text::str(state, message)?;
        let detail = format!("the template refuses this conversation: {message}");
        Err(Error::new(ErrorKind::InvalidOperation, detail).with_source(Raised(message)))
    });
}

/// A value as Python prints it.
fn text_of(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(_) => Ok(value.clone()),
        None => text::str(state, value).map(Value::from),
    }
}

fn escape(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let text = text::str(state, value)?;
    charge(state, text.len().saturating_mul(5))?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Formatting with `%`, by the engine, of values that cost nothing to print.
fn percent_format(state: &mut State<'_, '_>, pattern: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let mut all = vec![text_of(state, pattern)?];
    for value in args.0 {
        let is_plain = value.as_object().is_none() || value.is_kwargs();
        all.push(if is_plain { value } else { text_of(state, &value)? });
    }
    Value::from_function(minijinja::filters::format).call(state, &all)
}

fn replace(
    state: &State<'_, '_>,
    value: &Value,
    from: &Value,
    to: &Value,
    rest: Rest<Value>,
) -> Result<String, Error> {
    let (count, kwargs): (Option<i64>, Kwargs) = from_args(&rest)?;
    let count = count.or(kwargs.get("count")?);
    kwargs.assert_all_used()?;
    let text = |value| text::str(state, value);
    methods::replace(state, &text(value)?, &text(from)?, &text(to)?, count)
}

/// Items as text, or an attribute of each.
fn join(
    state: &State<'_, '_>,
    value: &Value,
    separator: Option<&str>,
    attribute: Option<&str>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let separator = separator.or(kwargs.get("d")?).unwrap_or_default();
    let attribute = attribute.or(kwargs.get("attribute")?);
    kwargs.assert_all_used()?;
    let mut out = String::new();
    for (i, item) in value.try_iter()?.enumerate() {
        let item = match attribute {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        let start = out.len();
        if i > 0 {
            out.push_str(separator);
        }
        match item.as_str() {
            Some(text) => out.push_str(text),
            None => out.push_str(&text::str(state, &item)?),
        }
        charge(state, out.len() - start)?;
    }
    Ok(out)
}

/// Indents lines by a number of spaces or by a text; the first and blank ones only if asked to.
fn indent(state: &State<'_, '_>, text: &str, options: Rest<Value>) -> Result<String, Error> {
    let (width, first, blank, kwargs): (Option<Value>, Option<bool>, Option<bool>, Kwargs) =
        from_args(&options)?;
    let width = width.or(kwargs.get("width")?).unwrap_or_else(|| Value::from(4));
    let first = first.or(kwargs.get("first")?).unwrap_or(false);
    let blank = blank.or(kwargs.get("blank")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let lines = text.split('\n').count();
    let pad = match (width.as_str(), width.as_usize()) {
        (Some(pad), _) => pad.to_owned(),
        (None, Some(n)) => {
            charge(state, n)?;
            " ".repeat(n)
        }
        _ => return Err(invalid(format!("indent: a width of {width} makes no sense"))),
    };
    charge(state, text.len().saturating_add(lines.saturating_mul(pad.len())))?;
    let mut out = String::with_capacity(text.len() + lines * pad.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if if i == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&pad);
        }
        out.push_str(line);
    }
    Ok(out)
}

/// Lets a value into a namespace if it holds no namespace itself, however deep: a namespace in itself could be
/// neither printed nor freed. Also bounds how deep values can get.
fn hold(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    let mut open = vec![(value.clone(), 0)];
    while let Some((value, depth)) = open.pop() {
        let Some(object) = value.as_object() else { continue };
        if depth > text::MAX_DEPTH {
            return Err(invalid(format!("a value is nested more than {} deep", text::MAX_DEPTH)));
        }
        if object.type_name().ends_with("Namespace") {
            return Err(invalid("a namespace cannot be stored in a namespace"));
        }
        charge(state, 64 + object.enumerator_len().unwrap_or(0).saturating_mul(16))?;
        match object.repr() {
            ObjectRepr::Seq => {
                open.extend(object.try_iter().into_iter().flatten().map(|item| (item, depth + 1)));
            }
            ObjectRepr::Map => {
                let pairs = object.try_iter_pairs().into_iter().flatten();
                open.extend(pairs.map(|(_, item)| (item, depth + 1)));
            }
            _ => {}
        }
    }
    Ok(value)
}
