//! SentencePiece's table of character replacements (`precompiled_charsmap`): a compact double array that maps byte
//! strings to places in a list of replacements. See Kanda, Morita, Fuketa, "Compressed double-array tries for string
//! dictionaries supporting fast lookup" (2017), and the `Darts-clone` library for the packing of its units.

use crate::{Error, Result};

/// Replacement of byte strings, the longest first.
#[derive(Debug, Default)]
pub(crate) struct Charsmap {
    units: Vec<Unit>,
    /// NUL-terminated strings.
    replacements: Vec<u8>,
}

/// One packed node.
#[derive(Clone, Copy, Debug)]
struct Unit(u32);

/// Longest string that may be replaced. Real tables stay below 20 bytes; without a limit a table with a cycle in it
/// would read the rest of the text at every character.
const MAX_KEY_BYTES: usize = 256;

impl Unit {
    /// The byte on the edge to this node; `None` for a value.
    fn label(self) -> Option<u8> {
        (self.0 >> 31 == 0).then_some(self.0 as u8)
    }

    /// Distance to the children.
    fn offset(self) -> u32 {
        (self.0 >> 10) << ((self.0 & (1 << 9)) >> 6)
    }

    fn has_value(self) -> bool {
        self.0 & (1 << 8) != 0
    }

    fn value(self) -> usize {
        (self.0 & !(1 << 31)) as usize
    }
}

impl Charsmap {
    /// Checks a table: whatever a text leads to is there.
    pub(crate) fn new(table: &[u8]) -> Result<Self> {
        let damaged = |problem: String| Err(Error::Charsmap(problem));
        let Some((size, rest)) = table.split_first_chunk() else {
            return damaged(format!("{} bytes are too few for its size", table.len()));
        };
        let n_bytes = u32::from_le_bytes(*size) as usize;
        if n_bytes >= rest.len() {
            let n_left = rest.len();
            return damaged(format!(
                "it has {n_left} bytes, too few for {n_bytes} bytes of nodes and the strings"
            ));
        }
        let (nodes, replacements) = rest.split_at(n_bytes);
        let units = nodes.as_chunks::<4>().0.iter().map(|&unit| Unit(u32::from_le_bytes(unit))).collect();
        let charsmap = Self { units, replacements: replacements.to_vec() };
        charsmap.check()?;
        Ok(charsmap)
    }

    /// The longest string that `text` starts with and that is replaced: its length, and by what.
    pub(crate) fn longest(&self, text: &[u8]) -> Option<(usize, &[u8])> {
        let mut found = None;
        let mut base = self.units.first()?.offset();
        for (i, &byte) in text.iter().enumerate().take_while(|&(_, &byte)| byte != 0) {
            let node = base ^ u32::from(byte);
            let Some(unit) = self.unit(node).filter(|unit| unit.label() == Some(byte)) else { break };
            base = node ^ unit.offset();
            if unit.has_value() {
                found = Some((i + 1, base));
            }
        }
        let (len, base) = found?;
        Some((len, self.replacement(self.unit(base)?)?))
    }

    /// Whether an ASCII character stays as it is wherever the next one is ASCII too, or there is none.
    pub(crate) fn spares(&self, byte: u8) -> bool {
        let child = |base: u32, byte: u8| {
            let node = base ^ u32::from(byte);
            self.unit(node).filter(|unit| unit.label() == Some(byte)).map(|unit| (unit, node ^ unit.offset()))
        };
        let found = self.units.first().and_then(|root| child(root.offset(), byte));
        found
            .is_none_or(|(unit, base)| !unit.has_value() && (1..0x80).all(|next| child(base, next).is_none()))
    }

    fn unit(&self, node: u32) -> Option<Unit> {
        self.units.get(node as usize).copied()
    }

    fn replacement(&self, value: Unit) -> Option<&[u8]> {
        let rest = self.replacements.get(value.value()..)?;
        rest.iter().position(|&byte| byte == 0).map(|len| &rest[..len])
    }

    /// Walks everything that can be reached, all strings of one length at a time. Nodes are shared between strings,
    /// so that it is nodes that are counted, not strings.
    fn check(&self) -> Result<()> {
        let Some(root) = self.units.first() else { return Ok(()) };
        // Children by the place their parent points to.
        let labelled = (0..).zip(&self.units).filter_map(|(node, unit)| Some((node, unit.label()?)));
        let mut edges: Vec<(u32, u32)> = labelled
            .filter(|&(_, label)| label != 0)
            .map(|(node, label)| (node ^ u32::from(label), node))
            .collect();
        edges.sort_unstable();
        let last_end = self.replacements.iter().rposition(|&byte| byte == 0);
        let mut bases = vec![root.offset()];
        for _ in 0..MAX_KEY_BYTES {
            let mut next = Vec::new();
            for base in bases {
                let first = edges.partition_point(|&(parent, _)| parent < base);
                for &(_, node) in edges[first..].iter().take_while(|&&(parent, _)| parent == base) {
                    let unit = self.units[node as usize];
                    let base = node ^ unit.offset();
                    if unit.has_value() && self.unit(base).is_none_or(|value| Some(value.value()) > last_end)
                    {
                        return Err(Error::Charsmap(format!("node {node} leads out of the table")));
                    }
                    next.push(base);
                }
            }
            if next.is_empty() {
                return Ok(());
            }
            next.sort_unstable();
            next.dedup();
            bases = next;
        }
        Err(Error::Charsmap(format!(
            "it replaces strings of more than {MAX_KEY_BYTES} bytes, or has a cycle"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::Charsmap;

    /// A table of 256 nodes, zero but for these.
    fn table(nodes: &[(usize, u32)], replacements: &[u8]) -> Vec<u8> {
        let mut units = [0; 256];
        for &(node, unit) in nodes {
            units[node] = unit;
        }
        let n_bytes = 4 * units.len() as u32;
        let words = std::iter::once(n_bytes).chain(units).flat_map(u32::to_le_bytes);
        words.chain(replacements.iter().copied()).collect()
    }

    /// Node of a byte below a base, whose children lie at another base.
    fn node(base: u32, byte: u8, has_value: bool, children: u32) -> (usize, u32) {
        let node = base ^ u32::from(byte);
        (node as usize, (node ^ children) << 10 | u32::from(has_value) << 8 | u32::from(byte))
    }

    #[test]
    fn the_longest_string_is_replaced() {
        let value = |at: u32| 1 << 31 | at;
        let nodes =
            [node(0, b'a', true, 0x80), (0x80, value(2)), node(0x80, b'b', true, 0x10), (0x10, value(0))];
        let charsmap = Charsmap::new(&table(&nodes, b"x\0yz\0")).expect("a good table");
        for (text, expected) in [
            ("a", Some((1, "yz"))),
            ("ab", Some((2, "x"))),
            ("abc", Some((2, "x"))),
            ("ac", Some((1, "yz"))),
            ("b", None),
            ("", None),
        ] {
            let expected = expected.map(|(len, text)| (len, text.as_bytes()));
            assert_eq!(charsmap.longest(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn damaged_tables_are_refused() {
        let value = |at: u32| 1 << 31 | at;
        let cycle = [node(0, b'a', false, 0)];
        let outside = [node(0, b'a', true, 0x10_0000)];
        let unterminated = [node(0, b'a', true, 0x80), (0x80, value(2))];
        for (table, expected) in [
            (vec![1, 0], "2 bytes are too few"),
            (vec![8, 0, 0, 0, 1, 2, 3, 4], "it has 4 bytes, too few for 8 bytes"),
            (table(&[], b""), "it has 1024 bytes, too few for 1024 bytes"),
            (table(&cycle, b"x\0"), "or has a cycle"),
            (table(&outside, b"x\0"), "node 97 leads out of the table"),
            (table(&unterminated, b"x\0y"), "node 97 leads out of the table"),
        ] {
            let error = Charsmap::new(&table).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error:?} should say {expected:?}");
        }
    }
}
