//! Reads a template's text before the engine does: refuses what would overflow its stack, and rewrites the few
//! tags it lacks. No expression is understood here, only where tags and tokens begin and end.

use std::ops::Range;

use super::{Appending, Limits};
use crate::Error;

/// The filter through which every value goes that is stored in a namespace.
pub(super) const HOLD: &str = "__hold";

/// The filter that turns the operands of `~` into text.
pub(super) const TEXT: &str = "__text";

/// Checks the text and returns what the engine shall compile. Line numbers stay as they are.
pub(super) fn prepare(source: &str, limits: &Limits, appending: Appending) -> Result<String, Error> {
    if source.len() > limits.source_bytes {
        return Err(Error::SourceSize { bytes: source.len(), limit: limits.source_bytes });
    }
    let mut scan = Scan { source, at: 0, out: String::with_capacity(source.len() + 256), elifs: Vec::new() };
    while let Some(start) = scan.next_tag() {
        match &source[start..start + 2] {
            "{#" => scan.copy_through("#}"),
            "{%" if is_basic_tag(&source[start + 2..], "raw") => scan.copy_raw(),
            _ => scan.tag(start, limits, appending)?,
        }
    }
    scan.out.push_str(&source[scan.at..]);
    Ok(scan.out)
}

struct Scan<'a> {
    source: &'a str,
    /// Everything before is in `out`.
    at: usize,
    out: String,
    /// For each open `if`, how many branches it has.
    elifs: Vec<usize>,
}

impl Scan<'_> {
    /// Copies text up to the next tag, whose start it returns.
    fn next_tag(&mut self) -> Option<usize> {
        let rest = &self.source.as_bytes()[self.at..];
        let found = rest.windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))?;
        let start = self.at + found;
        self.copy_to(start);
        Some(start)
    }

    fn copy_to(&mut self, end: usize) {
        self.out.push_str(&self.source[self.at..end]);
        self.at = end;
    }

    fn copy_through(&mut self, end: &str) {
        let from = self.at + 2;
        let stop = self.source[from..].find(end).map_or(self.source.len(), |found| from + found + end.len());
        self.copy_to(stop);
    }

    fn copy_raw(&mut self) {
        let mut from = self.at + 2;
        while let Some(found) = self.source[from..].find("{%") {
            from += found + 2;
            if is_basic_tag(&self.source[from..], "endraw") {
                return self.copy_to(from);
            }
        }
        self.copy_to(self.source.len());
    }

    fn tag(&mut self, start: usize, limits: &Limits, appending: Appending) -> Result<(), Error> {
        let tag = Tag::read(self.source, start);
        let line = || self.source[..start].lines().count().max(1);
        if tag.depth > limits.chain {
            return Err(Error::Chain { line: line(), depth: tag.depth, limit: limits.chain });
        }
        let text = |token: &Token| &self.source[token.range.clone()];
        let word = if tag.is_block { tag.tokens.first().map(text).unwrap_or_default() } else { "" };
        match word {
            "if" => self.elifs.push(0),
            "endif" => drop(self.elifs.pop()),
            "elif" => {
                if let Some(n) = self.elifs.last_mut() {
                    *n += 1;
                    if *n > limits.chain {
                        return Err(Error::Chain { line: line(), depth: *n, limit: limits.chain });
                    }
                }
            }
            _ => {}
        }
        let mut edits = Vec::new();
        self.texts_of_concatenations(&tag, &mut edits);
        match word {
            "generation" => edits.push((tag.tokens[0].range.clone(), "if true".to_owned())),
            "endgeneration" => edits.push((tag.tokens[0].range.clone(), "endif".to_owned())),
            "set" => self.set(&tag, appending, &mut edits),
            _ => {}
        }
        edits.sort_by_key(|(range, _)| range.start);
        for (range, by) in edits {
            self.copy_to(range.start);
            self.out.push_str(&by);
            self.at = range.end;
        }
        self.copy_to(tag.end);
        Ok(())
    }

    /// `A ~ B` becomes `(A)|__text ~ (B)|__text`: the engine's own conversion writes numbers in another way, and
    /// does not stop at a value that shares its parts so often that its text would fill the memory.
    fn texts_of_concatenations(&self, tag: &Tag, edits: &mut Edits) {
        // For each open bracket, and the tag itself: where the operand began, and whether `~` is before it.
        let mut operands: Vec<(Option<usize>, bool)> = vec![(None, false)];
        let last = tag.tokens.len().saturating_sub(1);
        for (i, token) in tag.tokens.iter().enumerate() {
            let text = &self.source[token.range.clone()];
            while operands.len() > token.level + 1 {
                let (start, is_after) = operands.pop().unwrap_or_default();
                self.wrap_operand(tag, start, i, is_after, edits);
            }
            while operands.len() < token.level + 1 {
                operands.push((None, false));
            }
            let Some((start, is_after)) = operands.last_mut() else { return };
            let follows_is = i > 0 && &self.source[tag.tokens[i - 1].range.clone()] == "is";
            let is_tag_word = tag.is_block && (i == 0 || (i == last && text == "recursive"));
            let ends = match text {
                "~" | "," | ":" | "=" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "and" | "or" | "if"
                | "else" => true,
                "+" | "-" => start.is_some(),
                "not" | "in" => !follows_is,
                _ => is_tag_word,
            };
            if ends && token.kind != Kind::Text {
                let (start, was_after) = (start.take(), std::mem::replace(is_after, text == "~"));
                self.wrap_operand(tag, start, i, was_after || text == "~", edits);
            } else if start.is_none() {
                *start = Some(i);
            }
        }
        while let Some((start, is_after)) = operands.pop() {
            self.wrap_operand(tag, start, tag.tokens.len(), is_after, edits);
        }
    }

    fn wrap_operand(&self, tag: &Tag, start: Option<usize>, end: usize, is_operand: bool, edits: &mut Edits) {
        let (Some(start), true) = (start, is_operand) else { return };
        let tokens = &tag.tokens[start..end];
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        if tokens.len() > 1 || first.kind != Kind::Text {
            edits.push((first.range.start..first.range.start, "(".to_owned()));
            edits.push((last.range.end..last.range.end, format!(")|{TEXT}")));
        }
    }

    /// `set a.b = EXPR` becomes `set a.b = (EXPR)|__hold`; with [`Appending::Allowed`] also
    /// `set _ = a.b.append(EXPR)` becomes `set a.b = (a.b + [EXPR])|__hold`, and `set x = a.b.pop(0)` becomes
    /// `set x, a.b = (a.b[0], a.b[1:])|__hold`, as lists cannot be changed in place.
    fn set(&self, tag: &Tag, appending: Appending, edits: &mut Edits) {
        let text = |token: &Token| &self.source[token.range.clone()];
        let Some(assign) = tag.tokens.iter().position(|token| token.level == 0 && text(token) == "=") else {
            return;
        };
        let value = &tag.tokens[assign + 1..];
        let (Some(first), Some(last), Some(target)) = (value.first(), value.last(), tag.tokens.get(1)) else {
            return;
        };
        if appending == Appending::Allowed
            && let Some((method, list, item)) = self.list_call(value)
        {
            let (list, text) = (&self.source[list], self.source[item.clone()].trim());
            let name = &self.source[target.range.start..tag.tokens[assign - 1].range.end];
            match (method, text) {
                ("append", _) => {
                    edits.push((target.range.start..item.start, format!("{list} = ({list} + [")));
                    edits.push((item.end..last.range.end, format!("])|{HOLD}")));
                }
                (_, "0") => {
                    let by = format!("{name}, {list} = ({list}[0], {list}[1:])|{HOLD}");
                    edits.push((target.range.start..last.range.end, by));
                }
                _ => {
                    let by = format!("{name}, {list} = ({list}[-1], {list}[:-1])|{HOLD}");
                    edits.push((target.range.start..last.range.end, by));
                }
            }
        } else if tag.tokens[..assign].iter().any(|token| text(token) == ".") {
            edits.push((first.range.start..first.range.start, "(".to_owned()));
            edits.push((last.range.end..last.range.end, format!(")|{HOLD}")));
        }
    }

    /// Of `NAME.NAME.append(EXPR)`, or `pop` with 0, -1 or nothing: the method, and the ranges of list and item.
    fn list_call(&self, value: &[Token]) -> Option<(&str, Range<usize>, Range<usize>)> {
        let text = |token: &Token| &self.source[token.range.clone()];
        let call = value.iter().position(|token| text(token) == "(")?;
        let [path @ .., dot, name] = &value[..call] else { return None };
        let is_path = path.iter().all(|token| token.kind == Kind::Word || text(token) == ".");
        let end = value.last().filter(|token| text(token) == ")" && token.level == 0)?;
        let closes_here = value[call + 1..value.len() - 1].iter().all(|token| token.level > 0);
        let (first, last) = (path.first()?, path.last()?);
        let item = value[call].range.end..end.range.start;
        let is_known = match text(name) {
            "append" => true,
            "pop" => matches!(self.source[item.clone()].trim(), "" | "0" | "-1"),
            _ => false,
        };
        let fits = text(dot) == "." && is_known && is_path && closes_here;
        fits.then(|| (text(name), first.range.start..last.range.end, item))
    }
}

/// What to put in place of which bytes.
type Edits = Vec<(Range<usize>, String)>;

/// Whether the text after `{%` is `name` alone, with or without whitespace control.
fn is_basic_tag(rest: &str, name: &str) -> bool {
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let Some(rest) = rest.trim_ascii_start().strip_prefix(name) else { return false };
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(['-', '+']).unwrap_or(rest).starts_with("%}")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Text,
    Sign,
}

struct Token {
    kind: Kind,
    range: Range<usize>,
    /// How many brackets are open around it; those that it opens or closes do not count.
    level: usize,
}

/// A tag, cut into tokens without its delimiters and whitespace control.
struct Tag {
    is_block: bool,
    tokens: Vec<Token>,
    end: usize,
    /// How deep its syntax tree can be at most.
    depth: usize,
}

impl Tag {
    fn read(source: &str, start: usize) -> Self {
        let is_block = source[start..].starts_with("{%");
        let end_mark: &[u8] = if is_block { b"%}" } else { b"}}" };
        let bytes = source.as_bytes();
        let mut at = start + 2;
        if matches!(bytes.get(at), Some(b'-' | b'+')) {
            at += 1;
        }
        let mut tag = Self { is_block, tokens: Vec::new(), end: source.len(), depth: 0 };
        let mut links = Links { open: vec![0], sum: 0 };
        while at < bytes.len() {
            let rest = &bytes[at..];
            if rest[0].is_ascii_whitespace() {
                at += 1;
                continue;
            }
            let control = usize::from(matches!(rest[0], b'-' | b'+') && rest[1..].starts_with(end_mark));
            if links.open.len() == 1 && rest[control..].starts_with(end_mark) {
                tag.end = at + control + 2;
                break;
            }
            let (kind, len) = token(rest);
            let closes = matches!(rest[0], b')' | b']' | b'}') && links.open.len() > 1;
            let level = links.open.len() - 1 - usize::from(closes);
            tag.tokens.push(Token { kind, range: at..at + len, level });
            links.count(kind, &rest[..len]);
            tag.depth = tag.depth.max(links.sum);
            at += len;
        }
        tag
    }
}

fn token(rest: &[u8]) -> (Kind, usize) {
    let is_word = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80;
    match rest[0] {
        quote @ (b'"' | b'\'') => {
            let mut at = 1;
            while at < rest.len() && rest[at] != quote {
                at += 1 + usize::from(rest[at] == b'\\');
            }
            (Kind::Text, (at + 1).min(rest.len()))
        }
        b if is_word(&&b) => (Kind::Word, rest.iter().take_while(is_word).count()),
        _ if matches!(rest, [b'=' | b'!' | b'<' | b'>', b'=', ..] | [b'*', b'*', ..] | [b'/', b'/', ..]) => {
            (Kind::Sign, 2)
        }
        _ => (Kind::Sign, 1),
    }
}

/// For each open bracket, and the tag itself, the links of the expression that is being read.
struct Links {
    open: Vec<usize>,
    sum: usize,
}

impl Links {
    /// Counts a token as a link of the expression around it, or opens or closes a bracket.
    fn count(&mut self, kind: Kind, text: &[u8]) {
        let last = self.open.len() - 1;
        match (kind, text) {
            (Kind::Sign, b")" | b"]" | b"}") if last > 0 => self.sum -= self.open.pop().unwrap_or(0),
            (Kind::Sign, b",") => self.sum -= std::mem::take(&mut self.open[last]),
            (Kind::Sign, _) => {
                self.open[last] += 1;
                self.sum += 1;
                if matches!(text, b"(" | b"[" | b"{") {
                    self.open.push(0);
                }
            }
            (Kind::Word, b"not" | b"and" | b"or" | b"is" | b"in" | b"if" | b"else") => {
                self.open[last] += 1;
                self.sum += 1;
            }
            _ => {}
        }
    }
}
