//! Standard output and standard error: data and talk.

use std::io::{self, Write};

use anyhow::Result;

/// Says something to the user, beside the data. It may hold words of files, whose escape sequences a terminal would
/// obey: they are shown instead.
pub(crate) fn note(text: &str) {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    // Nobody is left to tell if standard error is closed.
    drop(writeln!(io::stderr().lock(), "{shown}"));
}

/// Writes data and makes it visible at once.
pub(crate) fn emit(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Whether the reader of our output went away, which is its right.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
