//! `str.format`: automatic, numbered and named fields, with the format specs of strings and numbers. Attributes and
//! items of fields are refused.

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, State};

use super::methods::charge;
use super::{invalid, text};

pub(super) fn format(
    state: &State<'_, '_>,
    pattern: &str,
    args: &[Value],
    named: &Kwargs,
) -> Result<String, Error> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        let (Some(end), "{") = (rest.find('}'), brace) else {
            return Err(invalid("format: a brace is not closed or not opened"));
        };
        let (field, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        rest = &rest[end + 1..];
        let value = match field {
            "" => {
                next += 1;
                args.get(next - 1).cloned()
            }
            number if number.bytes().all(|b| b.is_ascii_digit()) => {
                number.parse().ok().and_then(|i: usize| args.get(i).cloned())
            }
            name => named.get::<Option<Value>>(name)?,
        };
        let value =
            value.ok_or_else(|| invalid(format!("format: there is no argument for `{{{field}}}`")))?;
        let start = out.len();
        out.push_str(&Spec::parse(spec)?.apply(state, &value)?);
        charge(state, out.len() - start)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// `[[fill]align][sign][0][width][,][.precision][type]`
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    plus: bool,
    width: usize,
    comma: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Result<Self, Error> {
        let mut spec = Self::default();
        let mut chars = text.chars().peekable();
        let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^'));
        let second = text.chars().nth(1);
        if is_align(second.as_ref()) {
            spec.fill = chars.next();
        }
        if is_align(chars.peek()) {
            spec.align = chars.next();
        }
        match chars.peek() {
            Some('+') => {
                spec.plus = true;
                chars.next();
            }
            Some('-') => drop(chars.next()),
            _ => {}
        }
        if chars.next_if_eq(&'0').is_some() {
            spec.fill = spec.fill.or(Some('0'));
            spec.align = spec.align.or(Some('='));
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(c) = chars.next_if(char::is_ascii_digit) {
                digits.push(c);
            }
            digits.parse::<usize>().ok()
        };
        spec.width = number(&mut chars).unwrap_or(0);
        spec.comma = chars.next_if_eq(&',').is_some();
        if chars.next_if_eq(&'.').is_some() {
            spec.precision =
                Some(number(&mut chars).ok_or_else(|| invalid("format: a precision is missing"))?);
        }
        spec.kind = chars.next();
        match (spec.kind, chars.next()) {
            (None | Some('s' | 'd' | 'f' | 'F' | 'x' | 'X' | '%'), None) => Ok(spec),
            _ => Err(invalid(format!("format: `{text}` is not understood"))),
        }
    }

    fn apply(&self, state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
        let limit = 1 << 20;
        let precision = self.precision.unwrap_or(6);
        if self.width > limit || precision > 400 {
            return Err(invalid(format!(
                "format: a width of {} or a precision of {precision} is too much",
                self.width
            )));
        }
        charge(state, self.width)?;
        let is_number = value.is_number();
        let float = || f64::try_from(value.clone());
        let mut body = match self.kind {
            Some('d') => i128::try_from(value.clone())?.to_string(),
            Some('x') => format!("{:x}", i128::try_from(value.clone())?),
            Some('X') => format!("{:X}", i128::try_from(value.clone())?),
            Some('f' | 'F') => format!("{:.precision$}", float()?),
            Some('%') => format!("{:.precision$}%", float()? * 100.0),
            _ if is_number && self.precision.is_some() => {
                return Err(invalid("format: a precision without a type is not understood"));
            }
            _ => {
                let text = text::str(state, value)?;
                self.precision.map_or(text.clone(), |most| text.chars().take(most).collect())
            }
        };
        if self.comma {
            body = with_commas(&body);
        }
        if self.plus && is_number && !body.starts_with('-') {
            body.insert(0, '+');
        }
        Ok(self.pad(&body, is_number))
    }

    fn pad(&self, body: &str, is_number: bool) -> String {
        let missing = self.width.saturating_sub(body.chars().count());
        let fill = |n: usize| std::iter::repeat_n(self.fill.unwrap_or(' '), n).collect::<String>();
        match self.align.unwrap_or(if is_number { '>' } else { '<' }) {
            '<' => format!("{body}{}", fill(missing)),
            '^' => format!("{}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' if is_number => {
                let (sign, digits) = body.split_at(usize::from(body.starts_with(['+', '-'])));
                format!("{sign}{}{digits}", fill(missing))
            }
            _ => format!("{}{body}", fill(missing)),
        }
    }
}

fn with_commas(number: &str) -> String {
    let (sign, rest) = number.split_at(usize::from(number.starts_with('-')));
    let (whole, fraction) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut out = sign.to_owned();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out + fraction
}
