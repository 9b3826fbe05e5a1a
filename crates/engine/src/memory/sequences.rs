//! The sequences of a context: their lengths, block tables, states and snapshots.

use std::collections::HashMap;
use std::sync::Arc;

use backend::{BLOCK_TOKENS, Device, KvView, Memory, MemoryLayout};
use model::Model;
use tensor::{DType, MemoryId, MemorySpec, Timeline};

use super::SeqId;
use super::pool::Pool;
use crate::{Error, Result};

/// Table entry of a block that left the window.
const GONE: u32 = u32::MAX;

/// How much is remembered, and in which types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryConfig {
    /// Tokens of all sequences together.
    pub(crate) n_ctx: usize,
    pub(crate) n_seq_max: usize,
    /// Tokens a step.
    pub(crate) n_ubatch: usize,
    pub(crate) key_type: DType,
    pub(crate) value_type: DType,
    /// Snapshots of recurrent states, of all sequences together.
    pub(crate) n_snapshots: usize,
}

/// Memories that share block tables: equal timeline and window.
#[derive(Debug)]
struct Group {
    timeline: Timeline,
    window: Option<usize>,
    pool: Pool,
    /// With the device they are on.
    memories: Vec<(usize, MemoryId)>,
}

#[derive(Debug)]
struct Sequence {
    /// Tokens remembered.
    len: usize,
    /// Tokens the encoder was given.
    encoder_len: usize,
    /// A table a group.
    tables: Vec<Vec<u32>>,
    /// The recurrent state, if the model has any.
    state: Option<u32>,
    /// Older states by length, oldest first.
    snapshots: Vec<(usize, u32)>,
}

/// All sequences of a context.
#[derive(Debug)]
pub(crate) struct Sequences {
    config: MemoryConfig,
    groups: Vec<Group>,
    /// Slots of recurrent states; empty if the model has none.
    states: Pool,
    state_memories: Vec<(usize, MemoryId)>,
    devices: Vec<Arc<dyn Memory>>,
    sequences: HashMap<SeqId, Sequence>,
    next: u64,
}

impl Sequences {
    /// `placement` names the device of each memory.
    pub(crate) fn new(
        model: &Model,
        devices: &[Arc<dyn Device>],
        placement: &[usize],
        config: MemoryConfig,
    ) -> Result<Self> {
        let mut groups: Vec<Group> = Vec::new();
        let mut state_memories = Vec::new();
        let mut layouts: Vec<Vec<MemoryLayout>> = vec![Vec::new(); devices.len()];
        let n_states = (config.n_seq_max + config.n_snapshots) as u32;
        for (i, named) in model.memories().iter().enumerate() {
            let (id, device) = (MemoryId(i as u32), placement[i]);
            let (group, n_slots) = match &named.spec {
                MemorySpec::State { .. } => {
                    state_memories.push((device, id));
                    (0, n_states)
                }
                MemorySpec::Kv { window, timeline, .. } => {
                    let group = group_of(&mut groups, *timeline, *window, &config);
                    groups[group].memories.push((device, id));
                    (group, groups[group].pool.n_slots() as u32)
                }
            };
            layouts[device].push(MemoryLayout {
                id,
                spec: named.spec.clone(),
                key_type: config.key_type,
                value_type: config.value_type,
                group: group as u32,
                n_slots,
            });
        }
        let states = Pool::new(if state_memories.is_empty() { 0 } else { n_states });
        let devices = devices.iter().zip(&layouts).map(|(d, l)| d.memory(l)).collect::<Result<_, _>>()?;
        Ok(Self { config, groups, states, state_memories, devices, sequences: HashMap::new(), next: 0 })
    }

    /// The memory of each device.
    pub(crate) fn devices(&self) -> &[Arc<dyn Memory>] {
        &self.devices
    }

    pub(crate) fn has_states(&self) -> bool {
        !self.state_memories.is_empty()
    }

    pub(crate) fn add(&mut self) -> Result<SeqId> {
        let state = self.new_state()?;
        if let Some(slot) = state {
            for (device, id) in &self.state_memories {
                self.devices[*device].clear(*id, slot);
            }
        }
        let tables = vec![Vec::new(); self.groups.len()];
        Ok(self.insert(Sequence { len: 0, encoder_len: 0, tables, state, snapshots: Vec::new() }))
    }

    fn new_state(&mut self) -> Result<Option<u32>> {
        if self.sequences.len() >= self.config.n_seq_max {
            return Err(Error::TooManySequences { max: self.config.n_seq_max });
        }
        if self.state_memories.is_empty() {
            return Ok(None);
        }
        while self.states.n_free() == 0 && self.drop_oldest_snapshot() {}
        self.states.take().map(Some).ok_or(Error::TooManySequences { max: self.config.n_seq_max })
    }

    fn insert(&mut self, sequence: Sequence) -> SeqId {
        let id = SeqId(self.next);
        self.next += 1;
        self.sequences.insert(id, sequence);
        id
    }

    fn get(&self, id: SeqId) -> Result<&Sequence> {
        self.sequences.get(&id).ok_or(Error::UnknownSequence(id))
    }

    pub(crate) fn len(&self, id: SeqId) -> Result<usize> {
        Ok(self.get(id)?.len)
    }

    /// A copy that shares every block with the original.
    pub(crate) fn fork(&mut self, from: SeqId) -> Result<SeqId> {
        self.get(from)?;
        let state = self.new_state()?;
        let source = self.get(from)?;
        let (source_state, snapshots) = (source.state, source.snapshots.clone());
        let copy = Sequence {
            len: source.len,
            encoder_len: source.encoder_len,
            tables: source.tables.clone(),
            state,
            snapshots,
        };
        if let (Some(from), Some(to)) = (source_state, state) {
            self.copy_state(from, to);
        }
        for (group, table) in self.groups.iter_mut().zip(&copy.tables) {
            table.iter().filter(|b| **b != GONE).for_each(|b| group.pool.share(*b));
        }
        copy.snapshots.iter().for_each(|(_, slot)| self.states.share(*slot));
        Ok(self.insert(copy))
    }

    pub(crate) fn remove(&mut self, id: SeqId) {
        let Some(sequence) = self.sequences.remove(&id) else { return };
        for (group, table) in self.groups.iter_mut().zip(&sequence.tables) {
            table.iter().filter(|b| **b != GONE).for_each(|b| group.pool.release(*b));
        }
        for slot in sequence.state.into_iter().chain(sequence.snapshots.iter().map(|s| s.1)) {
            self.states.release(slot);
        }
    }

    /// Forgets what is behind `len` tokens; returns how many are kept. Fewer than asked for if a state must go back
    /// to an older snapshot, or if what the window needs is gone.
    pub(crate) fn truncate(&mut self, id: SeqId, len: usize) -> Result<usize> {
        let sequence = self.sequences.get_mut(&id).ok_or(Error::UnknownSequence(id))?;
        if len >= sequence.len {
            return Ok(sequence.len);
        }
        let mut kept = len;
        for (group, table) in self.groups.iter().zip(&sequence.tables) {
            let first = group.window.map_or(0, |w| len.saturating_sub(w.saturating_sub(1)));
            let gone = table.iter().skip(first / BLOCK_TOKENS).take_while(|b| **b == GONE).count() > 0;
            if gone && len > 0 {
                kept = 0;
            }
        }
        if let Some(state) = sequence.state {
            while sequence.snapshots.last().is_some_and(|(at, _)| *at > kept) {
                let (_, slot) = sequence.snapshots.pop().expect("just seen");
                self.states.release(slot);
            }
            let back_to = sequence.snapshots.last().copied();
            kept = back_to.map_or(0, |(at, _)| at);
            for (device, memory) in &self.state_memories {
                match back_to {
                    Some((_, slot)) => self.devices[*device].copy(*memory, slot, state),
                    None => self.devices[*device].clear(*memory, state),
                }
            }
        }
        sequence.len = kept;
        for (group, table) in self.groups.iter_mut().zip(&mut sequence.tables) {
            if group.timeline == Timeline::Sequence {
                for block in table.drain(kept.div_ceil(BLOCK_TOKENS).min(table.len())..) {
                    if block != GONE {
                        group.pool.release(block);
                    }
                }
            }
        }
        Ok(kept)
    }

    /// Makes room for `n` more tokens on a timeline: blocks of its own to write into. Changes no length.
    pub(crate) fn reserve(&mut self, id: SeqId, timeline: Timeline, n: usize) -> Result<()> {
        let sequence = self.sequences.get_mut(&id).ok_or(Error::UnknownSequence(id))?;
        let len = if timeline == Timeline::Sequence { sequence.len } else { sequence.encoder_len };
        for (group, table) in self.groups.iter_mut().zip(&mut sequence.tables) {
            if group.timeline != timeline {
                continue;
            }
            let full = |pool: &Pool| Error::ContextFull {
                needed: n,
                free: pool.n_free() * BLOCK_TOKENS,
                total: pool.n_slots() * BLOCK_TOKENS,
            };
            if let Some(last) =
                table.get_mut(len / BLOCK_TOKENS).filter(|b| **b != GONE && group.pool.is_shared(**b))
            {
                let own = group.pool.take().ok_or_else(|| full(&group.pool))?;
                for (device, memory) in &group.memories {
                    self.devices[*device].copy(*memory, *last, own);
                }
                group.pool.release(*last);
                *last = own;
            }
            while table.len() * BLOCK_TOKENS < len + n {
                table.push(group.pool.take().ok_or_else(|| full(&group.pool))?);
            }
        }
        Ok(())
    }

    /// Counts `n` tokens that a step has written, and frees what left the windows.
    pub(crate) fn advance(&mut self, id: SeqId, timeline: Timeline, n: usize) {
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        if timeline == Timeline::Encoder {
            sequence.encoder_len += n;
            return;
        }
        sequence.len += n;
        for (group, table) in self.groups.iter_mut().zip(&mut sequence.tables) {
            let Some(window) = group.window.filter(|_| group.timeline == timeline) else { continue };
            // One block more than the window needs, so that a few tokens can be taken back.
            let needed = sequence.len.saturating_sub(window + BLOCK_TOKENS) / BLOCK_TOKENS;
            for block in table.iter_mut().take(needed).rev().take_while(|b| **b != GONE) {
                group.pool.release(*block);
                *block = GONE;
            }
        }
    }

    /// Keeps the state as it is now, to go back to.
    pub(crate) fn snapshot(&mut self, id: SeqId) {
        if self.config.n_snapshots == 0 {
            return;
        }
        let Some((len, state)) = self.sequences.get(&id).and_then(|s| Some((s.len, s.state?))) else {
            return;
        };
        while self.states.n_free() + self.sequences.len() <= self.config.n_seq_max {
            if !self.drop_oldest_snapshot() {
                return;
            }
        }
        let Some(slot) = self.states.take() else { return };
        self.copy_state(state, slot);
        if let Some(sequence) = self.sequences.get_mut(&id) {
            sequence.snapshots.push((len, slot));
        }
    }

    fn copy_state(&self, from: u32, to: u32) {
        for (device, memory) in &self.state_memories {
            self.devices[*device].copy(*memory, from, to);
        }
    }

    /// Gives up the snapshot of the smallest length; `false` if there is none.
    fn drop_oldest_snapshot(&mut self) -> bool {
        let oldest = self.sequences.values_mut().filter(|s| !s.snapshots.is_empty());
        let Some(sequence) = oldest.min_by_key(|s| s.snapshots[0].0) else { return false };
        let (_, slot) = sequence.snapshots.remove(0);
        self.states.release(slot);
        true
    }

    /// The sequence's state slot and, appended to `tables` and `views`, where its blocks lie. `n_append` tokens of
    /// `timeline` are about to be written.
    pub(crate) fn bind(
        &self,
        id: SeqId,
        timeline: Timeline,
        n_append: usize,
        tables: &mut Vec<u32>,
        views: &mut Vec<KvView>,
    ) -> Result<u32> {
        let sequence = self.get(id)?;
        for (group, table) in self.groups.iter().zip(&sequence.tables) {
            let n_past =
                if group.timeline == Timeline::Sequence { sequence.len } else { sequence.encoder_len };
            views.push(KvView {
                table: tables.len() as u32,
                n_past: n_past as u32,
                n_append: if group.timeline == timeline { n_append as u32 } else { 0 },
            });
            tables.extend_from_slice(table);
        }
        Ok(sequence.state.unwrap_or(0))
    }
}

fn group_of(
    groups: &mut Vec<Group>,
    timeline: Timeline,
    window: Option<usize>,
    config: &MemoryConfig,
) -> usize {
    if let Some(i) = groups.iter().position(|g| g.timeline == timeline && g.window == window) {
        return i;
    }
    let all = config.n_ctx.div_ceil(BLOCK_TOKENS) + config.n_seq_max;
    // Of a window, each sequence holds at most this much at once.
    let each = |w: usize| (w + config.n_ubatch).div_ceil(BLOCK_TOKENS) + 3;
    let n_blocks = window.map_or(all, |w| all.min(each(w).saturating_mul(config.n_seq_max)));
    groups.push(Group { timeline, window, pool: Pool::new(n_blocks as u32), memories: Vec::new() });
    groups.len() - 1
}
