//! Rotation of pairs of numbers by the angles of a position.

use super::Kernels;
use crate::isa::{Isa, Kernel};

impl Kernels {
    /// Rotates `(x[i], x[n / 2 + i])`.
    pub fn rotate_halves(self, x: &[f32], cos: &[f32], sin: &[f32], out: &mut [f32]) {
        self.run(Rotate::<false> { x, cos, sin, out });
    }

    /// Rotates `(x[2 i], x[2 i + 1])`.
    pub fn rotate_pairs(self, x: &[f32], cos: &[f32], sin: &[f32], out: &mut [f32]) {
        self.run(Rotate::<true> { x, cos, sin, out });
    }
}

struct Rotate<'a, const PAIRS: bool> {
    x: &'a [f32],
    /// For each pair.
    cos: &'a [f32],
    sin: &'a [f32],
    out: &'a mut [f32],
}

impl<const PAIRS: bool> Kernel for Rotate<'_, PAIRS> {
    type Output = ();

    // Written without vectors: pairs are shuffles, which the compiler finds in loops of fixed length.
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Rotate { x, cos, sin, out } = self;
        let half = cos.len();
        assert_eq!([x.len(), sin.len(), out.len()], [2 * half, half, 2 * half], "pairs of {half} angles");
        if PAIRS {
            for ((x, out), (cos, sin)) in
                x.as_chunks::<2>().0.iter().zip(out.as_chunks_mut::<2>().0).zip(cos.iter().zip(sin))
            {
                out[0] = x[0] * cos - x[1] * sin;
                out[1] = x[0] * sin + x[1] * cos;
            }
            return;
        }
        let ((a, b), (low, high)) = (x.split_at(half), out.split_at_mut(half));
        for i in 0..half {
            low[i] = a[i] * cos[i] - b[i] * sin[i];
            high[i] = a[i] * sin[i] + b[i] * cos[i];
        }
    }
}
