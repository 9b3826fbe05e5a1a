//! Emphasis, strong emphasis and code within a line, as characters arrive. Held back is only what stands after a marker
//! that nothing has closed yet: what never is closed is no marker, and must be shown.

use super::style;

/// A marker further away than this from what would close it is text.
const MAX_HELD_BYTES: usize = 400;

/// What is switched on, and the marker that may still grow.
#[derive(Debug, Default)]
pub(super) struct Inline {
    strong: bool,
    emphasis: bool,
    /// How many backticks opened the code; 0 outside of code.
    code: usize,
    /// A run of one marker character whose end is not known yet.
    run: Option<(char, usize)>,
    /// The character before the run, or before the next one.
    before: Option<char>,
    held: Option<Held>,
}

/// What followed an open marker.
#[derive(Debug)]
struct Held {
    marker: char,
    n: usize,
    /// As it came, if the marker turns out to be text.
    raw: String,
    /// As it looks, if the marker is closed.
    styled: String,
}

impl Inline {
    pub(super) fn push(&mut self, c: char, out: &mut String) {
        match self.run {
            Some((marker, n)) if marker == c => self.run = Some((marker, n + 1)),
            _ => {
                self.close_run(Some(c), out);
                let is_marker = c == '`' || (self.code == 0 && matches!(c, '*' | '_'));
                if is_marker {
                    self.run = Some((c, 1));
                } else {
                    self.text(out).push(c);
                    self.before = Some(c);
                }
            }
        }
        if let Some(held) = &mut self.held {
            held.raw.push(c);
            if held.raw.len() > MAX_HELD_BYTES {
                self.give_up(out);
            }
        }
    }

    /// Ends the line: emphasis does not span blocks here.
    pub(super) fn end_line(&mut self, out: &mut String) {
        self.close_run(None, out);
        while self.held.is_some() {
            self.give_up(out);
            self.close_run(None, out);
        }
        *self = Self::default();
    }

    /// Where text goes.
    fn text<'a>(&'a mut self, out: &'a mut String) -> &'a mut String {
        self.held.as_mut().map_or(out, |held| &mut held.styled)
    }

    /// The open marker is text after all, and what followed it is read anew.
    fn give_up(&mut self, out: &mut String) {
        let Some(Held { marker, n, raw, .. }) = self.held.take() else {
            return;
        };
        out.extend(std::iter::repeat_n(marker, n));
        *self = Self { before: Some(marker), ..Self::default() };
        raw.chars().for_each(|c| self.push(c, out));
    }

    /// If there is a run, it is over: it switches styles, or it is text.
    fn close_run(&mut self, next: Option<char>, out: &mut String) {
        let Some((marker, n)) = self.run.take() else {
            return;
        };
        let opens = next.is_some_and(|c| !c.is_whitespace());
        let closes = self.before.is_some_and(|c| !c.is_whitespace());
        // Within a word an underscore is a letter: snake_case.
        let in_word = marker == '_' && opens && closes && next.is_some_and(char::is_alphanumeric);
        let is_styled = match (marker, n) {
            ('`', _) if self.code == 0 && opens => {
                self.code = n;
                true
            }
            ('`', _) if self.code == n => {
                self.code = 0;
                true
            }
            ('*' | '_', 1) if !in_word => toggle(&mut self.emphasis, opens, closes),
            ('*' | '_', 2) if !in_word => toggle(&mut self.strong, opens, closes),
            ('*' | '_', 3) if !in_word && self.emphasis == self.strong => {
                toggle(&mut self.emphasis, opens, closes) & toggle(&mut self.strong, opens, closes)
            }
            _ => false,
        };
        if is_styled {
            self.hold_or_release(marker, n, out);
        } else {
            self.text(out).extend(std::iter::repeat_n(marker, n));
        }
        self.before = Some(marker);
    }

    /// After a marker has switched styles.
    fn hold_or_release(&mut self, marker: char, n: usize, out: &mut String) {
        let mut styles = String::from(style::RESET);
        if self.code > 0 {
            styles.push_str(style::code());
        }
        if self.strong {
            styles.push_str(style::BOLD);
        }
        if self.emphasis {
            styles.push_str("\x1b[3m");
        }
        let is_open = self.code > 0 || self.strong || self.emphasis;
        if is_open && self.held.is_none() {
            self.held = Some(Held { marker, n, raw: String::new(), styled: String::new() });
        }
        self.text(out).push_str(&styles);
        if !is_open && let Some(held) = self.held.take() {
            out.push_str(&held.styled);
        }
    }
}

/// Switches a style if the marker may do so; whether it did.
fn toggle(on: &mut bool, opens: bool, closes: bool) -> bool {
    let allowed = if *on { closes } else { opens };
    if allowed {
        *on = !*on;
    }
    allowed
}
