//! The methods of Python's `str`, `dict` and `list` that leave their object as it is. Those that would change it
//! fail, as in jinja2's immutable sandbox.

use minijinja::value::{Kwargs, Rest, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::{format, invalid, text};

/// The engine's hook for methods that it does not know.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let work = value.as_str().map_or(0, str::len)
        + args.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
    charge(state, work)?;
    match value.kind() {
        ValueKind::String => string(state, value.as_str().unwrap_or_default(), name, args),
        ValueKind::Map => map(value, name, args),
        ValueKind::Seq => sequence(state, value, name, args),
        _ => unknown(),
    }
}

/// Pays for work on, or storage of, that many bytes.
pub(super) fn charge(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(bytes as u64 / 64 + 1)
}

fn unknown<T>() -> Result<T, Error> {
    Err(Error::from(ErrorKind::UnknownMethod))
}

fn string(state: &State<'_, '_>, s: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    Ok(match name {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            let cut = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
            match name {
                "strip" => s.trim_matches(cut).into(),
                "lstrip" => s.trim_start_matches(cut).into(),
                _ => s.trim_end_matches(cut).into(),
            }
        }
        "split" | "rsplit" => split(state, s, args, name == "rsplit")?,
        "splitlines" => {
            let (keep,): (Option<bool>,) = from_args(args)?;
            let lines = s.split_inclusive('\n').map(|line| match keep {
                Some(true) => line,
                _ => line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)),
            });
            list(state, lines.map(Value::from))?
        }
        "startswith" | "endswith" => starts_or_ends(s, name, args)?.into(),
        "removeprefix" | "removesuffix" => {
            let (what,): (&str,) = from_args(args)?;
            let rest = if name == "removeprefix" { s.strip_prefix(what) } else { s.strip_suffix(what) };
            rest.unwrap_or(s).into()
        }
        "replace" => {
            let (from, to, count): (&str, &str, Option<i64>) = from_args(args)?;
            replace(state, s, from, to, count)?.into()
        }
        "find" | "rfind" | "index" | "rindex" => find(s, name, args)?,
        "count" => {
            let (what,): (&str,) = from_args(args)?;
            s.matches(what).count().into()
        }
        "join" => {
            let (items,): (Value,) = from_args(args)?;
            join(state, s, &items)?
        }
        "partition" | "rpartition" => {
            let (what,): (&str,) = from_args(args)?;
            let (at, missing) = match name {
                "partition" => (s.find(what), [s, "", ""]),
                _ => (s.rfind(what), ["", "", s]),
            };
            let parts = at.map_or(missing, |at| [&s[..at], what, &s[at + what.len()..]]);
            Value::from(parts.map(Value::from).to_vec())
        }
        "format" => {
            let (rest, named): (Rest<Value>, Kwargs) = from_args(args)?;
            format::format(state, s, &rest, &named)?.into()
        }
        "ljust" | "rjust" | "center" | "zfill" => pad(state, s, name, args)?.into(),
        _ => return letters(s, name, args),
    })
}

/// With a tuple: with any of its strings.
fn starts_or_ends(s: &str, name: &str, args: &[Value]) -> Result<bool, Error> {
    let (what,): (Value,) = from_args(args)?;
    let test = |what: &Value| match (what.as_str(), name) {
        (Some(what), "startswith") => Ok(s.starts_with(what)),
        (Some(what), _) => Ok(s.ends_with(what)),
        _ => Err(invalid(format!("{name} needs a string, found {}", what.kind()))),
    };
    if !what.is_tuple() {
        return test(&what);
    }
    what.try_iter()?.try_fold(false, |found, item| Ok(found | test(&item)?))
}

/// Methods without arguments that look at or change the case of letters.
fn letters(s: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    let all = |test: fn(char) -> bool| Value::from(!s.is_empty() && s.chars().all(test));
    let value = match name {
        "lower" | "casefold" => s.to_lowercase().into(),
        "upper" => s.to_uppercase().into(),
        "capitalize" => capitalize(s).into(),
        "title" => title(s).into(),
        "isdigit" | "isdecimal" | "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(is_space),
        "isascii" => s.is_ascii().into(),
        "isupper" => (s.chars().any(char::is_uppercase) && !s.chars().any(char::is_lowercase)).into(),
        "islower" => (s.chars().any(char::is_lowercase) && !s.chars().any(char::is_uppercase)).into(),
        _ => return unknown(),
    };
    let () = from_args(args)?;
    Ok(value)
}

/// What Python takes for white space.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

fn title(s: &str) -> String {
    let mut after_letter = false;
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        if after_letter {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        after_letter = c.is_alphabetic();
    }
    out
}

fn list(state: &State<'_, '_>, items: impl Iterator<Item = Value>) -> Result<Value, Error> {
    let mut out = Vec::new();
    for item in items {
        charge(state, 64)?;
        out.push(item);
    }
    Ok(out.into())
}

fn split(state: &State<'_, '_>, s: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, most, named): (Option<&str>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = separator.or(named.get::<Option<&str>>("sep")?);
    let most = most.or(named.get::<Option<i64>>("maxsplit")?);
    named.assert_all_used()?;
    let parts = most.and_then(|n| usize::try_from(n).ok()).map_or(usize::MAX, |n| n.saturating_add(1));
    match (separator, from_right) {
        (Some(""), _) => Err(invalid("split: the separator is empty")),
        (Some(separator), false) => list(state, s.splitn(parts, separator).map(Value::from)),
        (Some(separator), true) => {
            let mut found: Vec<_> = s.rsplitn(parts, separator).map(Value::from).collect();
            found.reverse();
            list(state, found.into_iter())
        }
        (None, _) => list(state, words(s, parts, from_right).into_iter()),
    }
}

/// Words between runs of white space; the last (or first) one keeps what is beyond `parts`.
fn words(s: &str, parts: usize, from_right: bool) -> Vec<Value> {
    let mut rest = s.trim_matches(is_space);
    let mut out = Vec::new();
    while !rest.is_empty() {
        if out.len() + 1 == parts {
            out.push(Value::from(rest));
            break;
        }
        let (word, other) = if from_right {
            let cut =
                rest.char_indices().rev().find(|(_, c)| is_space(*c)).map_or(0, |(at, c)| at + c.len_utf8());
            (&rest[cut..], rest[..cut].trim_end_matches(is_space))
        } else {
            let cut = rest.find(is_space).unwrap_or(rest.len());
            (&rest[..cut], rest[cut..].trim_start_matches(is_space))
        };
        out.push(Value::from(word));
        rest = other;
    }
    if from_right {
        out.reverse();
    }
    out
}

/// Replaces up to `count` occurrences, all if it is negative or absent; the result is paid for before it exists.
pub(super) fn replace(
    state: &State<'_, '_>,
    s: &str,
    from: &str,
    to: &str,
    count: Option<i64>,
) -> Result<String, Error> {
    let most = count.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let found = s.matches(from).count().min(most);
    charge(state, s.len().saturating_add(found.saturating_mul(to.len())))?;
    Ok(s.replacen(from, to, most))
}

fn find(s: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    let (what,): (&str,) = from_args(args)?;
    let at = if name.starts_with('r') { s.rfind(what) } else { s.find(what) };
    match at {
        Some(at) => Ok(s[..at].chars().count().into()),
        None if name.ends_with("find") => Ok(Value::from(-1)),
        None => Err(invalid(format!("{name}: the substring is not there"))),
    }
}

pub(super) fn join(state: &State<'_, '_>, separator: &str, items: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    for (i, item) in items.try_iter()?.enumerate() {
        let Some(item) = item.as_str() else {
            return Err(invalid(format!("join: item {i} is no string but {}", item.kind())));
        };
        charge(state, item.len() + separator.len())?;
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(item);
    }
    Ok(out.into())
}

fn pad(state: &State<'_, '_>, s: &str, name: &str, args: &[Value]) -> Result<String, Error> {
    let (width, fill): (i64, Option<&str>) = from_args(args)?;
    let mut chars = fill.unwrap_or(if name == "zfill" { "0" } else { " " }).chars();
    let (Some(fill), None) = (chars.next(), chars.next()) else {
        return Err(invalid(format!("{name}: the fill must be one character")));
    };
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(s.chars().count());
    charge(state, missing.saturating_mul(fill.len_utf8()))?;
    let fill = |n: usize| std::iter::repeat_n(fill, n).collect::<String>();
    Ok(match name {
        "ljust" => format!("{s}{}", fill(missing)),
        "rjust" => format!("{}{s}", fill(missing)),
        "center" => {
            let left = missing / 2 + (missing & usize::try_from(width).unwrap_or(0) & 1);
            format!("{}{s}{}", fill(left), fill(missing - left))
        }
        _ => {
            let (sign, digits) = s.split_at(usize::from(s.starts_with(['+', '-'])));
            format!("{sign}{}{digits}", fill(missing))
        }
    })
}

fn map(value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    match name {
        "get" => {
            let (key, default): (&Value, Option<Value>) = from_args(args)?;
            let found = value.get_item(key).ok().filter(|found| !found.is_undefined());
            Ok(found.unwrap_or_else(|| default.unwrap_or_else(|| Value::from(()))))
        }
        "items" => {
            let () = from_args(args)?;
            Ok(text::pairs(value)?.into_iter().map(|(key, item)| pair(key, item)).collect::<Vec<_>>().into())
        }
        "keys" => {
            let () = from_args(args)?;
            Ok(text::pairs(value)?.into_iter().map(|(key, _)| key).collect::<Vec<_>>().into())
        }
        "values" => {
            let () = from_args(args)?;
            Ok(text::pairs(value)?.into_iter().map(|(_, item)| item).collect::<Vec<_>>().into())
        }
        "copy" => {
            let () = from_args(args)?;
            Ok(value.clone())
        }
        "pop" | "update" | "clear" | "setdefault" | "popitem" => Err(unchangeable(name)),
        _ => unknown(),
    }
}

fn pair(key: Value, item: Value) -> Value {
    Value::from(minijinja::value::Tuple::from(vec![key, item]))
}

fn sequence(state: &State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    match name {
        "count" | "index" => {
            let (what,): (&Value,) = from_args(args)?;
            charge(state, value.len().unwrap_or(0).saturating_mul(16))?;
            let mut items = value.try_iter()?;
            if name == "count" {
                return Ok(items.filter(|item| item == what).count().into());
            }
            items
                .position(|item| &item == what)
                .map(Value::from)
                .ok_or_else(|| invalid("index: no such item"))
        }
        "copy" => {
            let () = from_args(args)?;
            Ok(value.clone())
        }
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            Err(unchangeable(name))
        }
        _ => unknown(),
    }
}

fn unchangeable(name: &str) -> Error {
    invalid(format!("{name}: lists and dictionaries of a template cannot be changed"))
}
