//! A static set of byte strings that finds which of them a text starts with.

/// Byte strings with a value each, as a tree by bytes. Children of a node lie side by side, sorted by byte.
#[derive(Debug)]
pub(crate) struct Trie {
    /// Last byte of each node's string.
    labels: Vec<u8>,
    nodes: Vec<Node>,
    /// Children of the nodes that have many.
    byte_sets: Vec<ByteSet>,
    /// Child of the root for each first byte; 0 (the root itself) for none.
    first: Box<[u32; 256]>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The first child.
    children: u32,
    /// How many children, up to [`FEW`]; above, [`FEW`] + 1 + the place of their set.
    family: u32,
    /// [`NO_VALUE`] where no string ends.
    value: u32,
}

/// So many children are searched one by one.
const FEW: u32 = 6;
const NO_VALUE: u32 = u32::MAX;
const LEAF: Node = Node { children: 0, family: 0, value: NO_VALUE };

/// Which bytes lead to children, and how many do before each 64.
#[derive(Clone, Copy, Debug, Default)]
struct ByteSet {
    bits: [u64; 4],
    before: [u8; 4],
}

impl ByteSet {
    fn new(sorted: &[u8]) -> Self {
        let mut set = Self::default();
        for &byte in sorted {
            set.bits[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        for i in 1..4 {
            set.before[i] = set.before[i - 1] + set.bits[i - 1].count_ones() as u8;
        }
        set
    }

    /// Place of `byte` among the bytes of the set.
    #[inline]
    fn rank(&self, byte: u8) -> Option<usize> {
        let (word, bit) = (usize::from(byte >> 6), 1 << (byte & 63));
        let bits = self.bits[word];
        (bits & bit != 0).then(|| usize::from(self.before[word]) + (bits & (bit - 1)).count_ones() as usize)
    }
}

impl Trie {
    /// Builds the tree. Of equal strings the last counts; empty strings are left out.
    pub(crate) fn build<'a>(strings: impl IntoIterator<Item = (&'a [u8], u32)>) -> Self {
        let mut strings: Vec<(u64, &[u8], u32)> =
            strings.into_iter().map(|(string, value)| (leading(string), string, value)).collect();
        // Stable, and mostly decided by the first eight bytes as one number.
        strings.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        let mut trie =
            Self { labels: vec![0], nodes: vec![LEAF], byte_sets: Vec::new(), first: Box::new([0; 256]) };
        // Nodes whose children are still to be made: node, its strings, how many bytes they share.
        let mut open = std::collections::VecDeque::from([(0, 0..strings.len(), 0)]);
        while let Some((node, mut range, depth)) = open.pop_front() {
            while range.start < range.end && strings[range.start].1.len() == depth {
                if depth > 0 {
                    trie.nodes[node].value = strings[range.start].2;
                }
                range.start += 1;
            }
            let children = trie.nodes.len();
            while range.start < range.end {
                let byte = strings[range.start].1[depth];
                let same = strings[range.clone()].partition_point(|string| string.1[depth] == byte);
                let child = trie.nodes.len();
                if depth == 0 {
                    trie.first[usize::from(byte)] = child as u32;
                }
                trie.labels.push(byte);
                trie.nodes.push(LEAF);
                open.push_back((child, range.start..range.start + same, depth + 1));
                range.start += same;
            }
            trie.set_children(node, children);
        }
        trie
    }

    /// Makes all nodes from `children` on children of `node`.
    fn set_children(&mut self, node: usize, children: usize) {
        let labels = &self.labels[children..];
        let mut family = labels.len() as u32;
        if family > FEW {
            family = FEW + 1 + self.byte_sets.len() as u32;
            self.byte_sets.push(ByteSet::new(labels));
        }
        let value = self.nodes[node].value;
        self.nodes[node] = Node { children: children as u32, family, value };
    }

    /// Whether some string starts with `byte`.
    #[inline]
    pub(crate) fn starts_with(&self, byte: u8) -> bool {
        self.first[usize::from(byte)] != 0
    }

    /// The strings that `text` starts with, shortest first: their lengths and values.
    #[inline]
    pub(crate) fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, u32)> + 'a {
        let first = text.first().map_or(0, |&byte| self.first[usize::from(byte)]);
        let mut node = (first != 0).then_some(first as usize);
        let mut len = 1;
        std::iter::from_fn(move || {
            loop {
                let here = self.nodes[node?];
                let found = (here.value != NO_VALUE).then_some((len, here.value));
                node = text.get(len).and_then(|&byte| self.child(here, byte));
                len += 1;
                if found.is_some() {
                    return found;
                }
            }
        })
    }

    /// The longest string that `text` starts with.
    #[inline]
    pub(crate) fn longest(&self, text: &[u8]) -> Option<(usize, u32)> {
        self.prefixes(text).last()
    }

    /// How many bytes of `text` start some string, whole or not.
    #[inline]
    pub(crate) fn path_len(&self, text: &[u8]) -> usize {
        let mut node = self.nodes[0];
        text.iter().map_while(|&byte| self.child(node, byte).map(|child| node = self.nodes[child])).count()
    }

    #[inline]
    fn child(&self, node: Node, byte: u8) -> Option<usize> {
        let start = node.children as usize;
        let rank = if node.family <= FEW {
            self.labels[start..start + node.family as usize].iter().position(|&label| label == byte)?
        } else {
            self.byte_sets[(node.family - FEW - 1) as usize].rank(byte)?
        };
        Some(start + rank)
    }
}

/// The first eight bytes as a number that compares like them.
fn leading(string: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let n = string.len().min(8);
    bytes[..n].copy_from_slice(&string[..n]);
    u64::from_be_bytes(bytes)
}
