//! Shows what goes into a model's products with weights while it runs: the basis of importance matrices.

use backend::Pipeline;
use model::NamedWeight;
use tensor::passes::ProductTap;
use tensor::{MatMul, Output};

/// What one product of a step was computed from.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    pub weight: &'a NamedWeight,
    /// `[n_in, n_vectors, n_rows]`.
    pub input: &'a [f32],
    /// Vectors in a row of the input.
    pub n_vectors: usize,
    /// Of products with experts: the matrix that each row and each of its experts used, `[n_used, n_rows]`.
    pub experts: Option<&'a [i32]>,
    /// Whether vector `i` of a row meets matrix `i` of the weight.
    pub has_matrix_per_vector: bool,
}

/// Calls `f` with each tapped product of the step that `pipeline` has just run.
pub(crate) fn show(
    pipeline: &Pipeline,
    taps: &[ProductTap],
    weights: &[NamedWeight],
    f: &mut dyn FnMut(Product<'_>),
) {
    let rows = |output: Output| pipeline.output(output);
    for tap in taps {
        f(Product {
            weight: &weights[tap.weight.0 as usize],
            input: bytemuck::cast_slice(rows(tap.input)),
            n_vectors: tap.n_vectors,
            experts: tap.experts.map(|ids| bytemuck::cast_slice(rows(ids))),
            has_matrix_per_vector: tap.kind == MatMul::Heads,
        });
    }
}
