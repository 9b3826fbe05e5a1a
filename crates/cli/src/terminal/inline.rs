//! Emphasis, strong emphasis and code within a line, as characters arrive. Only markers are held back.

use super::style;

/// What is switched on, and the marker that may still grow.
#[derive(Debug, Default)]
pub(super) struct Inline {
    strong: bool,
    emphasis: bool,
    code: bool,
    /// A run of one marker character whose end is not known yet.
    run: Option<(char, usize)>,
    /// The character before the run, or before the next one.
    before: Option<char>,
}

impl Inline {
    pub(super) fn push(&mut self, c: char, out: &mut String) {
        match self.run {
            Some((marker, n)) if marker == c => {
                self.run = Some((marker, n + 1));
                return;
            }
            Some(_) => self.close_run(Some(c), out),
            None => {}
        }
        let is_marker = c == '`' || (!self.code && matches!(c, '*' | '_'));
        if is_marker {
            self.run = Some((c, 1));
        } else {
            out.push(c);
            self.before = Some(c);
        }
    }

    /// Ends the line: what is open is closed, as emphasis does not span blocks here.
    pub(super) fn end_line(&mut self, out: &mut String) {
        if self.run.is_some() {
            self.close_run(None, out);
        }
        if self.strong || self.emphasis || self.code {
            out.push_str(style::RESET);
        }
        *self = Self::default();
    }

    /// The run is over: it switches styles, or it is text.
    fn close_run(&mut self, next: Option<char>, out: &mut String) {
        let Some((marker, n)) = self.run.take() else {
            return;
        };
        let opens = next.is_some_and(|c| !c.is_whitespace());
        let closes = self.before.is_some_and(|c| !c.is_whitespace());
        // Within a word an underscore is a letter: snake_case.
        let in_word = marker == '_' && opens && closes && next.is_some_and(char::is_alphanumeric);
        let is_styled = match (marker, n) {
            ('`', _) => toggle(&mut self.code, opens, true),
            ('*' | '_', 1) if !in_word => toggle(&mut self.emphasis, opens, closes),
            ('*' | '_', 2) if !in_word => toggle(&mut self.strong, opens, closes),
            ('*' | '_', 3) if !in_word => {
                toggle(&mut self.emphasis, opens, closes) & toggle(&mut self.strong, opens, closes)
            }
            _ => false,
        };
        if is_styled {
            self.write_style(out);
        } else {
            out.extend(std::iter::repeat_n(marker, n));
        }
        self.before = Some(marker);
    }

    fn write_style(&self, out: &mut String) {
        out.push_str(style::RESET);
        if self.code {
            out.push_str(style::CODE);
        }
        if self.strong {
            out.push_str(style::BOLD);
        }
        if self.emphasis {
            out.push_str("\x1b[3m");
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
