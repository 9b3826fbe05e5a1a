//! From a graph to a program: where every value lies, and which steps run between which barriers.
//!
//! Row-wise nodes form *chains*: a thread carries its rows through all of them without a barrier, because row `i` of
//! each needs only row `i` of the ones before. Everything else is a task of its own. Tasks that do not need each
//! other share a stage; a barrier separates stages.

use std::collections::HashMap;
use std::sync::Arc;

use backend::{Buffer, Error, Part, Result};
use tensor::{Elem, Input, Lifetime, Node, NodeId, Op, Output, Rows, Shape, plan_arena};

use crate::device::CpuWeight;
use crate::memory::CpuMemory;
use crate::quantize::Rounding;
use crate::raw::LINE;
use crate::run::attention::Parts;
use crate::run::experts::Groups;
use crate::tasks::{Append, Chain, GroupTask, Link, Lookup, MatMulTask, RowOp, SequenceTask, Task};
use crate::value::{Place, Value};
use crate::{ops, run};

/// A compiled part of a graph.
#[derive(Debug)]
pub(crate) struct Program {
    /// Tasks between two barriers.
    pub(crate) stages: Vec<Vec<Task>>,
    /// Decoded small weights.
    pub(crate) small: Vec<Vec<f32>>,
    /// Elements a row of each kind of rows, by [`region`].
    pub(crate) row_units: [usize; 3],
    pub(crate) outputs: Vec<(Output, Value)>,
    /// Elements of a row of each import.
    pub(crate) imports: Vec<usize>,
}

/// The arena of a kind of rows.
pub(crate) fn region(rows: Rows) -> usize {
    match rows {
        Rows::Fixed => 0,
        Rows::Tokens => 1,
        Rows::Outputs => 2,
    }
}

/// An arena buffer being planned.
#[derive(Clone, Copy, Debug)]
struct Planned {
    rows: Rows,
    life: Lifetime,
}

pub(crate) struct Compiler<'a> {
    part: &'a Part<'a>,
    device: &'a str,
    /// By node.
    values: Vec<Option<Value>>,
    /// By node: the stage after which it can be read.
    levels: Vec<usize>,
    buffers: Vec<Planned>,
    small: Vec<Vec<f32>>,
    small_of: HashMap<NodeId, usize>,
    quantized: HashMap<(NodeId, Rounding), (Value, usize)>,
    /// By the ids of the experts.
    grouped: HashMap<NodeId, (Groups, usize)>,
    imports: Vec<usize>,
    /// By stage.
    stages: Vec<Vec<Task>>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(device: &'a str, part: &'a Part<'a>) -> Self {
        let n = part.nodes.len();
        Self {
            part,
            device,
            values: vec![None; n],
            levels: vec![0; n],
            buffers: Vec::new(),
            small: Vec::new(),
            small_of: HashMap::new(),
            quantized: HashMap::new(),
            grouped: HashMap::new(),
            imports: Vec::new(),
            stages: Vec::new(),
        }
    }

    pub(crate) fn compile(mut self) -> Result<Program> {
        for i in 0..self.part.nodes.len() {
            self.node(NodeId(i as u32))?;
        }
        let mut outputs = Vec::new();
        for &(output, id) in self.part.outputs {
            let id = self.contiguous(id)?;
            let id = self.in_arena(id)?;
            let value = self.value(id)?;
            self.keep(&value, usize::MAX);
            outputs.push((output, value));
        }
        let mut program = Program {
            stages: self.stages,
            small: self.small,
            row_units: [0; 3],
            outputs,
            imports: self.imports,
        };
        place(&mut program, &self.buffers);
        Ok(program)
    }

    fn node(&mut self, id: NodeId) -> Result<()> {
        let node = &self.part.nodes[id.index()];
        let value = match &node.op {
            Op::Weight(_) => return Ok(()),
            Op::Input(Input::Tokens) => Some(Value::new(Place::Tokens, &node.shape)),
            Op::Input(Input::Positions(_)) => Some(Value::new(Place::Positions, &node.shape)),
            Op::Input(Input::Import { index, .. }) => {
                let n = self.imports.len().max(*index as usize + 1);
                self.imports.resize(n, 0);
                self.imports[*index as usize] = node.shape.row_len();
                Some(Value::new(Place::Import(*index), &node.shape))
            }
            Op::ReadKv { .. } => Some(Value::new(Place::Handle, &node.shape)),
            Op::Slice { dim, start, len } => {
                let source = self.operand(node.inputs[0])?;
                self.levels[id.index()] = self.levels[node.inputs[0].index()];
                Some(source.slice(*dim, *start, *len))
            }
            Op::Reshape => {
                self.levels[id.index()] = self.levels[node.inputs[0].index()];
                self.value(node.inputs[0])?.reshape(&node.shape)
            }
            _ => None,
        };
        match value {
            Some(value) => self.values[id.index()] = Some(value),
            None => self.compute(id)?,
        }
        Ok(())
    }

    /// A node that does work.
    fn compute(&mut self, id: NodeId) -> Result<()> {
        let node = &self.part.nodes[id.index()];
        match &node.op {
            Op::MatMul(kind) => self.matmul(id, *kind),
            Op::Lookup => {
                let table = self.weight(node.inputs[0])?;
                let ids = self.value(node.inputs[1])?;
                let n_table_rows = self.part.nodes[node.inputs[0].index()].shape.dim(1);
                self.link(id, &[node.inputs[1]], |out| Link::Lookup(Lookup { table, n_table_rows, ids, out }))
            }
            Op::AppendKv { memory } => {
                let key = self.value(node.inputs[0])?;
                let value = node.inputs.get(1).map(|v| self.value(*v)).transpose()?;
                let memory = *memory;
                self.link(id, &node.inputs, |_| Link::Append(Append { memory, key, value }))
            }
            Op::SelectOutputs => {
                let x = self.value(node.inputs[0])?;
                self.link(id, &node.inputs, |out| Link::Select { x, out })
            }
            Op::RopeTable(table) => {
                let factors = node.inputs.get(1).map(|f| self.small_weight(*f)).transpose()?;
                let factors = factors.map(|i| &self.small[i][..]);
                let angles = Arc::new(ops::rope::Angles::new(table, factors));
                self.link(id, &[node.inputs[0]], |out| Link::RopeTable { angles, out })
            }
            Op::Attention(_)
            | Op::Choose(_)
            | Op::Compress(_)
            | Op::Conv1d(_)
            | Op::Pool(_)
            | Op::SsmScan(_)
            | Op::TokenShift { .. }
            | Op::Wkv7 { .. } => self.sequence(id),
            op if ops::row::supported(op) => {
                let ins = node.inputs.iter().map(|i| self.operand(*i)).collect::<Result<Vec<_>>>()?;
                let op = op.clone();
                self.link(id, &node.inputs, |out| Link::Row(RowOp { op, ins, out }))
            }
            op => Err(self.unsupported(format!("{op:?}"))),
        }
    }

    /// Adds a link to the chain of its rows at the earliest stage where its inputs are there.
    fn link(&mut self, id: NodeId, inputs: &[NodeId], make: impl FnOnce(Value) -> Link) -> Result<()> {
        let node = &self.part.nodes[id.index()];
        let rows = node.shape.rows();
        let level = self.chain_level(inputs, rows);
        for &input in inputs {
            self.read(input, level);
        }
        let out = self.define(id, level);
        let link = make(out);
        self.push_link(level, rows, link);
        Ok(())
    }

    fn push_link(&mut self, level: usize, rows: Rows, link: Link) {
        let stage = self.stage(level);
        let chain = stage.iter_mut().find_map(|task| match task {
            Task::Chain(chain) if chain.rows == rows => Some(chain),
            _ => None,
        });
        match chain {
            Some(chain) => chain.links.push(link),
            None => stage.push(Task::Chain(Chain { rows, links: vec![link] })),
        }
    }

    fn matmul(&mut self, id: NodeId, kind: tensor::MatMul) -> Result<()> {
        let node = &self.part.nodes[id.index()];
        let weight = self.weight(node.inputs[0])?;
        let x_id = self.contiguous_vectors(node.inputs[1])?;
        let (x, x_level) = match run::rounding(weight.weight.dtype) {
            Some(rounding) => self.quantize(x_id, rounding)?,
            None => (self.value(x_id)?, self.levels[x_id.index()]),
        };
        let n_expert = weight.weight.shape.dim(2);
        let groups = node.inputs.get(2).map(|ids| self.group(*ids, n_expert)).transpose()?;
        let groups_level = groups.as_ref().map_or(0, |(_, level)| level + 1);
        let level = self.after(x_level, &x).max(groups_level);
        self.keep(&x, level);
        let groups = groups.map(|(groups, _)| {
            self.keep(&groups.index, level);
            self.keep(&groups.choices, level);
            groups
        });
        let out = self.define(id, level);
        let task = Task::MatMul(MatMulTask { kind, weight, x, groups, out });
        self.stage(level).push(task);
        Ok(())
    }

    /// The rows sorted by the experts they chose, once however many matmuls ask.
    fn group(&mut self, ids: NodeId, n_expert: usize) -> Result<(Groups, usize)> {
        if let Some(found) = self.grouped.get(&ids) {
            return Ok(found.clone());
        }
        let value = self.value(ids)?;
        let level = self.ready(ids);
        self.read(ids, level);
        let index = self.buffer(&Shape::new(&[Groups::index_len(n_expert)], Rows::Fixed), level);
        let choices = self.buffer(&Shape::new(&[value.row_len()], value.rows), level);
        let groups = Groups { index, choices };
        self.stage(level).push(Task::Group(GroupTask { ids: value, groups: groups.clone() }));
        self.grouped.insert(ids, (groups.clone(), level));
        Ok((groups, level))
    }

    /// The quantized form of a value, made once however many matmuls read it.
    fn quantize(&mut self, id: NodeId, rounding: Rounding) -> Result<(Value, usize)> {
        if let Some(found) = self.quantized.get(&(id, rounding)) {
            return Ok(found.clone());
        }
        let node = &self.part.nodes[id.index()];
        let rows = node.shape.rows();
        let x = self.value(id)?;
        let level = self.chain_level(&[id], rows);
        self.read(id, level);
        let units = run::quantized_units(x.dims[0]);
        let shape = node.shape.with_dim(0, units);
        let out = self.buffer(&shape, level);
        self.push_link(level, rows, Link::Quantize { rounding, x, out: out.clone() });
        self.quantized.insert((id, rounding), (out.clone(), level));
        Ok((out, level))
    }

    fn sequence(&mut self, id: NodeId) -> Result<()> {
        let node = &self.part.nodes[id.index()];
        let memory = self.part.memory.as_any().downcast_ref::<CpuMemory>();
        let shape = node.op.memory().and_then(|m| memory?.shape(m));
        let Some(shape) = shape else {
            return Err(self.unsupported(format!("{:?} without its memory on this device", node.op)));
        };
        if matches!(node.op, Op::Conv1d(_) | Op::Pool(_) | Op::TokenShift { .. }) {
            self.contiguous_vectors(node.inputs[0])?;
        }
        let ins = node.inputs.iter().map(|i| self.operand(*i)).collect::<Result<Vec<_>>>()?;
        let level = node.inputs.iter().map(|i| self.ready(*i)).max().unwrap_or(0);
        for input in &node.inputs {
            self.read(*input, level);
        }
        let out = self.define(id, level);
        let results_len = match (&node.op, shape.kv) {
            (Op::Attention(_), Some(kv)) => Some(Parts::results_len(out.dims[1] / kv.n_head_kv, out.dims[0])),
            (Op::Choose(choose), _) => Some(run::choose::results_len(choose.k, out.dims[1])),
            _ => None,
        };
        let parts = results_len.map(|n| Parts::new(self.buffer(&Shape::new(&[n], Rows::Fixed), level)));
        let task = SequenceTask { op: node.op.clone(), shape, ins, out, parts };
        self.stage(level).push(Task::Sequence(task));
        Ok(())
    }

    fn stage(&mut self, level: usize) -> &mut Vec<Task> {
        if self.stages.len() <= level {
            self.stages.resize_with(level + 1, Vec::new);
        }
        &mut self.stages[level]
    }

    /// The stage at which a chain over `rows` can read all `inputs`: the same stage for what the chain itself makes.
    fn chain_level(&self, inputs: &[NodeId], rows: Rows) -> usize {
        let level = |i: &NodeId| {
            let node = &self.part.nodes[i.index()];
            if node.shape.rows() == rows && self.is_chained(*i) {
                self.levels[i.index()]
            } else {
                self.ready(*i)
            }
        };
        inputs.iter().map(level).max().unwrap_or(0)
    }

    /// Whether a value is made by a chain, seen through views.
    fn is_chained(&self, id: NodeId) -> bool {
        let node = &self.part.nodes[id.index()];
        match node.op {
            Op::Slice { .. } => self.is_chained(node.inputs[0]),
            Op::Reshape if self.is_view(id) => self.is_chained(node.inputs[0]),
            Op::MatMul(_) | Op::Attention(_) | Op::Choose(_) | Op::Compress(_) | Op::Conv1d(_) => false,
            Op::Pool(_) | Op::SsmScan(_) | Op::TokenShift { .. } | Op::Wkv7 { .. } => false,
            Op::Weight(_) | Op::Input(_) | Op::ReadKv { .. } => false,
            _ => true,
        }
    }

    /// Whether a reshape shares its input's memory.
    fn is_view(&self, id: NodeId) -> bool {
        let place = |id: NodeId| self.values[id.index()].as_ref().map(|v| v.place);
        place(id) == place(self.part.nodes[id.index()].inputs[0])
    }

    /// The first stage in which a task other than its own chain can read the value.
    fn ready(&self, id: NodeId) -> usize {
        match (&self.part.nodes[id.index()].op, &self.values[id.index()]) {
            (Op::Weight(_), _) => 0,
            (_, Some(value)) => self.after(self.levels[id.index()], value),
            (_, None) => 0,
        }
    }

    fn after(&self, level: usize, value: &Value) -> usize {
        match value.place {
            Place::Arena(_) => level + 1,
            Place::Handle => level + 1,
            Place::Small(_) | Place::Import(_) | Place::Tokens | Place::Positions => 0,
        }
    }

    /// Gives the node a buffer (or a handle) made at `level`.
    fn define(&mut self, id: NodeId, level: usize) -> Value {
        let node = &self.part.nodes[id.index()];
        let value = if node.elem == Elem::Token {
            Value::new(Place::Handle, &node.shape)
        } else {
            self.buffer(&node.shape, level)
        };
        self.levels[id.index()] = level;
        self.values[id.index()] = Some(value.clone());
        value
    }

    fn buffer(&mut self, shape: &Shape, level: usize) -> Value {
        let size = shape.row_len().next_multiple_of(LINE);
        let life = Lifetime { first: level, last: level, size };
        self.buffers.push(Planned { rows: shape.rows(), life });
        Value::new(Place::Arena(self.buffers.len() - 1), shape)
    }

    fn read(&mut self, id: NodeId, level: usize) {
        if let Some(value) = self.values[id.index()].clone() {
            self.keep(&value, level);
        }
    }

    fn keep(&mut self, value: &Value, level: usize) {
        if let Place::Arena(buffer) = value.place {
            let last = &mut self.buffers[buffer].life.last;
            *last = level.max(*last);
        }
    }

    fn value(&self, id: NodeId) -> Result<Value> {
        self.values[id.index()]
            .clone()
            .ok_or_else(|| self.unsupported(format!("{:?} as an operand", self.part.nodes[id.index()].op)))
    }

    /// A value or a small weight.
    fn operand(&mut self, id: NodeId) -> Result<Value> {
        let node = &self.part.nodes[id.index()];
        if matches!(node.op, Op::Weight(_)) {
            let small = self.small_weight(id)?;
            return Ok(Value::new(Place::Small(small), &node.shape));
        }
        self.value(id)
    }

    /// A value whose rows are contiguous: itself or a copy.
    fn contiguous(&mut self, id: NodeId) -> Result<NodeId> {
        let value = self.value(id)?;
        let node = &self.part.nodes[id.index()];
        if value.is_contiguous() && value.row_stride == value.row_len() {
            return Ok(id);
        }
        let link = |out| Link::Row(RowOp { op: Op::Repeat, ins: vec![value], out });
        self.copy(id, node, link)
    }

    /// A value that outlives the step's inputs: itself or, where it is one of them under another shape, a copy.
    fn in_arena(&mut self, id: NodeId) -> Result<NodeId> {
        let value = self.value(id)?;
        if matches!(value.place, Place::Arena(_)) {
            return Ok(id);
        }
        let node = &self.part.nodes[id.index()];
        self.copy(id, node, |out| Link::Row(RowOp { op: Op::Repeat, ins: vec![value], out }))
    }

    /// A value whose elements follow one another within a row: itself or a copy.
    fn contiguous_vectors(&mut self, id: NodeId) -> Result<NodeId> {
        let value = self.value(id)?;
        if value.is_contiguous() {
            return Ok(id);
        }
        self.contiguous(id)
    }

    /// Replaces a node's value by a copy of it.
    fn copy(&mut self, id: NodeId, node: &Node, make: impl FnOnce(Value) -> Link) -> Result<NodeId> {
        let rows = node.shape.rows();
        let level = self.chain_level(&[id], rows);
        self.read(id, level);
        let out = self.buffer(&node.shape, level);
        self.push_link(level, rows, make(out.clone()));
        self.values[id.index()] = Some(out);
        self.levels[id.index()] = level;
        Ok(id)
    }

    fn weight(&self, id: NodeId) -> Result<Arc<CpuWeight>> {
        let Op::Weight(weight) = &self.part.nodes[id.index()].op else {
            return Err(self.unsupported("a product with a computed matrix".into()));
        };
        let buffer: Option<&Arc<dyn Buffer>> = self.part.weights[weight.id.0 as usize].as_ref();
        buffer
            .and_then(|b| b.as_any().downcast_ref::<CpuWeight>())
            .map(|w| Arc::new(w.clone()))
            .ok_or_else(|| self.unsupported(format!("weight {:?}, which is on another device", weight.id)))
    }

    /// The decoded elements of a weight used as an operand of arithmetic.
    fn small_weight(&mut self, id: NodeId) -> Result<usize> {
        if let Some(&i) = self.small_of.get(&id) {
            return Ok(i);
        }
        let decoded = self.weight(id)?.decode().map_err(|what| self.unsupported(what))?;
        self.small.push(decoded);
        self.small_of.insert(id, self.small.len() - 1);
        Ok(self.small.len() - 1)
    }

    fn unsupported(&self, op: String) -> Error {
        Error::Unsupported { device: self.device.into(), op }
    }
}

/// Turns buffer numbers into places in the arenas.
fn place(program: &mut Program, buffers: &[Planned]) {
    let mut offsets = vec![0; buffers.len()];
    for rows in [Rows::Fixed, Rows::Tokens, Rows::Outputs] {
        let own: Vec<usize> = (0..buffers.len()).filter(|&i| buffers[i].rows == rows).collect();
        let lives: Vec<Lifetime> = own.iter().map(|&i| buffers[i].life).collect();
        let (slots, total) = plan_arena(&lives);
        program.row_units[region(rows)] = total;
        for (i, slot) in own.into_iter().zip(slots) {
            offsets[i] = slot.offset;
        }
    }
    let resolve = |value: &mut Value| {
        if let Place::Arena(buffer) = &mut value.place {
            *buffer = offsets[*buffer];
        }
    };
    program.outputs.iter_mut().for_each(|(_, v)| resolve(v));
    program.stages.retain(|stage| !stage.is_empty());
    for task in program.stages.iter_mut().flatten() {
        task.values_mut(&mut |v| resolve(v));
    }
}
