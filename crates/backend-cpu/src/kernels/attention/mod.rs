//! Streaming-softmax attention of a tile of queries over stored keys and values, a run of keys at a time. Knows
//! neither threads nor where memory lies: the caller brings each run's bytes and says what a query may not see.
//!
//! Few queries multiply keys and values as they are stored. Many share the work of widening them: keys are
//! transposed to panels of 16, and both products become outer products that fill all registers.

mod products;
mod unpack;

use std::marker::PhantomData;

use quant::DType;

use products::{AddValues, PanelScores, RowScores};

use super::{
    Kernels, float,
    vector::{exp, tanh},
};
use crate::isa::{Isa, Kernel};

/// Keys that are taken in at a time, at most.
pub(crate) const KEYS: usize = 32;
/// Queries that are multiplied together: with 16 lanes each they fill the registers of AVX2.
const GROUP: usize = 6;

/// Scores of one query for a run of keys.
type Scores = [f32; KEYS];

/// Vectors as they are stored, `stride` bytes apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) dtype: DType,
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
    /// How many, at most [`KEYS`].
    pub(crate) n: usize,
}

/// The queries of a tile and what they have gathered so far. Sizes are fixed by [`Tile::start`].
#[derive(Debug, Default)]
pub(crate) struct Tile {
    n: usize,
    dims: Dims,
    queries: Vec<[f32; 16]>,
    scores: Vec<Scores>,
    max: Vec<f32>,
    /// Sums of weights, by lane.
    sums: Vec<[f32; 16]>,
    values: Vec<[f32; 16]>,
    /// Keys transposed, or keys and values widened.
    widened: Vec<[f32; 16]>,
    panels: Vec<[f32; 16]>,
}

/// Lengths of keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dims {
    pub(crate) key: usize,
    pub(crate) value: usize,
}

impl Dims {
    fn key_chunks(self) -> usize {
        self.key.div_ceil(16)
    }

    fn value_chunks(self) -> usize {
        self.value.div_ceil(16)
    }
}

/// A buffer of at least `n` elements, which never shrinks.
fn at_least<T: Copy>(buffer: &mut Vec<T>, n: usize, empty: T) {
    if buffer.len() < n {
        buffer.resize(n, empty);
    }
}

impl Tile {
    /// Makes room for `most` queries, and starts with `n` that have seen nothing.
    pub(crate) fn start(&mut self, dims: Dims, n: usize, most: usize) {
        let most = most.max(n);
        (self.n, self.dims) = (n, dims);
        at_least(&mut self.queries, most * dims.key_chunks(), [0.0; 16]);
        at_least(&mut self.scores, most, [0.0; KEYS]);
        at_least(&mut self.max, most, 0.0);
        at_least(&mut self.sums, most, [0.0; 16]);
        at_least(&mut self.values, most * dims.value_chunks(), [0.0; 16]);
        at_least(&mut self.widened, KEYS * dims.key_chunks().max(dims.value_chunks()), [0.0; 16]);
        at_least(&mut self.panels, KEYS * dims.key_chunks(), [0.0; 16]);
        self.max[..n].fill(f32::NEG_INFINITY);
        self.sums[..n].fill([0.0; 16]);
        self.values[..n * dims.value_chunks()].fill([0.0; 16]);
    }

    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// Sets a query, multiplied by `scale`; returns it.
    pub(crate) fn set_query(&mut self, i: usize, x: &[f32], scale: f32) -> &mut [f32] {
        let chunks = self.dims.key_chunks();
        let query = self.queries[i * chunks..(i + 1) * chunks].as_flattened_mut();
        for (q, x) in query.iter_mut().zip(x) {
            *q = x * scale;
        }
        query[x.len()..].fill(0.0);
        &mut query[..x.len()]
    }

    /// A score that the query spends on nothing.
    pub(crate) fn spend(&mut self, i: usize, score: f32) {
        self.max[i] = score;
        self.sums[i][0] = 1.0;
    }

    /// The scores of the last run, by query.
    pub(crate) fn scores_mut(&mut self) -> &mut [Scores] {
        &mut self.scores[..self.n]
    }

    /// Greatest score and sum of weights of a query.
    pub(crate) fn totals(&self, i: usize) -> (f32, f32) {
        (self.max[i], self.sums[i].iter().sum())
    }

    /// Weighted values of a query, to be divided by the sum of weights.
    pub(crate) fn values(&self, i: usize) -> &[f32] {
        let chunks = self.dims.value_chunks();
        &self.values[i * chunks..(i + 1) * chunks].as_flattened()[..self.dims.value]
    }
}

impl Kernels {
    /// Multiplies the tile's queries with a run of keys. Scores past `keys.n` mean nothing.
    pub(crate) fn attention_scores(self, tile: &mut Tile, keys: Stored<'_>) {
        let (n, dim) = (tile.n, tile.dims.key);
        let many = n > GROUP;
        let keys = match self.widened(keys, dim, false, &mut tile.widened) {
            Some(keys) => keys,
            None => Stored { bytes: bytemuck::cast_slice(&tile.widened), ..widened_shape(keys, dim) },
        };
        let chunks = tile.dims.key_chunks();
        let queries = &tile.queries[..n * chunks];
        let scores = &mut tile.scores[..n];
        if many {
            let panels = &mut tile.panels[..KEYS * chunks];
            with_float!(keys.dtype, F => self.run(PanelScores::<F> { keys, chunks, queries, panels, scores, float: PhantomData }));
        } else {
            with_float!(keys.dtype, F => self.run(RowScores::<F> { keys, chunks, queries, scores, float: PhantomData }));
        }
    }

    /// Bounds scores to `±c` smoothly.
    pub(crate) fn attention_softcap(self, tile: &mut Tile, c: f32) {
        self.run(Softcap { scores: &mut tile.scores[..tile.n], c });
    }

    /// Takes the run in whose scores were computed last; a score of negative infinity takes nothing.
    pub(crate) fn attention_take(self, tile: &mut Tile, values: Stored<'_>) {
        let (n, dim) = (tile.n, tile.dims.value);
        let stored = match self.widened(values, dim, n > GROUP, &mut tile.widened) {
            Some(values) => values,
            None => Stored { bytes: bytemuck::cast_slice(&tile.widened), ..widened_shape(values, dim) },
        };
        let chunks = tile.dims.value_chunks();
        let values = &mut tile.values[..n * chunks];
        let scores = &mut tile.scores[..n];
        self.run(Weigh { scores, max: &mut tile.max[..n], sums: &mut tile.sums[..n], values, chunks });
        let scores = &tile.scores[..n];
        with_float!(stored.dtype, F => self.run(AddValues::<F> { stored, chunks, scores, values, float: PhantomData }));
    }

    /// The vectors as they are if a kernel can read them; otherwise nothing, and they are in `out` as `F32`.
    fn widened<'a>(
        self,
        x: Stored<'a>,
        dim: usize,
        is_reused: bool,
        out: &mut [[f32; 16]],
    ) -> Option<Stored<'a>> {
        let chunks = dim.div_ceil(16);
        let is_float = matches!(x.dtype, DType::F32 | DType::F16 | DType::BF16);
        if is_float && dim.is_multiple_of(16) && (x.dtype == DType::F32 || !is_reused) {
            return Some(x);
        }
        let row_bytes = x.dtype.row_bytes(dim).expect("checked when the memory was made");
        for (i, out) in out.chunks_exact_mut(chunks).take(x.n).enumerate() {
            let row = &x.bytes[i * x.stride..][..row_bytes];
            let out = out.as_flattened_mut();
            if is_float {
                out[dim..].fill(0.0);
                self.widen(x.dtype, row, &mut out[..dim]);
            } else {
                self.unpack_row(x.dtype, row, out);
            }
        }
        None
    }
}

/// What a run looks like when its vectors are `F32` and padded to whole chunks.
fn widened_shape<'a>(x: Stored<'_>, dim: usize) -> Stored<'a> {
    Stored { dtype: DType::F32, bytes: &[], stride: 64 * dim.div_ceil(16), n: x.n }
}

macro_rules! with_float {
    ($dtype:expr, $F:ident => $do:expr) => {
        match $dtype {
            DType::F16 => {
                type $F = float::F16;
                $do
            }
            DType::BF16 => {
                type $F = float::Bf16;
                $do
            }
            _ => {
                type $F = float::F32;
                $do
            }
        }
    };
}
use with_float;

struct Softcap<'a> {
    scores: &'a mut [Scores],
    c: f32,
}

impl Kernel for Softcap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let (c, inverse) = (isa.splat(self.c), isa.splat(1.0 / self.c));
        for x in self.scores.as_flattened_mut().as_chunks_mut::<16>().0 {
            isa.store(isa.mul(c, tanh(isa, isa.mul(isa.load(x), inverse))), x);
        }
    }
}

/// Turns scores into weights, and brings what was gathered before to the new greatest score.
struct Weigh<'a> {
    scores: &'a mut [Scores],
    max: &'a mut [f32],
    sums: &'a mut [[f32; 16]],
    values: &'a mut [[f32; 16]],
    chunks: usize,
}

impl Kernel for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Weigh { scores, max, sums, values, chunks } = self;
        for (i, ((scores, max), sums)) in scores.iter_mut().zip(max).zip(sums).enumerate() {
            let [low, high] = scores.as_chunks_mut::<16>().0 else { unreachable!("32 scores") };
            let (a, b) = (isa.load(low), isa.load(high));
            let greatest = isa.max_lane(isa.max(a, b)).max(*max);
            if greatest == f32::NEG_INFINITY {
                scores.fill(0.0);
                continue;
            }
            let mut sum = isa.load(sums);
            if greatest > *max {
                let rescale = isa.splat((*max - greatest).exp());
                sum = isa.mul(sum, rescale);
                for x in &mut values[i * chunks..(i + 1) * chunks] {
                    isa.store(isa.mul(isa.load(x), rescale), x);
                }
                *max = greatest;
            }
            let greatest = isa.splat(greatest);
            let (a, b) = (exp(isa, isa.sub(a, greatest)), exp(isa, isa.sub(b, greatest)));
            isa.store(a, low);
            isa.store(b, high);
            isa.store(isa.add(sum, isa.add(a, b)), sums);
        }
    }
}
