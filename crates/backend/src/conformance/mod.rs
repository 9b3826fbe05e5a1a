//! The cases every device must pass: small graphs on seeded numbers, compared with what the scalar CPU computes.
//!
//! A family's file lists its cases; [`cases`] lists the families.

mod attention;
mod compress;
mod elementwise;
mod matmul;
mod recurrent;
mod select;

use std::sync::Arc;

use tensor::{
    DType, Elem, Extents, Graph, Input, MemoryId, MemorySpec, Output, Rows, Shape, Tensor, Weight, WeightId,
    quant,
};

use crate::{BLOCK_TOKENS, Buffer, Device, KvView, MemoryLayout, Part, Result, SequenceRows, Step};

/// One graph and what it runs on.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    graph: Graph,
    weights: Vec<(Weight, Vec<u8>)>,
    /// Rows of each import, as bytes.
    imports: Vec<Vec<u8>>,
    memories: Vec<(MemorySpec, DType)>,
    /// Tokens of each sequence in each step; memory lasts from step to step.
    steps: Vec<Vec<usize>>,
    /// Greatest allowed normalized mean squared error against the reference.
    pub tolerance: f64,
}

/// All cases, by family.
pub fn cases() -> Vec<Case> {
    [elementwise::cases, matmul::cases, attention::cases, compress::cases, recurrent::cases, select::cases]
        .into_iter()
        .flat_map(|family| family())
        .collect()
}

/// Deterministic numbers in `[-1, 1)`.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// SplitMix64.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.unit()).collect()
    }
}

/// Collects a case while its graph is built.
struct Builder<'g> {
    graph: &'g Graph,
    numbers: Numbers,
    weights: Vec<(Weight, Vec<u8>)>,
    imports: Vec<Vec<u8>>,
    memories: Vec<(MemorySpec, DType)>,
    n_tokens: usize,
}

impl<'g> Builder<'g> {
    /// A float input `[dims.., n_tokens]` of random numbers.
    fn input(&mut self, dims: &[usize]) -> Tensor<'g> {
        let n = dims.iter().product::<usize>() * self.n_tokens;
        let values = self.numbers.floats(n);
        self.values(dims, &values)
    }

    fn values(&mut self, dims: &[usize], values: &[f32]) -> Tensor<'g> {
        self.import(dims, Elem::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// An integer input below `limit`.
    fn ids(&mut self, dims: &[usize], limit: usize) -> Tensor<'g> {
        let n = dims.iter().product::<usize>() * self.n_tokens;
        let bytes =
            (0..n).flat_map(|_| ((self.numbers.bits() % limit as u64) as i32).to_le_bytes()).collect();
        self.import(dims, Elem::I32, bytes)
    }

    fn import(&mut self, dims: &[usize], elem: Elem, bytes: Vec<u8>) -> Tensor<'g> {
        let index = self.imports.len() as u32;
        self.imports.push(bytes);
        self.graph.input(Input::Import { index, elem }, dims)
    }

    /// A random weight: numbers in `[-1, 1)` of float types, random valid blocks of quantized ones.
    fn weight(&mut self, dims: &[usize], dtype: DType) -> Weight {
        let n_rows = dims[1..].iter().product::<usize>();
        let row_bytes = dtype.row_bytes(dims[0]).expect("a case's rows are whole blocks");
        let mut bytes = Vec::with_capacity(n_rows * row_bytes);
        for _ in 0..n_rows {
            self.weight_row(dtype, dims[0], row_bytes, &mut bytes);
        }
        let weight =
            Weight { id: WeightId(self.weights.len() as u32), shape: Shape::new(dims, Rows::Fixed), dtype };
        self.weights.push((weight, bytes));
        weight
    }

    fn weight_row(&mut self, dtype: DType, n: usize, row_bytes: usize, out: &mut Vec<u8>) {
        match dtype {
            DType::I32 => out.extend((0..n).flat_map(|_| ((self.numbers.bits() % 10) as i32).to_le_bytes())),
            DType::F32 => out.extend((0..n).flat_map(|_| self.numbers.unit().to_le_bytes())),
            DType::BF16 => {
                out.extend((0..n).flat_map(|_| ((self.numbers.unit().to_bits() >> 16) as u16).to_le_bytes()));
            }
            // Any sign and mantissa, exponents of 2^-8 to 2^-1.
            DType::F16 => out.extend((0..n).flat_map(|_| {
                let bits = self.numbers.bits();
                let (sign, exponent, mantissa) = (bits & 0x8000, 7 + (bits >> 16) % 8, (bits >> 32) & 0x3FF);
                ((sign | exponent << 10 | mantissa) as u16).to_le_bytes()
            })),
            _ => {
                let block = row_bytes / (n / dtype.block_len());
                for _ in 0..n / dtype.block_len() {
                    out.extend(self.valid_block(dtype, block));
                }
            }
        }
    }

    /// A block of random bits that decodes to finite numbers.
    fn valid_block(&mut self, dtype: DType, n_bytes: usize) -> Vec<u8> {
        let mut values = vec![0.0; dtype.block_len()];
        loop {
            let block: Vec<u8> = (0..n_bytes).map(|_| (self.numbers.bits() >> 40) as u8).collect();
            let decoded = quant::decode(dtype, &block, &mut values);
            // Scales far apart would hide all blocks but one from the comparison.
            let greatest = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            if decoded.is_ok() && values.iter().all(|v| v.is_finite()) && (1e-3..1e3).contains(&greatest) {
                return block;
            }
        }
    }

    fn memory(&mut self, spec: MemorySpec, dtype: DType) -> MemoryId {
        self.memories.push((spec, dtype));
        MemoryId(self.memories.len() as u32 - 1)
    }
}

/// A case of one step with a single sequence of `n_tokens`.
fn case(name: &str, n_tokens: usize, build: impl for<'g> FnOnce(&mut Builder<'g>) -> Tensor<'g>) -> Case {
    steps(name, &[&[n_tokens]], build)
}

/// A case of several steps, each with its sequences' token counts (the same sum in every step).
fn steps(name: &str, steps: &[&[usize]], build: impl for<'g> FnOnce(&mut Builder<'g>) -> Tensor<'g>) -> Case {
    let graph = Graph::new();
    let seed = name.bytes().fold(0u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
    let n_tokens = steps[0].iter().sum();
    let mut builder = Builder {
        graph: &graph,
        numbers: Numbers::new(seed),
        weights: vec![],
        imports: vec![],
        memories: vec![],
        n_tokens,
    };
    let result = build(&mut builder);
    let Builder { weights, imports, memories, .. } = builder;
    graph.output(Output::Embeddings, result);
    let steps = steps.iter().map(|s| s.to_vec()).collect();
    Case { name: name.into(), graph, weights, imports, memories, steps, tolerance: 1e-10 }
}

impl Case {
    fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Runs the case on a device: the results of all its steps, end to end. `None` if the device does not support
    /// one of its ops.
    pub fn run(self, device: &Arc<dyn Device>) -> Result<Option<Vec<f32>>> {
        let (nodes, outputs) = self.graph.into_parts();
        for node in &nodes {
            let inputs: Vec<_> = node.inputs.iter().map(|i| &nodes[i.index()]).collect();
            if !device.supports(node, &inputs) {
                return Ok(None);
            }
        }
        let weights = self
            .weights
            .into_iter()
            .map(|(w, bytes)| device.load(&w, Arc::new(bytes)).map(Some))
            .collect::<Result<Vec<Option<Arc<dyn Buffer>>>>>()?;
        let n_sequences = self.steps[0].len();
        let n_blocks =
            self.steps.iter().map(|s| s.iter().sum::<usize>()).sum::<usize>().div_ceil(BLOCK_TOKENS) + 1;
        let layouts: Vec<_> = self
            .memories
            .into_iter()
            .enumerate()
            .map(|(i, (spec, dtype))| MemoryLayout {
                id: MemoryId(i as u32),
                spec,
                key_type: dtype,
                value_type: dtype,
                group: 0,
                n_slots: (n_blocks * n_sequences) as u32,
            })
            .collect();
        let memory = device.memory(&layouts)?;
        let max_tokens = self.steps.iter().map(|s| s.iter().sum()).max().unwrap_or(0);
        let part = Part { nodes: &nodes, outputs: &outputs, weights: &weights, memory, max_tokens };
        let mut executor = device.compile(part)?;
        for (index, rows) in self.imports.iter().enumerate() {
            executor.import(index as u32, rows);
        }
        let mut past = vec![0; n_sequences];
        let mut results = Vec::new();
        for counts in &self.steps {
            run_step(&mut *executor, counts, &mut past, n_blocks)?;
            let bytes = executor.output(Output::Embeddings);
            results.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        }
        Ok(Some(results))
    }
}

fn run_step(
    executor: &mut dyn crate::Executor,
    counts: &[usize],
    past: &mut [usize],
    n_blocks: usize,
) -> Result<()> {
    let n_tokens: usize = counts.iter().sum();
    let (mut sequences, mut views, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for (i, &n) in counts.iter().enumerate() {
        sequences.push(SequenceRows {
            first_row: positions.len() as u32,
            n_rows: n as u32,
            state_slot: i as u32,
        });
        views.push(KvView { table: (i * n_blocks) as u32, n_past: past[i] as u32, n_append: n as u32 });
        positions.extend((past[i]..past[i] + n).map(|p| p as i32));
        past[i] += n;
    }
    // Blocks of the sequences lie interleaved, so that a kernel cannot assume they follow one another.
    let tables: Vec<u32> =
        (0..counts.len()).flat_map(|s| (0..n_blocks).map(move |b| (b * counts.len() + s) as u32)).collect();
    let outputs: Vec<u32> = (0..n_tokens as u32).filter(|i| i % 2 == 1 || n_tokens == 1).collect();
    let tokens = vec![0; n_tokens];
    let step = Step {
        tokens: &tokens,
        positions: &positions,
        outputs: &outputs,
        sequences: &sequences,
        views: &views,
        tables: &tables,
    };
    debug_assert_eq!(step.extents(), Extents { n_tokens, n_outputs: outputs.len() });
    executor.run(&step)
}

/// Normalized mean squared error of `got` against `want`; infinite if their lengths differ or `got` is not finite
/// where `want` is.
pub fn error(got: &[f32], want: &[f32]) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let (mut differences, mut squares) = (0.0, 0.0);
    for (&g, &w) in got.iter().zip(want) {
        if g == w {
            squares += if w.is_finite() { f64::from(w) * f64::from(w) } else { 0.0 };
            continue;
        }
        let d = f64::from(g) - f64::from(w);
        if !d.is_finite() {
            return f64::INFINITY;
        }
        differences += d * d;
        squares += f64::from(w) * f64::from(w);
    }
    if differences == 0.0 { 0.0 } else { differences / squares.max(1e-30) }
}
