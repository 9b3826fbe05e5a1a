//! Code blocks in colour, a line at a time.

use std::sync::OnceLock;

use syntect::easy::HighlightLines;
use syntect::highlighting::{Theme, ThemeSet};
use syntect::parsing::SyntaxSet;
use syntect::util::as_24_bit_terminal_escaped;

use super::{is_coloured, style};

/// A longer line is printed without colour: patterns of syntaxes are not made for it.
const MAX_COLOURED_BYTES: usize = 4000;

struct Data {
    syntaxes: SyntaxSet,
    theme: Theme,
}

/// Unpacked when the first block of code arrives.
fn data() -> &'static Data {
    static DATA: OnceLock<Data> = OnceLock::new();
    DATA.get_or_init(|| {
        let mut themes = ThemeSet::load_defaults().themes;
        Data {
            syntaxes: SyntaxSet::load_defaults_newlines(),
            theme: themes.remove("base16-eighties.dark").unwrap_or_default(),
        }
    })
}

/// The block of code being printed.
pub(super) struct Code {
    /// None for a language nobody knows, and without colours.
    highlighter: Option<HighlightLines<'static>>,
}

impl Code {
    /// A block whose fence says `language`.
    pub(super) fn new(language: &str) -> Self {
        let data = data();
        let word = language.split([' ', ',', '{']).next().unwrap_or_default();
        let syntax = data.syntaxes.find_syntax_by_token(word).filter(|_| !word.is_empty() && is_coloured());
        Self { highlighter: syntax.map(|syntax| HighlightLines::new(syntax, &data.theme)) }
    }

    /// A line without its end.
    pub(super) fn line(&mut self, line: &str, out: &mut String) {
        let whole = format!("{line}\n");
        let coloured = match &mut self.highlighter {
            Some(highlighter) if line.len() <= MAX_COLOURED_BYTES => {
                highlighter.highlight_line(&whole, &data().syntaxes).ok()
            }
            _ => None,
        };
        match coloured {
            Some(parts) => out.push_str(as_24_bit_terminal_escaped(&parts, false).trim_end_matches('\n')),
            None => {
                out.push_str(style::code());
                out.push_str(line);
            }
        }
        out.push_str(style::RESET);
        out.push('\n');
    }
}
