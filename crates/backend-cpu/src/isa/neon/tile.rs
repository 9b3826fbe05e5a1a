//! Integer tiles on NEON: sub-blocks of 16 rows, by products of 2x8 and 8x2 bytes, by dot products or, without either,
//! by products that are summed in 16 bits.
#![expect(unsafe_code, reason = "intrinsics and assembly, made sound by the existence of a `Neon`")]

use std::arch::{aarch64::*, asm};

use super::Neon;
use crate::isa::{
    Isa, Packing,
    panel::{PanelSpan, SubBlocks, Tokens},
};

impl<const DOTPROD: bool, const I8MM: bool> SubBlocks for Neon<DOTPROD, I8MM> {
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
        let mut starts = proven!([vdupq_n_s32(0); T]);
        for (start, ready) in starts.iter_mut().zip(x.ready) {
            *start = proven!(vdupq_n_s32(ready.starts[S * at / 4]));
        }
        let mut sums = [[self.splat_i32(0); T]; V];
        for (span, sums) in spans.iter().zip(&mut sums) {
            let w = span.codes[S * at..].first_chunk().expect("codes of every step");
            if I8MM {
                // Not a loop, which would keep the sums in memory.
                let low = self.half_of_squares(w, 0, steps, starts);
                let high = self.half_of_squares(w, 1, steps, starts);
                for (sums, ([a, b], [c, d])) in sums.iter_mut().zip(low.into_iter().zip(high)) {
                    *sums = [a, b, c, d];
                }
            } else {
                for quad in 0..4 {
                    let mut of_quad = starts;
                    if DOTPROD {
                        self.quad_of_dots(w, quad, steps, &mut of_quad);
                    } else {
                        self.quad_of_products::<P, S, T>(w, quad, steps, &mut of_quad);
                    }
                    for (sums, of_quad) in sums.iter_mut().zip(of_quad) {
                        sums[quad] = of_quad;
                    }
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

impl<const DOTPROD: bool, const I8MM: bool> Neon<DOTPROD, I8MM> {
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
                *rows = register(w, quad);
            }
            let mut of_tokens = proven!([vdupq_n_s8(0); T]);
            for (token, x) in of_tokens.iter_mut().zip(x) {
                *token = four_steps(x, at);
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

    /// 8 rows times `T` tokens, only with `I8MM`: squares of two rows and two tokens, of which an odd one is there twice.
    #[inline(always)]
    fn half_of_squares<const S: usize, const T: usize>(
        self,
        w: &[[u8; 64]; S],
        half: usize,
        x: [&[[i8; 4]; S]; T],
        starts: [int32x4_t; T],
    ) -> [[int32x4_t; 2]; T] {
        const { assert!(S.is_multiple_of(4)) };
        // Of pairs of tokens, which are no more than `T`.
        let n_pairs = const { T.div_ceil(2) };
        let second = |pair| T.min(2 * pair + 2) - 1;
        let mut squares = [self.splat_i32(0); T];
        for pair in 0..n_pairs {
            squares[pair] = proven!([vzip1q_s32(starts[2 * pair], starts[second(pair)]); 4]);
        }
        for (at, w) in w.as_chunks::<4>().0.iter().enumerate() {
            let mut eights = proven!([[vdupq_n_s8(0); 2]; T]);
            for pair in 0..n_pairs {
                let (a, b) = (four_steps(x[2 * pair], at), four_steps(x[second(pair)], at));
                eights[pair] = proven!({
                    let (a, b) = (vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b));
                    [vreinterpretq_s8_s64(vzip1q_s64(a, b)), vreinterpretq_s8_s64(vzip2q_s64(a, b))]
                });
            }
            for (i, w) in w.as_chunks::<2>().0.iter().enumerate() {
                #[expect(clippy::needless_range_loop, reason = "two rows are those of each pair of tokens")]
                for rows in 0..4 {
                    let codes = register(&w[half], rows);
                    for pair in 0..n_pairs {
                        squares[pair][rows] = smmla(squares[pair][rows], codes, eights[pair][i]);
                    }
                }
            }
        }
        let mut sums = proven!([[vdupq_n_s32(0); 2]; T]);
        for pair in 0..n_pairs {
            let [a, b, c, d] = squares[pair];
            sums[second(pair)] = proven!([vuzp2q_s32(a, b), vuzp2q_s32(c, d)]);
            sums[2 * pair] = proven!([vuzp1q_s32(a, b), vuzp1q_s32(c, d)]);
        }
        sums
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
                    let codes = register(&w[s], quad);
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

/// To each lane of `acc`, the sum of eight products: of the first half of `rows` with both of `x`, then of the second.
/// It has no stable intrinsic either.
#[inline(always)]
fn smmla(mut acc: int32x4_t, rows: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: only reached with `I8MM`, so the instruction was detected; it touches registers only.
    unsafe {
        asm!(
            "smmla {acc:v}.4s, {rows:v}.16b, {x:v}.16b",
            acc = inout(vreg) acc, rows = in(vreg) rows, x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    acc
}

/// The codes of four rows in a step, or of two rows in a pair of steps.
#[inline(always)]
fn register(step: &[u8; 64], i: usize) -> int8x16_t {
    bytemuck::cast(step.as_chunks::<16>().0[i])
}

/// The activations of the four steps from `4 * at` on.
#[inline(always)]
fn four_steps<const S: usize>(x: &[[i8; 4]; S], at: usize) -> int8x16_t {
    bytemuck::cast(x.as_chunks::<4>().0[at])
}
