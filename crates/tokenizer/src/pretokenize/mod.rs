//! Splitting text into words before BPE merges. Each model family was trained with a certain regular expression;
//! here they are data for one scanner that reads the text once. There is no regex engine, no backtracking beyond a
//! character or two, and no recursion, so no input is slow.

mod families;
#[cfg(test)]
mod oracle;
mod rule;
mod scan;
mod split;
#[cfg(test)]
mod tests;

use split::Split;

/// How one family of models cuts text, and what else its name implies.
#[derive(Debug)]
pub(crate) struct PreTokenizer {
    /// Values of `tokenizer.ggml.pre`.
    names: &'static [&'static str],
    /// Applied in turn, each to the pieces the one before left.
    splits: &'static [Split],
    /// Merges work on the bytes of a word, not on its characters.
    pub(crate) byte_level: bool,
    /// A word that is a token is taken whole.
    pub(crate) whole_words: bool,
    /// A run of newlines that is a token is taken whole.
    pub(crate) whole_newlines: bool,
    pub(crate) clean_spaces: bool,
    pub(crate) escape_spaces: bool,
    pub(crate) keeps_case: bool,
    pub(crate) add_bos: bool,
    /// Whatever the file says.
    pub(crate) always_bos: bool,
    pub(crate) add_sep: bool,
    pub(crate) no_default_bos: bool,
    /// The vocabulary may come without merges.
    pub(crate) merges_optional: bool,
}

impl PreTokenizer {
    /// The family of a `tokenizer.ggml.pre` value; the empty name is the default.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let name = if name.is_empty() { "default" } else { name };
        families::FAMILIES.iter().find(|family| family.names.contains(&name))
    }

    /// Every name that [`Self::named`] knows.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        families::FAMILIES.iter().flat_map(|family| family.names).copied()
    }

    /// Calls `word` with each word of `text`, in order; together they are the text.
    pub(crate) fn split<'t>(&self, text: &'t str, word: &mut dyn FnMut(&'t str)) {
        apply(self.splits, text, word);
    }
}

/// Runs the splits one inside the other: as deep as the family has splits (at most six), whatever the text.
fn apply<'t>(splits: &[Split], text: &'t str, word: &mut dyn FnMut(&'t str)) {
    match splits {
        [] => word(text),
        [last] => last.split(text, word),
        [first, rest @ ..] => first.split(text, &mut |piece| apply(rest, piece, word)),
    }
}
