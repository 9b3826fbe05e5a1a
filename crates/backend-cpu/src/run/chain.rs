//! Chains: a range of rows through all links.
#![expect(unsafe_code, reason = "operands are parts of shared arenas")]

use backend::BLOCK_TOKENS;

use crate::executor::Run;
use crate::ops;
use crate::ops::attention::store;
use crate::run::matmul;
use crate::tasks::{Append, Chain, Link, Lookup, share};
use crate::value::{Vectors, as_i32};

/// Chunks a thread may claim from a chain, so that uneven rows even out.
const CHUNKS_PER_THREAD: usize = 4;

pub(crate) fn n_chunks(chain: &Chain, run: &Run<'_>) -> usize {
    run.n_rows(chain.rows).min(run.n_threads * CHUNKS_PER_THREAD)
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(chain: &Chain, run: &Run<'_>, chunk: usize) {
    let rows = share(run.n_rows(chain.rows), n_chunks(chain, run), chunk);
    for link in &chain.links {
        for row in rows.clone() {
            // SAFETY: row `row` of what the chain makes belongs to this chunk.
            unsafe { one(link, run, row) };
        }
    }
}

/// # Safety
/// Row `row` of the link's result belongs to the caller.
unsafe fn one(link: &Link, run: &Run<'_>, row: usize) {
    // SAFETY: inputs are done (earlier stages) or of this row (earlier links); the result row is the caller's.
    unsafe {
        match link {
            Link::Row(r) => {
                let mut ins = [Vectors { data: &[], dims: [1; 4], strides: [0; 4] }; 3];
                for (v, value) in ins.iter_mut().zip(&r.ins) {
                    *v = run.row(value, row);
                }
                ops::row::run(run.kernels, &r.op, &ins[..r.ins.len()], &r.out.dims, run.row_mut(&r.out, row));
            }
            Link::Lookup(l) => lookup(l, as_i32(run.row(&l.ids, row).data), run.row_mut(&l.out, row)),
            Link::Append(a) => append(a, run, row),
            Link::Select { x, out } => {
                let source = run.row(x, run.step.outputs[row] as usize);
                ops::row::run(run.kernels, &tensor::Op::Repeat, &[source], &out.dims, run.row_mut(out, row));
            }
            Link::RopeTable { angles, out } => angles.table(run.step.positions[row], run.row_mut(out, row)),
            Link::Quantize { rounding, x, out } => {
                matmul::quantize(run.kernels, *rounding, &run.row(x, row), run.row_mut(out, row));
            }
        }
    }
}

/// Ids were checked against the table by the engine; a stray one gives zeros rather than a stranger's bytes.
fn lookup(l: &Lookup, ids: &[i32], out: &mut [f32]) {
    let n = l.table.weight.shape.dim(0);
    let row_bytes = l.table.row_bytes().expect("checked when the weight was loaded");
    for (id, y) in ids.iter().zip(out.chunks_exact_mut(n)) {
        match usize::try_from(*id) {
            Ok(id) if id < l.n_table_rows => {
                l.table
                    .decode_to(id * row_bytes..(id + 1) * row_bytes, y)
                    .expect("whole rows of a checked weight");
            }
            _ => y.fill(0.0),
        }
    }
}

/// # Safety
/// Row `row`'s place in memory belongs to the caller.
unsafe fn append(a: &Append, run: &Run<'_>, row: usize) {
    let shape = run.memory.shape(a.memory).expect("the splitter runs this where the memory is");
    let kv = shape.kv.expect("keys and values are appended to key-value memories");
    let sequences = run.step.sequences;
    let sequence = sequences.partition_point(|s| (s.first_row + s.n_rows) as usize <= row);
    let view = run.step.view(sequence, shape.group);
    let token = view.n_past as usize + row - sequences[sequence].first_row as usize;
    if !(token + 1).is_multiple_of(kv.ratio) {
        return;
    }
    let stored = token / kv.ratio;
    let block = run.step.tables[view.table as usize + stored / BLOCK_TOKENS];
    for head in 0..kv.n_head_kv {
        // SAFETY: the inputs are this row's or older; the token's place in the block is written by this row alone.
        unsafe {
            let at = kv.key_at(head, stored % BLOCK_TOKENS);
            let out = run.stored_mut(a.memory, block, at, kv.key.n_bytes);
            store(run.kernels, run.row(&a.key, row).vector(head), &kv.key, out);
            if let Some(value) = &a.value {
                let at = kv.value_at(head, stored % BLOCK_TOKENS);
                let out = run.stored_mut(a.memory, block, at, kv.value.n_bytes);
                store(run.kernels, run.row(value, row).vector(head), &kv.value, out);
            }
        }
    }
}
