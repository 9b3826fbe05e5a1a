//! The units of work of a program: chains of row-wise links, matrix products, operations along sequences.

use std::ops::Range;
use std::sync::Arc;

use tensor::{MatMul, MemoryId, Op, Rows};

use crate::device::CpuWeight;
use crate::memory::SlotShape;
use crate::ops::rope::Angles;
use crate::quantize::Rounding;
use crate::run::attention::Parts;
use crate::run::experts::Groups;
use crate::value::Value;

/// What runs between two barriers, in chunks that any thread may claim.
#[derive(Debug)]
pub(crate) enum Task {
    Chain(Chain),
    MatMul(MatMulTask),
    Group(GroupTask),
    Sequence(SequenceTask),
}

/// Links that a thread carries its rows through, one after another.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) rows: Rows,
    pub(crate) links: Vec<Link>,
}

/// A step of a chain.
#[derive(Debug)]
pub(crate) enum Link {
    Row(RowOp),
    Lookup(Lookup),
    Append(Append),
    Select { x: Value, out: Value },
    RopeTable { angles: Arc<Angles>, out: Value },
    Quantize { rounding: Rounding, x: Value, out: Value },
}

#[derive(Debug)]
pub(crate) struct RowOp {
    pub(crate) op: Op,
    pub(crate) ins: Vec<Value>,
    pub(crate) out: Value,
}

/// Rows of a table by id.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) table: Arc<CpuWeight>,
    pub(crate) n_table_rows: usize,
    pub(crate) ids: Value,
    pub(crate) out: Value,
}

/// Keys and values into memory.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) memory: MemoryId,
    pub(crate) key: Value,
    pub(crate) value: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct MatMulTask {
    pub(crate) kind: MatMul,
    pub(crate) weight: Arc<CpuWeight>,
    /// Float32 or quantized activations.
    pub(crate) x: Value,
    /// Of experts: which vectors each multiplies.
    pub(crate) groups: Option<Groups>,
    pub(crate) out: Value,
}

/// Sorting of rows by the experts they chose.
#[derive(Debug)]
pub(crate) struct GroupTask {
    pub(crate) ids: Value,
    pub(crate) groups: Groups,
}

/// An operation along the tokens of each sequence.
#[derive(Debug)]
pub(crate) struct SequenceTask {
    pub(crate) op: Op,
    pub(crate) shape: SlotShape,
    pub(crate) ins: Vec<Value>,
    pub(crate) out: Value,
    /// Of attention and choices alone.
    pub(crate) parts: Option<Parts>,
}

impl Task {
    /// Every value the task names, for the planner to place.
    pub(crate) fn values_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        match self {
            Self::Chain(chain) => chain.links.iter_mut().for_each(|link| link.values_mut(visit)),
            Self::MatMul(m) => {
                visit(&mut m.x);
                m.groups.iter_mut().for_each(|groups| groups.values_mut(visit));
                visit(&mut m.out);
            }
            Self::Group(g) => {
                visit(&mut g.ids);
                g.groups.values_mut(visit);
            }
            Self::Sequence(s) => {
                s.ins.iter_mut().for_each(&mut *visit);
                s.parts.iter_mut().for_each(|parts| visit(&mut parts.results));
                visit(&mut s.out);
            }
        }
    }
}

impl Groups {
    fn values_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        visit(&mut self.index);
        visit(&mut self.choices);
    }
}

impl Link {
    fn values_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        match self {
            Self::Row(row) => {
                row.ins.iter_mut().for_each(&mut *visit);
                visit(&mut row.out);
            }
            Self::Lookup(l) => {
                visit(&mut l.ids);
                visit(&mut l.out);
            }
            Self::Append(a) => {
                visit(&mut a.key);
                a.value.iter_mut().for_each(&mut *visit);
            }
            Self::Select { x, out } | Self::Quantize { x, out, .. } => {
                visit(x);
                visit(out);
            }
            Self::RopeTable { out, .. } => visit(out),
        }
    }
}

/// Part `chunk` of `n` items split into `n_chunks` nearly equal ranges.
pub(crate) fn share(n: usize, n_chunks: usize, chunk: usize) -> Range<usize> {
    n * chunk / n_chunks..n * (chunk + 1) / n_chunks
}
