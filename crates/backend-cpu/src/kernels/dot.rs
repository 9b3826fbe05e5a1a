//! Matrix products for few tokens: every weight row is streamed once, and multiplied while it is in registers.

use std::{marker::PhantomData, ops::Range};

use super::{
    Out, Weights,
    format::{self, Format, Scales, Steps},
};
use crate::{
    isa::{Isa, Kernel, Packing},
    quantize::BlockQ8,
};

/// How many bytes ahead weights are asked for.
const AHEAD: usize = 2048;

/// The rows `rows` of `weights`, a quantized matrix of format `F`, times quantized tokens.
pub(crate) struct Dot<'a, 'b, F> {
    pub(crate) weights: Weights<'a>,
    /// Rows of blocks, one for each token.
    pub(crate) x: &'a [BlockQ8],
    pub(crate) rows: Range<usize>,
    pub(crate) out: &'a mut Out<'b>,
    pub(crate) format: PhantomData<F>,
}

impl<F: Format> Kernel for Dot<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        if F::NARROW { self.multiply(isa.narrow()) } else { self.multiply(isa) }
    }
}

impl<F: Format> Dot<'_, '_, F> {
    #[inline(always)]
    fn multiply<I: Isa>(mut self, isa: I) {
        let n_tokens = self.out.n_tokens();
        let mut t = 0;
        while t < n_tokens {
            match n_tokens - t {
                1 => self.multiply_tokens::<I, 1>(isa, t),
                2 => self.multiply_tokens::<I, 2>(isa, t),
                3 => self.multiply_tokens::<I, 3>(isa, t),
                _ => self.multiply_tokens::<I, 4>(isa, t),
            }
            t += 4;
        }
    }

    /// The `T` tokens from `first` on.
    #[inline(always)]
    fn multiply_tokens<I: Isa, const T: usize>(&mut self, isa: I, first: usize) {
        let n = self.weights.n;
        let n_blocks = n.div_ceil(256);
        let mut x = [self.x; T];
        for (t, x) in (first..).zip(&mut x) {
            *x = &x[t * n_blocks..(t + 1) * n_blocks];
        }
        for row in self.rows.clone() {
            let products = dot_row::<I, F, T>(isa, self.weights.tail_from(row), n, x);
            for (t, product) in (first..).zip(products) {
                self.out.put(t, row, product);
            }
        }
    }
}

/// For how many tokens dots are.
pub(crate) struct DotTokens<F>(pub(crate) PhantomData<F>);

impl<F: Format> Kernel for DotTokens<F> {
    type Output = usize;

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> usize {
        I::dot_tokens::<F::Packing>()
    }
}

/// The products of a row with `T` tokens so far.
struct Sums<I: Isa, const T: usize> {
    products: [I::F32; T],
    /// What offsets and minima take away.
    excess: [I::F32; T],
}

#[inline(always)]
fn dot_row<I: Isa, F: Format, const T: usize>(isa: I, w: &[u8], n: usize, x: [&[BlockQ8]; T]) -> [f32; T] {
    let mut sums = Sums { products: [isa.splat(0.0); T], excess: [isa.splat(0.0); T] };
    let (whole, rest) = (n / 256, n % 256);
    let spans: &[F::Span] = bytemuck::cast_slice(&w[..whole * size_of::<F::Span>()]);
    let (spans, of_spans) = (&spans[..whole], x.map(|x| &x[..whole]));
    for at in 0..whole {
        isa.prefetch(bytemuck::bytes_of(&spans[at]), AHEAD);
        dot_span::<I, F, T>(isa, &spans[at], of_spans.map(|x| &x[at]), &mut sums);
    }
    if rest > 0 {
        let padded;
        let span = match format::span::<F>(w, whole) {
            Ok(span) => span,
            Err(part) => {
                padded = format::padded::<F>(part);
                &padded
            }
        };
        dot_span::<I, F, T>(isa, span, x.map(|x| &x[whole]), &mut sums);
    }
    let mut y = [0.0; T];
    for (y, (product, excess)) in y.iter_mut().zip(sums.products.into_iter().zip(sums.excess)) {
        *y = isa.sum(isa.sub(product, excess));
    }
    y
}

#[inline(always)]
fn dot_span<I: Isa, F: Format, const T: usize>(
    isa: I,
    span: &F::Span,
    x: [&BlockQ8; T],
    sums: &mut Sums<I, T>,
) {
    match F::scales(isa, span) {
        Scales::Floats { scale, min } => dot_floats::<I, F, T>(isa, span, x, [scale, min], sums),
        Scales::Steps(steps) => dot_steps::<I, F, T>(isa, span, x, steps, sums),
    }
}

/// A span whose scales are floats: what shares one is summed as integers.
#[inline(always)]
fn dot_floats<I: Isa, F: Format, const T: usize>(
    isa: I,
    span: &F::Span,
    x: [&BlockQ8; T],
    [scale, mut min]: [I::F32; 2],
    sums: &mut Sums<I, T>,
) {
    let offset = format::offset::<I, F::Packing>();
    if offset != 0 {
        min = isa.fma(scale, isa.splat(offset as f32), min);
    }
    let mut scaled = [[0.0; 16]; T];
    for t in 0..T {
        let d = if F::Packing::HALVES { isa.load_8_twice(&x[t].d) } else { isa.load_8(&x[t].d) };
        isa.store(isa.mul(scale, d), &mut scaled[t]);
        if F::Packing::MIN || offset != 0 {
            let dsum = if F::Packing::HALVES { isa.load(&x[t].half_dsum) } else { isa.load_8(&x[t].dsum) };
            sums.excess[t] = isa.fma(min, dsum, sums.excess[t]);
        }
    }
    let codes = format::codes::<I, F>(isa, span);
    if F::SPLIT {
        for (pair, codes) in codes.as_chunks().0.iter().enumerate() {
            for t in 0..T {
                let dots = isa.dot_both::<F::Packing>(*codes, &x[t].split[pair]);
                sums.products[t] = isa.fma_by_4(dots, &scaled[t].as_chunks().0[pair], sums.products[t]);
            }
        }
        return;
    }
    for (unit, codes) in codes.into_iter().enumerate() {
        for t in 0..T {
            let qs = &x[t].qs[unit];
            let dots = if F::Packing::IS_WIDE { isa.dot_wide(codes, qs) } else { isa.dot(codes, qs) };
            let acc = sums.products[t];
            sums.products[t] = if F::Packing::HALVES {
                isa.fma_by_4(dots, &scaled[t].as_chunks().0[unit], acc)
            } else {
                isa.fma_by_8(dots, &scaled[t].as_chunks().0[unit], acc)
            };
        }
    }
}

/// A span whose scales are integers, as are those of its activations: all of it is summed as integers.
#[inline(always)]
fn dot_steps<I: Isa, F: Format, const T: usize>(
    isa: I,
    span: &F::Span,
    x: [&BlockQ8; T],
    steps: Steps,
    sums: &mut Sums<I, T>,
) {
    let spread = if F::SPLIT {
        isa.steps::<F::Packing, true>(&steps.scale)
    } else {
        isa.steps::<F::Packing, false>(&steps.scale)
    };
    let mut dots = [isa.splat_i32(0); T];
    let codes = format::codes::<I, F>(isa, span);
    if F::SPLIT {
        for (pair, codes) in codes.as_chunks().0.iter().enumerate() {
            for t in 0..T {
                let x = &x[t].split[pair];
                dots[t] = isa.add_both_dots::<F::Packing>(dots[t], *codes, x, spread, pair);
            }
        }
    } else {
        for (unit, codes) in codes.into_iter().enumerate() {
            for t in 0..T {
                dots[t] = isa.add_dots::<F::Packing>(dots[t], codes, &x[t].qs[unit], spread, unit);
            }
        }
    }
    let offset = format::offset::<I, F::Packing>();
    for t in 0..T {
        let d = x[t].d[0];
        let x_sums = if F::Packing::HALVES { &x[t].half_sum } else { &x[t].sum };
        let unit = steps.unit * d;
        sums.products[t] = isa.fma_sum(dots[t], unit, sums.products[t]);
        if offset != 0 {
            sums.excess[t] = isa.fma_dot_16(&steps.scale, x_sums, unit * offset as f32, sums.excess[t]);
        }
        if F::Packing::MIN {
            sums.excess[t] = isa.fma_dot_16(&steps.min, x_sums, steps.min_unit * d, sums.excess[t]);
        }
    }
}
