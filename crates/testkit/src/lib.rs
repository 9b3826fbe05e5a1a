//! For tests only: the golden files of a reference engine, synthetic models made from them, tolerances, other people's
//! files, chance.
//!
//! Knows the container but no architecture: what a model needs is in the golden.

mod cache;
mod folder;
mod golden;
mod models;
mod npy;
mod random;
mod synthetic;

pub use cache::cached;
pub use folder::Folder;
pub use golden::{Golden, KeyValue, Run, TensorSpec, goldens};
pub use models::{Continuation, ModelGolden};
pub use npy::{Array, NpyError, read_npy, write_npy};
pub use random::Random;

/// Normalized mean squared error: the sum of squared differences over the sum of squared reference values.
/// Infinite if the lengths differ or a value is not a number.
#[must_use]
pub fn nmse(got: &[f32], want: &[f32]) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let square = |x: f64| x * x;
    let error: f64 = got.iter().zip(want).map(|(&g, &w)| square(f64::from(g) - f64::from(w))).sum();
    let size: f64 = want.iter().map(|&w| square(f64::from(w))).sum();
    match (error, size) {
        (0.0, _) => 0.0,
        _ if error.is_nan() || size.is_nan() => f64::INFINITY,
        _ => error / size,
    }
}

#[cfg(test)]
mod tests {
    use super::nmse;

    #[test]
    fn nmse_is_relative_and_never_hides_garbage() {
        for (got, want, expect) in [
            (&[1.0, 2.0][..], &[1.0, 2.0][..], 0.0),
            (&[0.0, 2.0], &[1.0, 2.0], 0.2),
            (&[1.0], &[1.0, 2.0], f64::INFINITY),
            (&[f32::NAN, 2.0], &[1.0, 2.0], f64::INFINITY),
            (&[1.0], &[0.0], f64::INFINITY),
        ] {
            assert_eq!(nmse(got, want), expect, "{got:?} {want:?}");
        }
    }
}
