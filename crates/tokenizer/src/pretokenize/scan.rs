//! Reading a text by position, with the extent of the current run of white space remembered.

use crate::unicode::Class;

/// A text, and the run of white space last looked at: rules ask about it at every character of it.
pub(super) struct Scan<'t> {
    text: &'t str,
    space: SpaceRun,
}

/// A run of white space that starts before or at the place asked about.
#[derive(Clone, Copy, Default)]
pub(super) struct SpaceRun {
    /// Byte offset of its end.
    pub(super) end: usize,
    /// Byte offset behind its last `\r` or `\n`; 0 without one.
    pub(super) newline_end: usize,
    /// Byte offset of its last character.
    pub(super) last: usize,
    /// Characters from `at` to the end.
    pub(super) n_chars: usize,
    at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, space: SpaceRun::default() }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Byte at `at`, 0 behind the end.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Code point at `at` and the offset behind it; behind the end a code point that is none.
    #[inline]
    pub(super) fn code_point(&self, at: usize) -> (u32, usize) {
        let bytes = self.text.as_bytes();
        let byte = |i: usize| bytes.get(at + i).map_or(0, |&byte| u32::from(byte & 0x3f));
        match bytes.get(at).copied() {
            None => (u32::MAX, at),
            Some(first @ 0..0x80) => (u32::from(first), at + 1),
            Some(first @ 0x80..0xe0) => (u32::from(first & 0x1f) << 6 | byte(1), at + 2),
            Some(first @ 0xe0..0xf0) => (u32::from(first & 0x0f) << 12 | byte(1) << 6 | byte(2), at + 3),
            Some(first) => (u32::from(first & 0x07) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3), at + 4),
        }
    }

    /// Class of the character at `at` and the offset behind it.
    #[inline]
    pub(super) fn class(&self, at: usize) -> (Class, usize) {
        let (code_point, end) = self.code_point(at);
        (Class::of(code_point), end)
    }

    /// Offset behind the character at `at`.
    pub(super) fn after(&self, at: usize) -> usize {
        self.code_point(at).1
    }

    /// The run of white space from `at` on, if there is one. Costs its length once, however often it is asked for.
    pub(super) fn space_run(&mut self, at: usize) -> Option<SpaceRun> {
        if at < self.space.end && at >= self.space.at {
            while self.space.at < at {
                self.space.at = self.after(self.space.at);
                self.space.n_chars -= 1;
            }
            return Some(self.space);
        }
        let mut run = SpaceRun { end: at, at, ..SpaceRun::default() };
        loop {
            let (class, end) = self.class(run.end);
            if !class.is(Class::WHITESPACE) {
                break;
            }
            if matches!(self.byte(run.end), b'\r' | b'\n') {
                run.newline_end = end;
            }
            run.last = run.end;
            run.end = end;
            run.n_chars += 1;
        }
        if run.n_chars == 0 {
            return None;
        }
        self.space = run;
        Some(run)
    }
}
