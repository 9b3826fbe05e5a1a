//! `str()` and `repr()` of values, floats included.

use std::fmt::Write as _;

use minijinja::value::{ObjectRepr, Value, ValueKind};
use minijinja::{Error, State};

use super::invalid;
use super::methods::charge;

/// Values nested deeper are refused; Python gives up at about a thousand.
pub(super) const MAX_DEPTH: usize = 256;

/// What Python prints for a value.
pub(super) fn str(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if value.is_undefined() {
        return Ok(String::new());
    }
    let mut out = String::new();
    Repr { state, out: &mut out }.value(value, 0)?;
    Ok(out)
}

struct Repr<'a> {
    state: &'a State<'a, 'a>,
    out: &'a mut String,
}

impl Repr<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(invalid(format!("a value is nested more than {MAX_DEPTH} deep")));
        }
        match value.kind() {
            ValueKind::Undefined => self.out.push_str("Undefined"),
            ValueKind::None => self.out.push_str("None"),
            ValueKind::Bool => self.out.push_str(if value.is_true() { "True" } else { "False" }),
            ValueKind::Number => number(self.out, value),
            ValueKind::String => quoted(self.out, value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.sequence(value, depth)?,
            ValueKind::Map => self.map(value, depth)?,
            _ => drop(write!(self.out, "{value}")),
        }
        Ok(())
    }

    fn sequence(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let (open, close) = if value.is_tuple() { ('(', ')') } else { ('[', ']') };
        self.out.push(open);
        let mut n = 0;
        for item in value.try_iter()? {
            charge(self.state, 32)?;
            if n > 0 {
                self.out.push_str(", ");
            }
            self.value(&item, depth + 1)?;
            n += 1;
        }
        if n == 1 && value.is_tuple() {
            self.out.push(',');
        }
        self.out.push(close);
        Ok(())
    }

    fn map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.out.push('{');
        for (i, (key, item)) in pairs(value)?.into_iter().enumerate() {
            charge(self.state, 64)?;
            if i > 0 {
                self.out.push_str(", ");
            }
            self.value(&key, depth + 1)?;
            self.out.push_str(": ");
            self.value(&item, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }
}

/// The pairs of a dictionary, in order.
pub(super) fn pairs(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    let pairs = value.as_object().filter(|object| object.repr() == ObjectRepr::Map);
    let pairs = pairs.and_then(|object| object.try_iter_pairs());
    pairs
        .map(Iterator::collect)
        .ok_or_else(|| invalid(format!("expected a dictionary, found {}", value.kind())))
}

/// A number as Python prints it.
pub(super) fn number(out: &mut String, value: &Value) {
    match f64::try_from(value.clone()) {
        Ok(float) if !value.is_integer() => push_float(out, float),
        _ => drop(write!(out, "{value}")),
    }
}

/// The shortest digits that read back as the same float; an exponent below 1e-4 and from 1e16 on.
fn push_float(out: &mut String, float: f64) {
    if !float.is_finite() {
        return out.push_str(if float.is_nan() {
            "nan"
        } else if float > 0.0 {
            "inf"
        } else {
            "-inf"
        });
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let _ = if float != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{digits}e{sign}{:02}", exponent.abs())
    } else {
        write!(out, "{float:?}")
    };
}

/// A string literal: single quotes unless only those occur in it.
fn quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = match u32::from(c) {
                    code @ ..=0xff => write!(out, "\\x{code:02x}"),
                    code @ ..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// What `str.isprintable` says of controls, separators and unassigned marks; rare unassigned letters count as
/// printable here, as the standard library has no table of them.
fn is_printable(c: char) -> bool {
    let is_separator = c != ' ' && c.is_whitespace();
    let is_invisible = matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0xd800..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xfffe | 0xffff | 0xe0000..=0x10_ffff);
    !c.is_control() && !is_separator && !is_invisible
}
