//! The synchronous core: sequences in, rows of logits or hidden states out.

use std::sync::Arc;

use backend::{KvView, Pipeline, SequenceRows, Step};
use model::Mode;
use tensor::passes::{ProductTap, tap_products};
use tensor::{DType, Graph, Output, Timeline};

use crate::loaded::LoadedModel;
use crate::memory::{MemoryConfig, SeqId, Sequences};
use crate::observe::{self, Product};
use crate::{Error, Result};

/// How much a context remembers and how it steps.
#[derive(Clone, Copy, Debug)]
pub struct ContextConfig {
    /// Tokens that all sequences together may have.
    pub n_ctx: usize,
    /// Sequences at once.
    pub n_seq_max: usize,
    /// Tokens of one step.
    pub n_ubatch: usize,
    /// Type of stored keys: F32, F16 or BF16.
    pub key_type: DType,
    /// Type of stored values.
    pub value_type: DType,
    /// Recurrent models: tokens between snapshots of the state.
    pub snapshot_interval: usize,
    /// Recurrent models: snapshots kept, of all sequences together.
    pub n_snapshots: usize,
}

impl Default for ContextConfig {
    fn default() -> Self {
        Self {
            n_ctx: 4096,
            n_seq_max: 1,
            n_ubatch: 512,
            key_type: DType::F16,
            value_type: DType::F16,
            snapshot_interval: 256,
            n_snapshots: 8,
        }
    }
}

/// Memory of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Reserved when the context was made; it never grows.
    pub total_bytes: u64,
    /// Held by sequences, each byte counted once however many share it.
    pub used_bytes: u64,
}

/// Which rows of a sequence's new tokens are computed to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    None,
    Last,
    All,
}

/// New tokens of one sequence.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub seq: SeqId,
    pub tokens: &'a [u32],
    pub wanted: Wanted,
}

/// Rows of float32, in the order of the entries and their tokens.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'a> {
    data: &'a [f32],
    width: usize,
}

impl<'a> Outputs<'a> {
    /// `[width, n_rows]`.
    pub fn data(&self) -> &'a [f32] {
        self.data
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        self.data.chunks_exact(self.width)
    }
}

/// Runs a model for a set of sequences.
#[derive(Debug)]
pub struct Context {
    model: Arc<LoadedModel>,
    config: ContextConfig,
    sequences: Sequences,
    /// Compiled when first used.
    pipelines: Vec<Compiled>,
    step: Buffers,
    results: Vec<f32>,
}

/// A mode, ready to run.
#[derive(Debug)]
struct Compiled {
    mode: Mode,
    pipeline: Pipeline,
    /// What it shows of its products; nothing, if nobody [observes](Context::observe).
    taps: Vec<ProductTap>,
}

/// The arrays of a step, kept from one to the next.
#[derive(Debug, Default)]
struct Buffers {
    tokens: Vec<i32>,
    positions: Vec<i32>,
    outputs: Vec<u32>,
    rows: Vec<SequenceRows>,
    views: Vec<KvView>,
    tables: Vec<u32>,
    /// Sequence and number of rows, to be counted when the step is done.
    taken: Vec<(SeqId, usize)>,
}

impl Context {
    pub fn new(model: Arc<LoadedModel>, config: ContextConfig) -> Result<Self> {
        let memory = MemoryConfig {
            n_ctx: config.n_ctx.max(1),
            n_seq_max: config.n_seq_max.max(1),
            n_ubatch: config.n_ubatch.max(1),
            key_type: config.key_type,
            value_type: config.value_type,
            n_snapshots: config.n_snapshots,
        };
        let sequences = Sequences::new(model.model(), model.devices(), &model.placement().memories, memory)?;
        let step = Buffers { tables: Vec::with_capacity(sequences.n_blocks()), ..Buffers::default() };
        let config = ContextConfig { n_ubatch: memory.n_ubatch, ..config };
        Ok(Self { model, config, sequences, pipelines: Vec::new(), step, results: Vec::new() })
    }

    pub fn model(&self) -> &Arc<LoadedModel> {
        &self.model
    }

    pub fn config(&self) -> &ContextConfig {
        &self.config
    }

    /// A new, empty sequence.
    pub fn sequence(&mut self) -> Result<SeqId> {
        self.sequences.add()
    }

    /// A sequence that begins as a copy of another and shares its memory until they differ.
    pub fn fork(&mut self, from: SeqId) -> Result<SeqId> {
        self.sequences.fork(from)
    }

    /// Forgets all tokens from `len` on; returns how many are kept, which may be fewer: decode again from there.
    pub fn truncate(&mut self, seq: SeqId, len: usize) -> Result<usize> {
        self.sequences.truncate(seq, len)
    }

    /// How many tokens [`Context::truncate`] would keep.
    pub fn kept(&self, seq: SeqId, len: usize) -> Result<usize> {
        self.sequences.kept(seq, len)
    }

    /// Ends a sequence and frees its memory.
    pub fn remove(&mut self, seq: SeqId) {
        self.sequences.remove(seq);
    }

    /// Tokens the sequence remembers.
    pub fn len(&self, seq: SeqId) -> Result<usize> {
        self.sequences.len(seq)
    }

    /// Sequences there are.
    pub fn n_sequences(&self) -> usize {
        self.sequences.n_sequences()
    }

    /// What all sequences together may remember, and what they do.
    pub fn memory(&self) -> MemoryUse {
        let (total_bytes, used_bytes) = self.sequences.n_bytes();
        MemoryUse { total_bytes, used_bytes }
    }

    /// Fails with [`Error::ContextFull`] if the sequences cannot all take so many more tokens.
    pub fn check_room(&self, entries: impl Iterator<Item = (SeqId, usize)> + Clone) -> Result<()> {
        self.sequences.check_room(Timeline::Sequence, entries)
    }

    /// Compiles what a mode needs, which its first use would do else.
    pub fn prepare(&mut self, mode: Mode) -> Result<()> {
        self.check(mode, &[])?;
        self.pipeline(mode).map(|_| ())
    }

    /// Appends tokens to sequences and computes the wanted rows. On an error no sequence has changed, unless a device
    /// failed in the middle of a batch of several steps.
    pub fn decode(&mut self, mode: Mode, batch: &[Entry<'_>]) -> Result<Outputs<'_>> {
        self.run(mode, Timeline::Sequence, batch, &mut |_| {})
    }

    /// Makes a mode show what goes into its products with the wanted weights, by name. This takes the memory of all
    /// those inputs, for a step's tokens.
    pub fn observe(&mut self, mode: Mode, wanted: impl Fn(&str) -> bool) -> Result<()> {
        self.check(mode, &[])?;
        let model = self.model.model();
        let weights = model.weights();
        let (graph, taps) = tap_products(model.graph(mode), |id| wanted(&weights[id.0 as usize].name));
        let pipeline = self.compile(graph)?;
        self.pipelines.retain(|p| p.mode != mode);
        self.pipelines.push(Compiled { mode, pipeline, taps });
        Ok(())
    }

    /// As [`Context::decode`]; `see` is called with every product that the mode [shows](Context::observe), step by
    /// step.
    pub fn decode_observed(
        &mut self,
        mode: Mode,
        batch: &[Entry<'_>],
        see: &mut dyn FnMut(Product<'_>),
    ) -> Result<Outputs<'_>> {
        self.run(mode, Timeline::Sequence, batch, see)
    }

    /// Gives the encoder of an encoder-decoder model its tokens; the decoder then attends to them.
    pub fn encode(&mut self, batch: &[Entry<'_>]) -> Result<Outputs<'_>> {
        self.run(Mode::Encode, Timeline::Encoder, batch, &mut |_| {})
    }

    fn run(
        &mut self,
        mode: Mode,
        timeline: Timeline,
        batch: &[Entry<'_>],
        see: &mut dyn FnMut(Product<'_>),
    ) -> Result<Outputs<'_>> {
        self.check(mode, batch)?;
        self.sequences.check_room(timeline, batch.iter().map(|e| (e.seq, e.tokens.len())))?;
        let pipeline = self.pipeline(mode)?;
        let hparams = self.model.model().hparams();
        let (output, width) = match mode {
            Mode::Logits => (Output::Logits, hparams.n_vocab),
            Mode::Embeddings | Mode::Encode => (Output::Embeddings, hparams.n_embd_out),
            Mode::Scores => (Output::Embeddings, hparams.n_label()),
        };
        self.results.clear();
        let (mut entry, mut done, mut is_in_place) = (0, 0, false);
        while entry < batch.len() {
            self.fill(timeline, batch, &mut entry, &mut done)?;
            let Compiled { pipeline, taps, .. } = &mut self.pipelines[pipeline];
            pipeline.run(&self.step.as_step())?;
            observe::show(pipeline, taps, self.model.model().weights(), see);
            is_in_place = entry == batch.len() && self.results.is_empty();
            if !is_in_place {
                self.results.extend_from_slice(bytemuck::cast_slice(pipeline.output(output)));
            }
            self.count(timeline)?;
        }
        let rows = if is_in_place { self.pipelines[pipeline].pipeline.output(output) } else { &[] };
        let data = if is_in_place { bytemuck::cast_slice(rows) } else { &self.results };
        Ok(Outputs { data, width })
    }

    /// Takes note of what the step has written.
    fn count(&mut self, timeline: Timeline) -> Result<()> {
        for &(seq, n) in &self.step.taken {
            self.sequences.advance(seq, timeline, n);
            if self.sequences.has_states() {
                let len = self.sequences.len(seq)?;
                if len.is_multiple_of(self.config.snapshot_interval.max(1)) {
                    self.sequences.snapshot(seq);
                }
            }
        }
        Ok(())
    }

    /// What must hold before anything changes.
    fn check(&self, mode: Mode, batch: &[Entry<'_>]) -> Result<()> {
        let model = self.model.model();
        if !model.supports(mode) {
            let what = match mode {
                Mode::Logits => "logits",
                Mode::Embeddings => "embeddings",
                Mode::Scores => "scores: it has no classifier",
                Mode::Encode => "an encoding: it has no encoder",
            };
            return Err(Error::NotSupported { what });
        }
        let n_vocab = model.hparams().n_vocab;
        let whole = mode == Mode::Encode || !model.hparams().causal;
        for (i, entry) in batch.iter().enumerate() {
            let n_tokens = self.sequences.len(entry.seq)?.saturating_add(entry.tokens.len());
            if let Some(max) = model.max_context().filter(|max| n_tokens > *max) {
                return Err(Error::SequenceTooLong { n_tokens, max });
            }
            if batch[..i].iter().any(|e| e.seq == entry.seq) {
                return Err(Error::RepeatedSequence(entry.seq));
            }
            if let Some(index) = entry.tokens.iter().position(|t| *t as usize >= n_vocab) {
                return Err(Error::UnknownToken { token: entry.tokens[index], index, n_vocab });
            }
            if whole && entry.tokens.len() > self.config.n_ubatch {
                let (n_tokens, n_ubatch) = (entry.tokens.len(), self.config.n_ubatch);
                return Err(Error::StepTooSmall { n_tokens, n_ubatch });
            }
        }
        Ok(())
    }

    /// Index of the mode's pipeline, compiled if it is new.
    fn pipeline(&mut self, mode: Mode) -> Result<usize> {
        if let Some(i) = self.pipelines.iter().position(|p| p.mode == mode) {
            return Ok(i);
        }
        let pipeline = self.compile(self.model.model().graph(mode))?;
        self.pipelines.push(Compiled { mode, pipeline, taps: Vec::new() });
        Ok(self.pipelines.len() - 1)
    }

    fn compile(&self, graph: Graph) -> Result<Pipeline> {
        Ok(Pipeline::compile(
            graph,
            self.model.devices(),
            self.model.placement(),
            self.model.weights(),
            self.sequences.devices(),
            self.config.n_ubatch,
        )?)
    }

    /// Fills the next step from entry `entry`, token `done` of it, and moves both on.
    fn fill(
        &mut self,
        timeline: Timeline,
        batch: &[Entry<'_>],
        entry: &mut usize,
        done: &mut usize,
    ) -> Result<()> {
        let step = &mut self.step;
        step.clear();
        let whole = timeline == Timeline::Encoder || !self.model.model().hparams().causal;
        while let Some(e) = batch.get(*entry) {
            let room = self.config.n_ubatch - step.tokens.len();
            let left = e.tokens.len() - *done;
            if room == 0 || (whole && left > room) {
                break;
            }
            let past = self.sequences.len(e.seq)?;
            let mut n = left.min(room);
            if self.sequences.has_states() {
                let interval = self.config.snapshot_interval.max(1);
                n = n.min(interval - past % interval);
            }
            if n > 0 {
                self.sequences.reserve(e.seq, timeline, n)?;
                let first_row = step.tokens.len();
                let state_slot =
                    self.sequences.bind(e.seq, timeline, n, &mut step.tables, &mut step.views)?;
                step.rows.push(SequenceRows { first_row: first_row as u32, n_rows: n as u32, state_slot });
                let start = if timeline == Timeline::Sequence { past } else { *done };
                step.positions.extend((start..start + n).map(|p| p as i32));
                step.tokens.extend(e.tokens[*done..*done + n].iter().map(|t| *t as i32));
                let wanted = match e.wanted {
                    Wanted::None => 0..0,
                    Wanted::All => 0..n,
                    Wanted::Last if n == left => n - 1..n,
                    Wanted::Last => 0..0,
                };
                step.outputs.extend(wanted.map(|i| (first_row + i) as u32));
                step.taken.push((e.seq, n));
            }
            *done += n;
            if *done < e.tokens.len() {
                break;
            }
            *entry += 1;
            *done = 0;
        }
        Ok(())
    }
}

impl Buffers {
    fn clear(&mut self) {
        self.tokens.clear();
        self.positions.clear();
        self.outputs.clear();
        self.rows.clear();
        self.views.clear();
        self.tables.clear();
        self.taken.clear();
    }

    fn as_step(&self) -> Step<'_> {
        Step {
            tokens: &self.tokens,
            positions: &self.positions,
            outputs: &self.outputs,
            sequences: &self.rows,
            views: &self.views,
            tables: &self.tables,
        }
    }
}
