//! Markdown to a terminal while it streams: what can be shown is shown at once. Not a full parser: blocks are told
//! by how their line begins, as models write them.

use std::fmt::Write as _;

use super::code::Code;
use super::inline::Inline;
use super::style;
use crate::output;

/// A line's beginning is held back up to this many bytes while its kind is open.
const MAX_OPENING_BYTES: usize = 64;

/// Turns pieces of an answer into text for a terminal.
pub(crate) struct Markdown {
    state: State,
    inline: Inline,
}

enum State {
    /// At the beginning of a line whose kind is not known yet.
    Opening(String),
    /// In the text of a line.
    Text,
    /// In a heading, with what it looks like.
    Heading,
    /// In a block of code: its fence, and the line so far.
    Code { fence: String, code: Code, line: String },
}

/// What a line turned out to be.
enum Kind {
    Unknown,
    Plain,
    Heading(usize),
    Bullet { indent: usize },
    Quote,
    Rule,
    Fence(String),
}

impl Markdown {
    pub(crate) fn new() -> Self {
        Self { state: State::Opening(String::new()), inline: Inline::default() }
    }

    /// What to print for the next piece of the answer.
    pub(crate) fn push(&mut self, text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            if output::is_harmless(c) {
                self.push_char(c, &mut out);
            }
        }
        out
    }

    /// What to print at the end.
    pub(crate) fn finish(&mut self) -> String {
        let mut out = String::new();
        match std::mem::replace(&mut self.state, State::Opening(String::new())) {
            State::Opening(text) => self.begin(&text, true, &mut out),
            State::Code { fence, mut code, line } if !line.is_empty() && !closes(&line, &fence) => {
                code.line(&line, &mut out);
            }
            State::Code { .. } | State::Text => {}
            State::Heading => out.push_str(style::RESET),
        }
        self.inline.end_line(&mut out);
        self.state = State::Opening(String::new());
        out
    }

    fn push_char(&mut self, c: char, out: &mut String) {
        match &mut self.state {
            State::Opening(text) => {
                if c != '\n' {
                    text.push(c);
                }
                let text = std::mem::take(text);
                self.begin(&text, c == '\n', out);
                if c == '\n' && !matches!(self.state, State::Code { .. }) {
                    self.end_line(out);
                }
            }
            State::Text | State::Heading if c == '\n' => self.end_line(out),
            State::Text => self.inline.push(c, out),
            State::Heading => out.push(c),
            State::Code { fence, code, line } if c == '\n' => {
                if closes(line, fence) {
                    self.state = State::Opening(String::new());
                } else {
                    code.line(line, out);
                    line.clear();
                }
            }
            State::Code { line, .. } => line.push(c),
        }
    }

    fn end_line(&mut self, out: &mut String) {
        if matches!(self.state, State::Heading) {
            out.push_str(style::RESET);
        }
        self.inline.end_line(out);
        out.push('\n');
        self.state = State::Opening(String::new());
    }

    /// Decides what the line is, if its beginning tells.
    fn begin(&mut self, text: &str, is_whole: bool, out: &mut String) {
        let rest = match kind(text, is_whole) {
            Kind::Unknown => {
                self.state = State::Opening(text.to_owned());
                return;
            }
            Kind::Fence(fence) => {
                let language = text.trim_start().trim_start_matches(['`', '~']).trim();
                self.state = State::Code { fence, code: Code::new(language), line: String::new() };
                return;
            }
            Kind::Rule => {
                write!(out, "{}{}{}", style::DIM, "─".repeat(24), style::RESET)
                    .expect("a string takes any text");
                ""
            }
            Kind::Heading(level) => {
                out.push_str(style::heading());
                out.push_str(text[level..].trim_start());
                self.state = State::Heading;
                return;
            }
            Kind::Bullet { indent } => {
                write!(out, "{:indent$}• ", "").expect("a string takes any text");
                &text[indent + 2..]
            }
            Kind::Quote => {
                write!(out, "{}│{} ", style::DIM, style::RESET).expect("a string takes any text");
                text.trim_start().trim_start_matches('>').trim_start()
            }
            Kind::Plain => text,
        };
        self.state = State::Text;
        for c in rest.chars() {
            self.inline.push(c, out);
        }
    }
}

/// Whether the line ends the block of code that this fence began.
fn closes(line: &str, fence: &str) -> bool {
    let line = line.trim();
    line.starts_with(fence) && line.trim_start_matches(&fence[..1]).is_empty()
}

/// What a line is that begins with `text`, or is it when whole.
fn kind(text: &str, is_whole: bool) -> Kind {
    let body = text.trim_start();
    let indent = text.len() - body.len();
    let Some(first) = body.chars().next() else {
        return if is_whole || indent > MAX_OPENING_BYTES { Kind::Plain } else { Kind::Unknown };
    };
    let n = body.chars().take_while(|c| *c == first).count();
    let after = body[n * first.len_utf8()..].chars().next();
    let is_open = after.is_none() && !is_whole && text.len() < MAX_OPENING_BYTES;
    match first {
        // The language of a block has no such mark: it is code within a line.
        '`' if body[n..].contains('`') => Kind::Plain,
        '`' | '~' if n >= 3 && (is_whole || text.len() >= MAX_OPENING_BYTES) => {
            Kind::Fence(body[..n].to_owned())
        }
        '`' | '~' if n >= 3 || is_open => Kind::Unknown,
        '#' if n <= 6 && after == Some(' ') => Kind::Heading(indent + n),
        '-' | '*' | '_' if n >= 3 && body.trim_end().len() == n && is_whole => Kind::Rule,
        '-' | '*' | '+' if n == 1 && after == Some(' ') => Kind::Bullet { indent },
        '>' if after.is_some() || is_whole => Kind::Quote,
        '#' | '-' | '*' | '+' | '_' | '>' if is_open => Kind::Unknown,
        _ => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same output for any cut of the text into pieces; escape sequences become short names.
    fn check(text: &str, want: &str) {
        let shown = |pieces: &[&str]| {
            let mut markdown = Markdown::new();
            let mut out: String = pieces.iter().map(|piece| markdown.push(piece)).collect();
            out.push_str(&markdown.finish());
            out.replace(style::RESET, "<0>")
                .replace(style::heading(), "<h>")
                .replace(style::BOLD, "<b>")
                .replace("\x1b[3m", "<i>")
                .replace(style::code(), "<c>")
                .replace(style::DIM, "<d>")
        };
        assert_eq!(shown(&[text]), want);
        for (at, _) in text.char_indices() {
            assert_eq!(shown(&[&text[..at], &text[at..]]), want, "cut at {at}");
        }
    }

    #[test]
    fn lines_show_what_they_are() {
        check("plain text", "plain text");
        check("# Title\nText", "<h>Title<0>\nText");
        check("- one\n  * two\n", "• one\n  • two\n");
        check("> said\n", "<d>│<0> said\n");
        check("#hashtag\n-5 degrees", "#hashtag\n-5 degrees");
        check("1. first\n\n2. second", "1. first\n\n2. second");
    }

    #[test]
    fn words_are_emphasized() {
        check("a **b** c", "a <0><b>b<0> c");
        check("*a* `x*y`", "<0><i>a<0> <0><c>x*y<0>");
        check("snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4");
        check("**start** of a line", "<0><b>start<0> of a line");
    }

    #[test]
    fn a_marker_that_nothing_closes_is_text() {
        check("2 *3 and\nnext", "2 *3 and\nnext");
        check("**open\nnext", "**open\nnext");
        check("a _b `c", "a _b `c");
        check("*a **b** c", "*a <0><b>b<0> c");
        check("``a`b`` c", "<0><c>a`b<0> c");
        let long = "x".repeat(500);
        check(&format!("*{long} *b*"), &format!("*{long} <0><i>b<0>"));
    }

    #[test]
    fn code_is_printed_by_the_line() {
        check("```nolang\na*b*\n```\nend", "<c>a*b*<0>\nend");
        check("```nolang\nno end", "<c>no end<0>\n");
        check("```nolang\na\n```", "<c>a<0>\n");
        check("```nolang\na\n````\nend", "<c>a<0>\nend");
        check("~~~nolang\n```\n~~~\nend", "<c>```<0>\nend");
        check("```x``` is code\nend", "<0><c>x<0> is code\nend");
    }

    #[test]
    fn controls_do_not_reach_the_terminal() {
        check("a\u{1b}[2Jb\u{7}\u{9b}c", "a[2Jbc");
    }
}
