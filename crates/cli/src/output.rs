//! Standard output and standard error: data and talk.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};

/// The context of errors of [`emit`]: there is nobody any more to write for.
#[derive(Debug)]
struct StandardOutput;

impl fmt::Display for StandardOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output")
    }
}

/// Says something to the user, beside the data.
pub(crate) fn note(text: &str) {
    // Nobody is left to tell if standard error is closed.
    drop(writeln!(io::stderr().lock(), "{}", visible(text)));
}

/// Says something that the user answers in the same line.
pub(crate) fn ask(text: &str) {
    drop(write!(io::stderr().lock(), "{text}"));
}

/// Writes data and makes it visible at once.
///
/// A terminal would obey the escape sequences in it, which may be those of a model or a file: it is shown them instead.
pub(crate) fn emit(text: &str) -> Result<()> {
    if io::stdout().is_terminal() { emit_styled(&visible(text)) } else { emit_styled(text) }
}

/// As [`emit`], of bytes that may be no text, which a terminal is not shown.
pub(crate) fn emit_bytes(bytes: &[u8]) -> Result<()> {
    if io::stdout().is_terminal() { emit(&String::from_utf8_lossy(bytes)) } else { write(bytes) }
}

/// Writes what is laid out for a terminal, with escape sequences.
pub(crate) fn emit_styled(text: &str) -> Result<()> {
    write(text.as_bytes())
}

fn write(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context(StandardOutput)
}

/// The text with escape sequences in place of controls other than line breaks and tabs.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

/// Whether a terminal shows it and does nothing else.
pub(crate) fn is_harmless(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t')
}

/// Whether nothing more can be written.
pub(crate) fn is_closed(error: &anyhow::Error) -> bool {
    error.is::<StandardOutput>()
}

/// Whether the reader of our output went away, which is its right.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
