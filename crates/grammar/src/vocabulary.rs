//! The tokens of a model as a trie over their bytes, which every constraint walks. It is no tokenizer: it knows what
//! each token says, not how a text becomes tokens.

use std::sync::{Arc, OnceLock};

use crate::TokenId;
use crate::guidance::Guidance;

/// The texts of all tokens, in the order of their bytes; shared by the constraints of a model.
#[derive(Debug)]
pub struct Vocabulary {
    /// Depth-first; the root first, a node without meaning last, whose `first_token` ends the list.
    nodes: Vec<Node>,
    /// For each node the bytes below it, by bits; all bits where one is not ASCII.
    bytes_below: Vec<u128>,
    /// Tokens in the order of the nodes at which they end.
    sorted: Vec<TokenId>,
    texts: Vec<u8>,
    /// Where each token's text begins in `texts`, and the end of the last.
    starts: Vec<u32>,
    control: Vec<bool>,
    eog: Vec<TokenId>,
    guidance: OnceLock<Guidance>,
}

/// What a vocabulary says about one token.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    /// What the token stands for; of a control token its name, e.g. `<|im_start|>`.
    pub text: &'a [u8],
    /// Whether it controls the model and is no text.
    pub is_control: bool,
}

/// A byte after its parent's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Index after the last node below this one.
    pub(crate) end: u32,
    /// Index of the first token here or below; those here come first.
    pub(crate) first_token: u32,
    /// Number of bytes up to here, which is at least 1 but for the root.
    pub(crate) depth: u32,
    pub(crate) byte: u8,
}

impl Vocabulary {
    /// Collects the tokens, the first of which has id 0, and those among them that end a generation.
    ///
    /// Tokens with no text, or with a NUL in it, never match a grammar's characters; tokens that end the generation
    /// never match anything.
    pub fn new<'a>(tokens: impl IntoIterator<Item = Token<'a>>, eog: &[TokenId]) -> Arc<Self> {
        let (mut texts, mut starts, mut control) = (Vec::new(), vec![0], Vec::new());
        for token in tokens {
            texts.extend_from_slice(token.text);
            starts.push(u32::try_from(texts.len()).expect("the texts of a vocabulary are below 4 GiB"));
            control.push(token.is_control);
        }
        let mut eog: Vec<_> = eog.iter().copied().filter(|&id| (id as usize) < control.len()).collect();
        eog.sort_unstable();
        eog.dedup();
        let guidance = OnceLock::new();
        let mut vocabulary = Self {
            nodes: Vec::new(),
            bytes_below: Vec::new(),
            sorted: Vec::new(),
            texts,
            starts,
            control,
            eog,
            guidance,
        };
        vocabulary.build();
        Arc::new(vocabulary)
    }

    /// Number of tokens.
    pub fn n_tokens(&self) -> usize {
        self.control.len()
    }

    /// Tokens that end a generation, ascending.
    pub fn eog(&self) -> &[TokenId] {
        &self.eog
    }

    /// Whether the token ends a generation.
    pub fn is_eog(&self, token: TokenId) -> bool {
        self.eog.binary_search(&token).is_ok()
    }

    /// Whether the token controls the model; one outside the vocabulary does not.
    pub fn is_control(&self, token: TokenId) -> bool {
        self.control.get(token as usize).is_some_and(|&is_control| is_control)
    }

    /// The bytes of a token; `None` outside the vocabulary.
    pub fn text(&self, token: TokenId) -> Option<&[u8]> {
        let start = *self.starts.get(token as usize)?;
        let end = *self.starts.get(token as usize + 1)?;
        Some(&self.texts[start as usize..end as usize])
    }

    /// The first token of exactly this text.
    pub fn find(&self, text: &[u8]) -> Option<TokenId> {
        let at = self.sorted.partition_point(|&id| self.bytes(id) < text);
        let found = *self.sorted.get(at)?;
        let is_same = self.bytes(found) == text;
        is_same.then_some(found).or_else(|| self.eog.iter().copied().find(|&id| self.bytes(id) == text))
    }

    /// Tokens whose text can match characters.
    pub(crate) fn readable(&self) -> &[TokenId] {
        &self.sorted
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Bytes below the node, by bits; more than there are where one is not ASCII.
    pub(crate) fn bytes_below(&self, node: usize) -> u128 {
        self.bytes_below[node]
    }

    /// Tokens that end at this node or below it.
    pub(crate) fn tokens_within(&self, node: usize) -> &[TokenId] {
        let (first, after) =
            (self.nodes[node].first_token, self.nodes[self.nodes[node].end as usize].first_token);
        &self.sorted[first as usize..after as usize]
    }

    /// Tokens that end at this node.
    pub(crate) fn tokens_at(&self, node: usize) -> &[TokenId] {
        let (first, after) = (self.nodes[node].first_token, self.nodes[node + 1].first_token);
        &self.sorted[first as usize..after as usize]
    }

    /// What the engine of schemas needs of the vocabulary; built when first asked for.
    pub(crate) fn guidance(&self) -> &Guidance {
        self.guidance.get_or_init(|| Guidance::new(self))
    }

    fn bytes(&self, token: TokenId) -> &[u8] {
        self.text(token).expect("only tokens of the vocabulary are listed")
    }

    fn build(&mut self) {
        let is_readable = |text: &[u8]| !text.is_empty() && !text.contains(&0);
        let ids = 0..self.n_tokens() as TokenId;
        let mut sorted: Vec<_> = ids.filter(|&id| is_readable(self.bytes(id)) && !self.is_eog(id)).collect();
        sorted.sort_by_key(|&id| self.bytes(id));
        let mut nodes = vec![Node { end: 0, first_token: 0, depth: 0, byte: 0 }];
        let mut path = vec![0];
        let mut last: &[u8] = &[];
        for (i, &id) in sorted.iter().enumerate() {
            let text = self.bytes(id);
            let n_common = text.iter().zip(last).take_while(|(a, b)| a == b).count();
            for done in path.drain(n_common + 1..) {
                nodes[done].end = nodes.len() as u32;
            }
            for (depth, &byte) in text.iter().enumerate().skip(n_common) {
                path.push(nodes.len());
                nodes.push(Node { end: 0, first_token: i as u32, depth: depth as u32 + 1, byte });
            }
            last = text;
        }
        for done in path {
            nodes[done].end = nodes.len() as u32;
        }
        self.bytes_below = bytes_below(&nodes);
        nodes.push(Node { end: 0, first_token: sorted.len() as u32, depth: 0, byte: 0 });
        (self.nodes, self.sorted) = (nodes, sorted);
    }
}

fn bytes_below(nodes: &[Node]) -> Vec<u128> {
    let mut below = vec![0; nodes.len()];
    let mut parents = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        parents.truncate(node.depth as usize);
        let bit = if node.byte.is_ascii() { 1u128 << node.byte } else { u128::MAX };
        for &parent in &parents {
            below[parent] |= bit;
        }
        parents.push(i);
    }
    below
}
