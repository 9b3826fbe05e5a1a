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
