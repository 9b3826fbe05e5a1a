//! Texts from files and pipes: what is none is refused, with its name and the place.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

/// Far more than any context holds, so that what has no end is not read for ever.
const MOST_BYTES: u64 = 256 << 20;

pub(crate) fn read(path: &Path) -> Result<String> {
    let name = || path.display().to_string();
    read_all(File::open(path).with_context(name)?).with_context(name)
}

/// All of a file or pipe.
pub(crate) fn read_all(from: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MOST_BYTES, "more than {} MiB, which no context holds", MOST_BYTES >> 20);
    text(bytes)
}

/// What to say to a model. Editors and `echo` put a line break at the end, which nobody means.
pub(crate) fn read_prompt(path: &Path) -> Result<String> {
    read(path).map(without_last_break)
}

pub(crate) fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow!("no UTF-8 text: byte {at} is no part of a character; convert it, for example with iconv")
    })
}

pub(crate) fn without_last_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused() {
        let error = read_all(std::io::repeat(b'a')).expect_err("endless").to_string();
        assert!(error.contains("256 MiB"), "{error}");
    }
}
