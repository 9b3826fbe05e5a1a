//! The sequences of a context: their lengths, block tables, states and snapshots.

use std::collections::HashMap;
use std::sync::Arc;

use backend::{Device, KvView, Memory, MemoryLayout};
use model::Model;
use tensor::{DType, MemoryId, MemorySpec, Timeline};

use super::SeqId;
use super::group::{Group, Table};
use super::pool::Pool;
use crate::{Error, Result};

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

#[derive(Debug)]
struct Sequence {
    /// Tokens remembered.
    len: usize,
    /// Tokens the encoder was given.
    encoder_len: usize,
    /// A table a group.
    tables: Vec<Table>,
    /// The recurrent state, if the model has any.
    state: Option<u32>,
    /// Older states by length, oldest first.
    snapshots: Vec<(usize, u32)>,
}

impl Sequence {
    fn len_on(&self, timeline: Timeline) -> usize {
        if timeline == Timeline::Sequence { self.len } else { self.encoder_len }
    }
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
                MemorySpec::Kv { .. } | MemorySpec::Recent { .. } => {
                    let group = group_of(&mut groups, &named.spec, &config);
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

    pub(crate) fn n_sequences(&self) -> usize {
        self.sequences.len()
    }

    /// Blocks of all groups.
    pub(crate) fn n_blocks(&self) -> usize {
        self.groups.iter().map(|group| group.pool.n_slots()).sum()
    }

    /// Bytes of all slots, and of those in use.
    pub(crate) fn n_bytes(&self) -> (u64, u64) {
        let mut bytes = (0, 0);
        let mut count = |(device, memory): &(usize, MemoryId), pool: &Pool| {
            let slot = self.devices[*device].slot_bytes(*memory) as u64;
            bytes.0 += slot * pool.n_slots() as u64;
            bytes.1 += slot * (pool.n_slots() - pool.n_free()) as u64;
        };
        for group in &self.groups {
            group.memories.iter().for_each(|memory| count(memory, &group.pool));
        }
        self.state_memories.iter().for_each(|memory| count(memory, &self.states));
        bytes
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
        let tables = self.groups.iter().map(Group::table).collect();
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
        let source = self.sequences.get(&from).ok_or(Error::UnknownSequence(from))?;
        let tables = self.groups.iter_mut().zip(&source.tables).map(|(group, table)| group.share(table));
        let copy = Sequence {
            len: source.len,
            encoder_len: source.encoder_len,
            tables: tables.collect(),
            state,
            snapshots: source.snapshots.clone(),
        };
        if let (Some(from), Some(to)) = (source.state, state) {
            self.copy_state(from, to);
        }
        copy.snapshots.iter().for_each(|(_, slot)| self.states.share(*slot));
        Ok(self.insert(copy))
    }

    pub(crate) fn remove(&mut self, id: SeqId) {
        let Some(sequence) = self.sequences.remove(&id) else { return };
        for (group, table) in self.groups.iter_mut().zip(&sequence.tables) {
            group.release(table);
        }
        for slot in sequence.state.into_iter().chain(sequence.snapshots.iter().map(|s| s.1)) {
            self.states.release(slot);
        }
    }

    /// How many tokens would be left if the sequence were cut to `len`: fewer if a state must go back to an older
    /// snapshot, or if what a window needs is gone.
    pub(crate) fn kept(&self, id: SeqId, len: usize) -> Result<usize> {
        let sequence = self.get(id)?;
        if len >= sequence.len {
            return Ok(sequence.len);
        }
        let mut tables = self.groups.iter().zip(&sequence.tables);
        let sees_all = |len| move |(group, table): (&Group, &Table)| group.sees_all(table, len);
        let kept = match sequence.state {
            None => len,
            Some(_) => sequence.snapshots.iter().rev().map(|s| s.0).find(|at| *at <= len).unwrap_or(0),
        };
        Ok(if tables.all(sees_all(kept)) { kept } else { 0 })
    }

    /// Forgets what is behind `len` tokens; returns how many are kept, see [`Sequences::kept`].
    pub(crate) fn truncate(&mut self, id: SeqId, len: usize) -> Result<usize> {
        let kept = self.kept(id, len)?;
        let sequence = self.sequences.get_mut(&id).ok_or(Error::UnknownSequence(id))?;
        if kept == sequence.len {
            return Ok(kept);
        }
        if let Some(state) = sequence.state {
            while let Some((_, slot)) = sequence.snapshots.pop_if(|(at, _)| *at > kept) {
                self.states.release(slot);
            }
            let back_to = sequence.snapshots.last().filter(|(at, _)| *at == kept);
            for (device, memory) in &self.state_memories {
                match back_to {
                    Some((_, slot)) => self.devices[*device].copy(*memory, *slot, state),
                    None => self.devices[*device].clear(*memory, state),
                }
            }
        }
        sequence.len = kept;
        for (group, table) in self.groups.iter_mut().zip(&mut sequence.tables) {
            if group.timeline == Timeline::Sequence {
                group.truncate(table, kept);
            }
        }
        Ok(kept)
    }

    /// Fails if the sequences together cannot take so many more tokens each.
    pub(crate) fn check_room(
        &self,
        timeline: Timeline,
        entries: impl Iterator<Item = (SeqId, usize)> + Clone,
    ) -> Result<()> {
        for (i, group) in self.groups.iter().enumerate().filter(|(_, g)| g.timeline == timeline) {
            let mut n_missing = 0;
            for (id, n) in entries.clone() {
                let sequence = self.get(id)?;
                n_missing += group.n_missing(&sequence.tables[i], sequence.len_on(timeline), n);
            }
            if n_missing > group.pool.n_free() {
                return Err(full(group, entries.map(|(_, n)| n).sum()));
            }
        }
        Ok(())
    }

    /// Makes room for `n` more tokens on a timeline: blocks of its own to write into. Changes no length.
    pub(crate) fn reserve(&mut self, id: SeqId, timeline: Timeline, n: usize) -> Result<()> {
        let sequence = self.sequences.get_mut(&id).ok_or(Error::UnknownSequence(id))?;
        let len = sequence.len_on(timeline);
        let copy = |memories: &[(usize, MemoryId)], from, to| {
            memories.iter().for_each(|(device, memory)| self.devices[*device].copy(*memory, from, to));
        };
        for (group, table) in self.groups.iter_mut().zip(&mut sequence.tables) {
            if group.timeline == timeline {
                group.reserve(table, len, n, copy).ok_or_else(|| full(group, n))?;
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
            if group.timeline == timeline {
                group.leave(table, sequence.len);
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
            views.push(KvView {
                table: tables.len() as u32,
                n_past: sequence.len_on(group.timeline) as u32,
                n_append: if group.timeline == timeline { n_append as u32 } else { 0 },
            });
            tables.extend_from_slice(table.blocks());
        }
        Ok(sequence.state.unwrap_or(0))
    }
}

fn full(group: &Group, needed: usize) -> Error {
    let n_tokens = |n_blocks: usize| n_blocks * group.block_tokens();
    Error::ContextFull { needed, free: n_tokens(group.pool.n_free()), total: n_tokens(group.pool.n_slots()) }
}

fn group_of(groups: &mut Vec<Group>, spec: &MemorySpec, config: &MemoryConfig) -> usize {
    let (timeline, window, ratio) = match *spec {
        MemorySpec::Kv { timeline, window, ratio, .. } => (timeline, window, ratio),
        MemorySpec::Recent { window, .. } => (Timeline::Sequence, Some(window), 1),
        MemorySpec::State { .. } => unreachable!("states have no blocks"),
    };
    let same = |g: &Group| g.timeline == timeline && g.window == window && g.ratio == ratio;
    if let Some(i) = groups.iter().position(same) {
        return i;
    }
    groups.push(Group::new(timeline, window, ratio, config.n_ctx, config.n_seq_max, config.n_ubatch));
    groups.len() - 1
}
