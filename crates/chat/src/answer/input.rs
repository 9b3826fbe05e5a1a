//! Text that arrives in pieces, and looking for markers in it. What might be the beginning of a marker waits, so that
//! it makes no difference how the text was cut.

/// The text that has come and is not consumed yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    text: String,
    at: usize,
    /// Bytes that were taken and are no longer in `text`.
    n_dropped: usize,
    /// Nothing more will come.
    pub(super) is_finished: bool,
}

/// How far a name, an id or an attribute can reach: more text without the mark that ends it is none. Where that is
/// decided must not depend on how much has come.
const NEAR: usize = 256;

/// The marker is too far away to mean anything.
pub(super) struct TooFar;

/// What a search found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// After so many bytes comes the marker of this index.
    Marker { before: usize, which: usize },
    /// So many bytes belong to no marker; more text is needed to tell about the rest.
    Safe(usize),
}

impl Input {
    pub(super) fn push(&mut self, piece: &str) {
        if self.at > 4096 && self.at * 2 > self.text.len() {
            self.text.drain(..self.at);
            self.n_dropped += self.at;
            self.at = 0;
        }
        self.text.push_str(piece);
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn take(&mut self, bytes: usize) -> &str {
        let start = self.at;
        self.at += bytes;
        &self.text[start..self.at]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes white space; whether something else has come after it.
    pub(super) fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let space = rest.len() - rest.trim_start().len();
        self.at += space;
        !self.rest().is_empty()
    }

    /// Looks for the first of the markers, the longest if several begin there.
    pub(super) fn find(&self, markers: &[&str]) -> Found {
        self.find_from(0, markers)
    }

    /// As `find`, when it is known that no marker begins in the first `start` bytes.
    pub(super) fn find_from(&self, start: usize, markers: &[&str]) -> Found {
        self.find_between(start, usize::MAX, markers)
    }

    /// As `find_from`, for a marker that is only of use within [`NEAR`] bytes of `start`; `Err` if none begins there.
    pub(super) fn find_near(&self, start: usize, markers: &[&str]) -> Result<Found, TooFar> {
        match self.find_between(start, start + NEAR, markers) {
            Found::Safe(n) if n > start + NEAR => Err(TooFar),
            found => Ok(found),
        }
    }

    /// Looks for a marker that begins at one of the bytes from `start` to `end`.
    fn find_between(&self, start: usize, end: usize, markers: &[&str]) -> Found {
        let text = self.rest();
        for (at, _) in text[start..].char_indices() {
            let at = start + at;
            let rest = &text[at..];
            if at > end {
                return Found::Safe(at);
            }
            match self.starts(rest, markers) {
                Start::With(which) => return Found::Marker { before: at, which },
                Start::Maybe => return Found::Safe(at),
                Start::Without => {}
            }
        }
        Found::Safe(text.len())
    }

    /// How much was taken of all that came.
    pub(super) fn position(&self) -> usize {
        self.n_dropped + self.at
    }

    /// Whether one of the markers comes next.
    pub(super) fn next_is(&self, markers: &[&str]) -> Start {
        match self.rest() {
            "" if self.is_finished => Start::Without,
            "" => Start::Maybe,
            rest => self.starts(rest, markers),
        }
    }

    fn starts(&self, rest: &str, markers: &[&str]) -> Start {
        let mut best: Option<usize> = None;
        for (which, marker) in markers.iter().enumerate().filter(|(_, marker)| !marker.is_empty()) {
            if rest.starts_with(marker) {
                if best.is_none_or(|best| markers[best].len() < marker.len()) {
                    best = Some(which);
                }
            } else if !self.is_finished && marker.starts_with(rest) {
                return Start::Maybe;
            }
        }
        best.map_or(Start::Without, Start::With)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    With(usize),
    /// More text is needed to tell.
    Maybe,
    Without,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_however_the_text_is_cut() {
        let check = |text: &str, is_finished: bool, expect: Found| {
            let mut input = Input { is_finished, ..Input::default() };
            input.push(text);
            assert_eq!(input.find(&["<a>", "<a>\n", "b>c"]), expect, "{text}");
        };
        check("xy", false, Found::Safe(2));
        check("x<a", false, Found::Safe(1));
        check("x<a", true, Found::Safe(3));
        check("x<a>", false, Found::Safe(1));
        check("x<a>", true, Found::Marker { before: 1, which: 0 });
        check("x<a>y", false, Found::Marker { before: 1, which: 0 });
        check("x<a>\ny", false, Found::Marker { before: 1, which: 1 });
        check("é<b>c", false, Found::Marker { before: 3, which: 2 });
    }
}
