//! One step as a device sees it: the tokens, whose they are, and where each sequence's memory lies.

use tensor::Extents;

/// Tokens in one block of key-value memory, or rows of it that stand for several tokens each. A block is the unit of sharing, copying and freeing.
pub const BLOCK_TOKENS: usize = 32;

/// Everything a graph is run on. Rows of one sequence are consecutive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step<'a> {
    /// `[n_tokens]`.
    pub tokens: &'a [i32],
    /// `[n_tokens]`.
    pub positions: &'a [i32],
    /// Rows whose results are wanted, ascending.
    pub outputs: &'a [u32],
    /// In row order.
    pub sequences: &'a [SequenceRows],
    /// For each sequence, one view a memory group: `[n_group, n_sequences]`.
    pub views: &'a [KvView],
    /// Block tables of all views, end to end.
    pub tables: &'a [u32],
}

/// The rows of one sequence in the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceRows {
    pub first_row: u32,
    pub n_rows: u32,
    /// Which slot of every recurrent memory holds its state.
    pub state_slot: u32,
}

/// One sequence's part of the memories of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KvView {
    /// Where its block table starts in [`Step::tables`]. Token `t` lies in block `t / BLOCK_TOKENS` of the table
    /// (with `ratio` tokens a row, in block `t / ratio / BLOCK_TOKENS`); blocks behind a window may be gone (`u32::MAX`).
    pub table: u32,
    /// Tokens stored before this step.
    pub n_past: u32,
    /// Tokens this step appends: all rows of the sequence or none.
    pub n_append: u32,
}

impl Step<'_> {
    pub fn extents(&self) -> Extents {
        Extents { n_tokens: self.tokens.len(), n_outputs: self.outputs.len() }
    }

    /// How many memory groups each sequence has a view of.
    pub fn n_groups(&self) -> usize {
        self.views.len() / self.sequences.len().max(1)
    }

    /// Sequence `sequence`'s view of group `group`.
    pub fn view(&self, sequence: usize, group: u32) -> KvView {
        self.views[sequence * self.n_groups() + group as usize]
    }
}
