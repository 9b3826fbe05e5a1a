//! How answers look on a terminal: Markdown as it streams, code in colour. Knows no model.

mod code;
mod inline;
mod markdown;

pub(crate) use markdown::Markdown;

/// Escape sequences, all of them SGR.
pub(crate) mod style {
    pub(crate) const RESET: &str = "\x1b[0m";
    pub(crate) const DIM: &str = "\x1b[2m";
    pub(crate) const BOLD: &str = "\x1b[1m";
    pub(crate) const HEADING: &str = "\x1b[1;36m";
    pub(crate) const CODE: &str = "\x1b[33m";
}
