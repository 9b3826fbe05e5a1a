//! A set of tokens as bits, one for each token of the vocabulary.

use crate::TokenId;

const BITS: usize = u64::BITS as usize;

/// A set of tokens of one vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    words: Vec<u64>,
    n_tokens: usize,
}

impl TokenSet {
    /// No token of a vocabulary of this size.
    pub fn empty(n_tokens: usize) -> Self {
        Self { words: vec![0; n_tokens.div_ceil(BITS)], n_tokens }
    }

    /// Size of the vocabulary.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// Whether the token is in the set; tokens outside the vocabulary are not.
    pub fn contains(&self, token: TokenId) -> bool {
        let token = token as usize;
        self.words.get(token / BITS).is_some_and(|word| word >> (token % BITS) & 1 == 1)
    }

    /// Adds a token of the vocabulary.
    pub fn insert(&mut self, token: TokenId) {
        let token = token as usize;
        assert!(token < self.n_tokens, "token {token} of {}", self.n_tokens);
        self.words[token / BITS] |= 1 << (token % BITS);
    }

    /// Removes a token.
    pub fn remove(&mut self, token: TokenId) {
        let token = token as usize;
        if let Some(word) = self.words.get_mut(token / BITS) {
            *word &= !(1 << (token % BITS));
        }
    }

    /// Removes all tokens.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Adds every token of another set of the same vocabulary.
    pub fn union_with(&mut self, other: &Self) {
        assert_eq!(self.n_tokens, other.n_tokens, "sets of two vocabularies");
        for (word, &other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Number of tokens in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The tokens in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some((i * BITS) as TokenId + bit)
            })
        })
    }

    /// The bits, token 0 being the lowest of the first word; those beyond the vocabulary are zero.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn size_bytes(&self) -> usize {
        size_of_val(self.words.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut set = TokenSet::empty(130);
        assert!(set.is_empty());
        for token in [0, 63, 64, 129] {
            set.insert(token);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert_eq!(set.len(), 4);
        set.remove(63);
        set.remove(1000);
        assert!(set.contains(64) && !set.contains(63) && !set.contains(130) && !set.contains(1000));
        let mut other = TokenSet::empty(130);
        other.insert(7);
        other.union_with(&set);
        assert_eq!(other.iter().collect::<Vec<_>>(), [0, 7, 64, 129]);
    }
}
