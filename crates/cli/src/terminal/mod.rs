//! How answers look on a terminal: Markdown as it streams, code in colour. Also what the terminal can do, and in which
//! modes it is left. Knows no model.

mod code;
mod inline;
mod markdown;
#[cfg(unix)]
pub(crate) mod modes;

use std::env;
use std::ffi::OsStr;

pub(crate) use markdown::Markdown;

/// Whether terminals understand escape sequences here, as far as `TERM` says. On Windows, where nothing sets it, they do.
pub(crate) fn is_capable() -> bool {
    understands(env::var_os("TERM").as_deref())
}

/// Whether the user wants colours (<https://no-color.org>).
pub(crate) fn is_coloured() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn understands(term: Option<&OsStr>) -> bool {
    term.map_or(cfg!(windows), |term| term != "dumb" && !term.is_empty())
}

/// Escape sequences, all of them SGR.
pub(crate) mod style {
    pub(crate) const RESET: &str = "\x1b[0m";
    pub(crate) const DIM: &str = "\x1b[2m";
    pub(crate) const BOLD: &str = "\x1b[1m";

    /// Coloured, or else underlined.
    pub(crate) fn heading() -> &'static str {
        if super::is_coloured() { "\x1b[1;36m" } else { "\x1b[1;4m" }
    }

    /// Coloured, or else underlined.
    pub(crate) fn code() -> &'static str {
        if super::is_coloured() { "\x1b[33m" } else { "\x1b[4m" }
    }
}
