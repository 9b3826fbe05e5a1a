//! A place in the text of a grammar: spaces, names, numbers, characters and their escapes.

use crate::{Error, Result};

/// A place in a text, with what was read of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Where the lines of the text end.
    line_ends: &'a [usize],
}

/// Where the lines of a text end.
pub(super) fn line_ends(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at).collect()
}

/// Whether a line may end among spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, line_ends: &'a [usize]) -> Self {
        Self { text, at: 0, line_ends }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Goes over this text if it comes next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.text[self.at..].starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<()> {
        if self.eat(expected) { Ok(()) } else { Err(self.error(format!("expected `{expected}`"))) }
    }

    /// Goes over spaces and comments, and over ends of lines where they do not matter.
    pub(super) fn skip_space(&mut self, lines: Lines) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => self.at += 1,
                '\r' | '\n' if lines == Lines::Many => self.at += 1,
                '#' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find(['\r', '\n']).unwrap_or(rest.len());
                }
                _ => break,
            }
        }
    }

    pub(super) fn name(&mut self) -> Result<&'a str> {
        match self.take_while(is_name) {
            "" => Err(self.error("expected a name of letters, digits and `-`")),
            name => Ok(name),
        }
    }

    /// A number; one too large for 32 bits counts as the largest.
    pub(super) fn number(&mut self) -> Result<u32> {
        match self.take_while(|c| c.is_ascii_digit()) {
            "" => Err(self.error("expected a number")),
            digits => Ok(digits.parse().unwrap_or(u32::MAX)),
        }
    }

    /// The text before `end`, which is read too.
    pub(super) fn until(&mut self, end: char) -> Result<&'a str> {
        let rest = &self.text[self.at..];
        let Some(n) = rest.find(end) else { return Err(self.error(format!("`{end}` is missing"))) };
        self.at += n + end.len_utf8();
        Ok(&rest[..n])
    }

    /// One character of a literal or class, which may be written as an escape.
    pub(super) fn char(&mut self) -> Result<char> {
        let start = *self;
        let Some(c) = self.next() else { return Err(self.error("the grammar ends within a literal")) };
        if c != '\\' {
            return Ok(c);
        }
        match self.next() {
            Some('x') => self.hex(start, 2),
            Some('u') => self.hex(start, 4),
            Some('U') => self.hex(start, 8),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some('n') => Ok('\n'),
            Some(c @ ('\\' | '"' | '[' | ']' | '-')) => Ok(c),
            _ => Err(start.error(r#"unknown escape; there are \x \u \U \t \r \n \\ \" \[ \] \-"#)),
        }
    }

    pub(super) fn error(&self, what: impl Into<String>) -> Error {
        let before = &self.text[..self.at];
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Error::Syntax { line: self.line(), column, what: what.into() }
    }

    /// Counted from 1.
    pub(super) fn line(&self) -> usize {
        self.line_ends.partition_point(|&end| end < self.at) + 1
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn hex(&mut self, start: Self, n_digits: usize) -> Result<char> {
        let digits = self.text.get(self.at..self.at + n_digits);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(value) = value else {
            return Err(start.error(format!("expected {n_digits} hexadecimal digits in the escape")));
        };
        self.at += n_digits;
        char::from_u32(value).ok_or_else(|| start.error(format!("U+{value:04X} is not a Unicode character")))
    }

    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let n = rest.find(|c| !holds(c)).unwrap_or(rest.len());
        self.at += n;
        &rest[..n]
    }
}

/// Whether a character can be part of a rule's name.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}
