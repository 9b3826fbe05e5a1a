//! Memories that are addressed alike, and one sequence's blocks in them. Knows no sequence ids and no devices.

use backend::BLOCK_TOKENS;
use tensor::{MemoryId, Timeline};

use super::pool::Pool;

/// Table entry of a block that left the window.
const GONE: u32 = u32::MAX;

/// Memories that share block tables: equal timeline, window and ratio.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) timeline: Timeline,
    pub(super) window: Option<usize>,
    /// Tokens that a row of memory stands for.
    pub(super) ratio: usize,
    pub(super) pool: Pool,
    /// With the device they are on.
    pub(super) memories: Vec<(usize, MemoryId)>,
    /// Entries of the longest table.
    n_entries: usize,
    /// Blocks that one sequence holds at most.
    n_most: usize,
}

/// One sequence's blocks in a group, in the order of its tokens.
#[derive(Debug, Default)]
pub(super) struct Table {
    blocks: Vec<u32>,
    /// How many of the first are gone.
    n_gone: usize,
}

impl Group {
    /// Room for `n_ctx` tokens of all sequences together, of which a window needs the last ones only. `n_ubatch` is
    /// what a step adds at most.
    pub(super) fn new(
        timeline: Timeline,
        window: Option<usize>,
        ratio: usize,
        n_ctx: usize,
        n_seq_max: usize,
        n_ubatch: usize,
    ) -> Self {
        // Each sequence may leave its last block partly empty.
        let block_tokens = BLOCK_TOKENS * ratio;
        let all = n_ctx.div_ceil(block_tokens) + n_seq_max;
        let n_most = window.map_or(all, |w| all.min((w + n_ubatch).div_ceil(block_tokens) + 3));
        let n_blocks = all.min(n_most.saturating_mul(n_seq_max));
        let pool = Pool::new(n_blocks as u32);
        Self { timeline, window, ratio, pool, memories: Vec::new(), n_entries: all, n_most }
    }

    /// Tokens of a block.
    pub(super) fn block_tokens(&self) -> usize {
        BLOCK_TOKENS * self.ratio
    }

    /// An empty table that never has to grow.
    pub(super) fn table(&self) -> Table {
        Table { blocks: Vec::with_capacity(self.n_entries), n_gone: 0 }
    }

    /// A table of the same blocks, which both own now.
    pub(super) fn share(&mut self, table: &Table) -> Table {
        table.held().iter().for_each(|block| self.pool.share(*block));
        let mut copy = self.table();
        copy.blocks.extend_from_slice(&table.blocks);
        copy.n_gone = table.n_gone;
        copy
    }

    pub(super) fn release(&mut self, table: &Table) {
        table.held().iter().for_each(|block| self.pool.release(*block));
    }

    /// Blocks it takes to add `n` tokens to a table of `len` tokens.
    pub(super) fn n_missing(&self, table: &Table, len: usize, n: usize) -> usize {
        if n == 0 {
            return 0;
        }
        let n_held = table.held().len();
        let n_needed = ((len + n).div_ceil(self.block_tokens()) - table.n_gone).min(self.n_most);
        n_needed.saturating_sub(n_held) + usize::from(self.shared_end(table, len).is_some())
    }

    /// The block that the next token goes to, if others own it too: its index in the table.
    fn shared_end(&self, table: &Table, len: usize) -> Option<usize> {
        let index = len / self.block_tokens();
        let block = *table.blocks.get(index)?;
        (block != GONE && self.pool.is_shared(block)).then_some(index)
    }

    /// Makes room for `n` more tokens in blocks of the table's own; `copy` copies a block that was shared. `None` if
    /// the pool is empty.
    pub(super) fn reserve(
        &mut self,
        table: &mut Table,
        len: usize,
        n: usize,
        copy: impl Fn(&[(usize, MemoryId)], u32, u32),
    ) -> Option<()> {
        if let Some(index) = self.shared_end(table, len) {
            let own = self.pool.take()?;
            let shared = std::mem::replace(&mut table.blocks[index], own);
            copy(&self.memories, shared, own);
            self.pool.release(shared);
        }
        while table.blocks.len() * self.block_tokens() < len + n {
            table.blocks.push(self.pool.take()?);
        }
        Some(())
    }

    /// Frees what a sequence of `len` tokens no longer sees.
    pub(super) fn leave(&mut self, table: &mut Table, len: usize) {
        let Some(window) = self.window else { return };
        // One block more than the window needs, so that a few tokens can be taken back.
        let n_gone = len.saturating_sub(window + self.block_tokens()) / self.block_tokens();
        while table.n_gone < n_gone {
            let block = std::mem::replace(&mut table.blocks[table.n_gone], GONE);
            self.pool.release(block);
            table.n_gone += 1;
        }
    }

    /// Whether all that a sequence cut to `len` tokens sees is still there.
    pub(super) fn sees_all(&self, table: &Table, len: usize) -> bool {
        let first = self.window.map_or(0, |w| len.saturating_sub(w.saturating_sub(1)));
        len == 0 || first / self.block_tokens() >= table.n_gone
    }

    /// Frees the blocks behind `len` tokens.
    pub(super) fn truncate(&mut self, table: &mut Table, len: usize) {
        let n_blocks = len.div_ceil(self.block_tokens()).min(table.blocks.len());
        for block in table.blocks.drain(n_blocks..).filter(|block| *block != GONE) {
            self.pool.release(block);
        }
        table.n_gone = table.n_gone.min(n_blocks);
    }
}

impl Table {
    /// Entries, of which the first may be gone.
    pub(super) fn blocks(&self) -> &[u32] {
        &self.blocks
    }

    fn held(&self) -> &[u32] {
        &self.blocks[self.n_gone..]
    }
}
