//! Texts from files and pipes: what is none is refused, with its name and the place.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

pub(crate) fn read(path: &Path) -> Result<String> {
    let name = || path.display().to_string();
    text(fs::read(path).with_context(name)?).with_context(name)
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
