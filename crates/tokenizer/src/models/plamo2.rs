//! PLaMo 2: of all ways to spell the text, the one whose tokens score best together, found from the end to the start
//! in whole numbers.

use crate::trie::Trie;
use crate::vocab::{TokenAttr, Vocab, escaped_byte};
use crate::{Error, Result, TokenId};

/// What encoding needs besides the vocabulary.
#[derive(Debug)]
pub(crate) struct Plamo2 {
    tokens: Trie,
    /// Cost of each token: its score in units of 10^-4, with the sign turned.
    costs: Vec<i64>,
    bytes: [TokenId; 256],
}

/// The cheapest way to spell the text from some place on.
#[derive(Clone, Copy)]
struct Best {
    cost: i64,
    /// The token it starts with; `None` is a character spelled in bytes.
    token: Option<TokenId>,
    /// Bytes of what it starts with.
    len: u32,
}

/// A character spelled in bytes.
const UNKNOWN_COST: i64 = 10_000_000;
/// Tokens that cost this or more are never used.
const NEVER_COST: i64 = 20_000_000;
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Plamo2 {
    pub(crate) fn new(vocab: &Vocab) -> Result<Self> {
        let mut bytes = [None; 256];
        let mut costs = Vec::with_capacity(vocab.len());
        for id in 0..vocab.len() as TokenId {
            let is_byte = vocab.attr(id).has(TokenAttr::BYTE);
            if let Some(byte) = vocab.text(id).filter(|_| is_byte).and_then(escaped_byte) {
                bytes[usize::from(byte)] = Some(id);
            }
            let score = vocab.score(id).filter(|score| score.is_finite() && !is_byte);
            // Small enough that no text makes the sum overflow.
            let cost = score.map(|score| i64::from(-(f64::from(score) * 1e4).round() as i32));
            costs.push(cost.unwrap_or(NEVER_COST));
        }
        let usable = |id: &TokenId| costs[*id as usize] < NEVER_COST;
        let ids = (0..vocab.len() as TokenId).filter(usable);
        // What is no UTF-8 matches no text.
        let texts = ids.filter_map(|id| Some((vocab.text(id)?, id)));
        let tokens = Trie::build(texts.filter(|(text, _)| std::str::from_utf8(text).is_ok()));
        let mut byte_ids = [0; 256];
        for (byte, id) in bytes.iter().enumerate() {
            byte_ids[byte] = id.ok_or(Error::MissingByte(byte as u8))?;
        }
        Ok(Self { tokens, costs, bytes: byte_ids })
    }

    /// Appends the tokens of `text`.
    pub(crate) fn encode(&self, text: &str, out: &mut Vec<TokenId>) {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let best = self.spell(text);
        let mut at = 0;
        while at < text.len() {
            let Best { token, len, .. } = best[at];
            let end = at + len as usize;
            match token {
                Some(id) => out.push(id),
                None => out.extend(text[at..end].bytes().map(|byte| self.bytes[usize::from(byte)])),
            }
            at = end;
        }
    }

    /// The cheapest way from each character of `text` on.
    fn spell(&self, text: &str) -> Vec<Best> {
        let mut best = vec![Best { cost: 0, token: None, len: 0 }; text.len() + 1];
        for (at, c) in text.char_indices().rev() {
            let len = c.len_utf8();
            let mut here = Best { cost: best[at + len].cost + UNKNOWN_COST, token: None, len: len as u32 };
            // Shortest first: of equal costs the longest token wins.
            for (len, id) in self.tokens.prefixes(&text.as_bytes()[at..]) {
                let cost = best[at + len].cost + self.costs[id as usize];
                if cost <= here.cost {
                    here = Best { cost, token: Some(id), len: len as u32 };
                }
            }
            best[at] = here;
        }
        best
    }
}
