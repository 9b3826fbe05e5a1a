//! Integer tiles on NEON: sub-blocks of 16 rows, by dot products or, without them, by products that are summed in 16 bits.
#![expect(unsafe_code, reason = "intrinsics and assembly, made sound by the existence of a `Neon`")]

use std::arch::{aarch64::*, asm};

use super::Neon;
use crate::isa::{
    Isa, Packing,
    panel::{PanelSpan, SubBlocks, Tokens},
};

impl<const DOTPROD: bool> SubBlocks for Neon<DOTPROD> {
    #[inline(always)]
    fn dots<P: Packing, const S: usize, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
        at: usize,
    ) -> [[Self::I32; T]; V] {
        let mut steps = [&[[0; 4]; S]; T];
        for (steps, x) in steps.iter_mut().zip(x.x) {
            let qs: &[[i8; 4]; 64] = bytemuck::cast_ref(&x.qs);
            *steps = qs[S * at..].first_chunk().expect("activations of every step");
        }
        let mut sums = [[self.splat_i32(0); T]; V];
        for (span, sums) in spans.iter().zip(&mut sums) {
            let w = span.codes[S * at..].first_chunk().expect("codes of every step");
            for quad in 0..4 {
                let mut quad_sums = proven!([vdupq_n_s32(0); T]);
                for (sum, ready) in quad_sums.iter_mut().zip(x.ready) {
                    *sum = proven!(vdupq_n_s32(ready.starts[S * at / 4]));
                }
                if DOTPROD {
                    self.quad_of_dots(w, quad, steps, &mut quad_sums);
                } else {
                    self.quad_of_products::<P, S, T>(w, quad, steps, &mut quad_sums);
                }
                for (sums, sum) in sums.iter_mut().zip(quad_sums) {
                    sums[quad] = sum;
                }
            }
        }
        sums
    }
    #[inline(always)]
    fn add_times(self, sums: Self::I32, dots: Self::I32, steps: Self::Bytes) -> Self::I32 {
        proven!({
            let step = |steps| vshrq_n_s32::<16>(vreinterpretq_s32_u8(steps));
            let steps = each!(step, steps);
            each!(vmlaq_s32, sums, dots, steps)
        })
    }
}

/// How many products of two codes fit 16 bits.
const fn fit<P: Packing>() -> usize {
    if P::MAX_CODE <= 127 { (32767 / (P::MAX_CODE * 127)) as usize } else { 2 }
}

impl<const DOTPROD: bool> Neon<DOTPROD> {
    /// Four rows times `T` tokens, only with `DOTPROD`: four steps of a token share a register.
    #[inline(always)]
    fn quad_of_dots<const S: usize, const T: usize>(
        self,
        w: &[[u8; 64]; S],
        quad: usize,
        x: [&[[i8; 4]; S]; T],
        sums: &mut [int32x4_t; T],
    ) {
        const { assert!(S.is_multiple_of(4)) };
        for (at, w) in w.as_chunks::<4>().0.iter().enumerate() {
            // Loops, as closures of `from_fn` would not be compiled for the ISA.
            let mut of_rows = proven!([vdupq_n_s8(0); 4]);
            for (rows, w) in of_rows.iter_mut().zip(w) {
                *rows = bytemuck::cast(*bytes_of_quad(w, quad));
            }
            let mut of_tokens = proven!([vdupq_n_s8(0); T]);
            for (token, x) in of_tokens.iter_mut().zip(x) {
                *token = bytemuck::cast(x.as_chunks::<4>().0[at]);
            }
            // One token after the other, as each product waits for the sum it adds to.
            macro_rules! steps {
                ($($s:literal)*) => {
                    $(for (sum, x) in sums.iter_mut().zip(of_tokens) {
                        *sum = sdot!(*sum, of_rows[$s], x, ".4b[{lane}]", $s);
                    })*
                };
            }
            steps!(0 1 2 3);
        }
    }

    /// Four rows times `T` tokens: products are summed in 16 bits as long as they fit.
    #[inline(always)]
    fn quad_of_products<P: Packing, const S: usize, const T: usize>(
        self,
        w: &[[u8; 64]; S],
        quad: usize,
        x: [&[[i8; 4]; S]; T],
        sums: &mut [int32x4_t; T],
    ) {
        proven!({
            const { assert!(S.is_power_of_two()) };
            let width = const { 1 << fit::<P>().ilog2() }.min(S);
            let mut halves = [[vdupq_n_s32(0); 2]; T];
            for pass in (0..S).step_by(width) {
                let mut words = [[vdupq_n_s16(0); 2]; T];
                for s in pass..pass + width {
                    let codes: int8x16_t = bytemuck::cast(*bytes_of_quad(&w[s], quad));
                    for (words, x) in words.iter_mut().zip(x) {
                        let x = vreinterpretq_s8_s32(vdupq_n_s32(bytemuck::cast(x[s])));
                        words[0] = vmlal_s8(words[0], vget_low_s8(codes), vget_low_s8(x));
                        words[1] = vmlal_high_s8(words[1], codes, x);
                    }
                }
                for (halves, words) in halves.iter_mut().zip(words) {
                    *halves = [vpadalq_s16(halves[0], words[0]), vpadalq_s16(halves[1], words[1])];
                }
            }
            for (sum, halves) in sums.iter_mut().zip(halves) {
                *sum = vaddq_s32(*sum, vpaddq_s32(halves[0], halves[1]));
            }
        });
    }
}

/// The codes of four rows in a step of 16.
#[inline(always)]
fn bytes_of_quad(step: &[u8; 64], quad: usize) -> &[u8; 16] {
    &step.as_chunks::<16>().0[quad]
}
