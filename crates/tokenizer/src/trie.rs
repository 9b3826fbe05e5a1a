//! A static set of byte strings that finds which of them a text starts with.

/// Byte strings with a value each, as a tree by bytes. Children of a node lie side by side, sorted by byte.
#[derive(Debug)]
pub(crate) struct Trie {
    /// Last byte of each node's string.
    labels: Vec<u8>,
    nodes: Vec<Node>,
    /// Child of the root for each first byte; 0 (the root itself) for none.
    first: Box<[u32; 256]>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    children: u32,
    n_children: u16,
    has_value: bool,
    value: u32,
}

impl Trie {
    /// Builds the tree. Of equal strings the last counts; empty strings are left out.
    pub(crate) fn build<'a>(strings: impl IntoIterator<Item = (&'a [u8], u32)>) -> Self {
        let mut strings: Vec<(u64, &[u8], u32)> =
            strings.into_iter().map(|(string, value)| (leading(string), string, value)).collect();
        // Stable, and mostly decided by the first eight bytes as one number.
        strings.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        let root = Node { children: 1, n_children: 0, has_value: false, value: 0 };
        let mut trie = Self { labels: vec![0], nodes: vec![root], first: Box::new([0; 256]) };
        // Nodes whose children are still to be made: node, its strings, how many bytes they share.
        let mut open = std::collections::VecDeque::from([(0, 0..strings.len(), 0)]);
        while let Some((node, mut range, depth)) = open.pop_front() {
            while range.start < range.end && strings[range.start].1.len() == depth {
                if depth > 0 {
                    trie.nodes[node].has_value = true;
                    trie.nodes[node].value = strings[range.start].2;
                }
                range.start += 1;
            }
            trie.nodes[node].children = trie.nodes.len() as u32;
            while range.start < range.end {
                let byte = strings[range.start].1[depth];
                let same = strings[range.clone()].partition_point(|string| string.1[depth] == byte);
                let child = trie.nodes.len();
                if depth == 0 {
                    trie.first[usize::from(byte)] = child as u32;
                }
                trie.labels.push(byte);
                trie.nodes.push(root);
                trie.nodes[node].n_children += 1;
                open.push_back((child, range.start..range.start + same, depth + 1));
                range.start += same;
            }
        }
        trie
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
                let found = here.has_value.then_some((len, here.value));
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
        let labels = &self.labels[start..start + usize::from(node.n_children)];
        let at = if labels.len() <= 8 {
            labels.iter().position(|&label| label == byte)?
        } else {
            labels.binary_search(&byte).ok()?
        };
        Some(start + at)
    }
}

/// The first eight bytes as a number that compares like them.
fn leading(string: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let n = string.len().min(8);
    bytes[..n].copy_from_slice(&string[..n]);
    u64::from_be_bytes(bytes)
}
