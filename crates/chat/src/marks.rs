//! Marks around pieces of user text that look like control tokens.

/// Two noncharacters of Unicode, which no text contains.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

pub(crate) fn is_mark(c: char) -> bool {
    matches!(c, OPEN | CLOSE)
}
