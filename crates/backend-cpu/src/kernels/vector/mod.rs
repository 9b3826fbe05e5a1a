//! Kernels on rows of numbers: reductions, norms, softmax, activation functions, half-precision rows.

mod functions;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use quant::DType;

pub use functions::Activation;
pub(crate) use functions::exp;

use super::{
    Kernels,
    float::{self, Float},
};
use crate::isa::{Isa, Kernel};

impl Kernels {
    /// `sum(a * b)`
    pub fn dot_f32(self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "a dot product");
        self.run(Sum { terms: Products(a, b), n: a.len() })
    }

    /// `sum(x)`
    pub fn sum(self, x: &[f32]) -> f32 {
        self.run(Sum { terms: Terms(x), n: x.len() })
    }

    /// `sum(x * x)`
    pub fn sum_sq(self, x: &[f32]) -> f32 {
        self.run(Sum { terms: Products(x, x), n: x.len() })
    }

    /// `sum((x - mean)^2)`
    pub fn sum_sq_about(self, x: &[f32], mean: f32) -> f32 {
        self.run(Sum { terms: SquaresAbout(x, mean), n: x.len() })
    }

    /// The largest value; negative infinity of none. A NaN may be passed over.
    pub fn max(self, x: &[f32]) -> f32 {
        self.run(Max { x })
    }

    /// `y += a * x`
    pub fn axpy(self, a: f32, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), y.len(), "a scaled addition");
        self.run(Update { y, with: x, step: AddScaled(a) });
    }

    /// `y *= a`
    pub fn scale(self, a: f32, y: &mut [f32]) {
        self.run(Update { y, with: &[], step: ScaleBy(a) });
    }

    /// `y += x`
    pub fn add(self, x: &[f32], y: &mut [f32]) {
        self.axpy(1.0, x, y);
    }

    /// `y *= x`
    pub fn mul(self, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), y.len(), "a product of rows");
        self.run(Update { y, with: x, step: Multiply });
    }

    /// `x = exp(x - shift)`; gives the sum. At negative infinity exactly 0.
    pub fn exp_sum(self, x: &mut [f32], shift: f32) -> f32 {
        self.run(ExpSum { x, shift })
    }

    /// Softmax in place. A row that is negative infinity throughout becomes NaN.
    pub fn softmax(self, x: &mut [f32]) {
        let sum = self.exp_sum(x, self.max(x));
        self.scale(1.0 / sum, x);
    }

    /// `y = f(y)`
    pub fn activate(self, f: Activation, y: &mut [f32]) {
        functions::for_activation!(f, F => self.run(Update { y, with: &[], step: functions::Apply::<F>(PhantomData) }));
    }

    /// `gate = f(gate) * up`
    pub fn activate_gated(self, f: Activation, gate: &mut [f32], up: &[f32]) {
        assert_eq!(gate.len(), up.len(), "a gated row");
        functions::for_activation!(
            f,
            F => self.run(Update { y: gate, with: up, step: functions::ApplyGated::<F>(PhantomData) })
        );
    }

    /// `out = x / sqrt(mean(x^2) + eps) * weight`
    pub fn rms_norm(self, x: &[f32], eps: f32, weight: Option<&[f32]>, out: &mut [f32]) {
        let mean = self.sum_sq(x) / x.len() as f32;
        self.normalize(x, 0.0, 1.0 / (mean + eps).sqrt(), weight, out);
    }

    /// `out = (x - mean(x)) / sqrt(var(x) + eps) * weight`
    pub fn layer_norm(self, x: &[f32], eps: f32, weight: Option<&[f32]>, out: &mut [f32]) {
        let mean = self.sum(x) / x.len() as f32;
        let variance = self.sum_sq_about(x, mean) / x.len() as f32;
        self.normalize(x, mean, 1.0 / (variance + eps).sqrt(), weight, out);
    }

    fn normalize(self, x: &[f32], mean: f32, scale: f32, weight: Option<&[f32]>, out: &mut [f32]) {
        assert_eq!(x.len(), out.len(), "a normalized row");
        out.copy_from_slice(x);
        match weight {
            Some(weight) => {
                assert_eq!(x.len(), weight.len(), "weights of a norm");
                self.run(Update { y: out, with: weight, step: CenterScaleWeigh(mean, scale) });
            }
            None => self.run(Update { y: out, with: &[], step: CenterScale(mean, scale) }),
        }
    }

    /// Widens a row of `F32`, `F16` or `BF16`.
    pub fn widen(self, dtype: DType, x: &[u8], out: &mut [f32]) {
        with_float!(dtype, F => self.run(Widen::<F> { x, out, float: PhantomData }));
    }

    /// Rounds a row to `F16`, ties to even.
    pub fn narrow_f16(self, x: &[f32], out: &mut [u8]) {
        assert_eq!(out.len(), 2 * x.len(), "bytes of {} half floats", x.len());
        self.run(NarrowF16 { x, out });
    }

    /// `out[i] = rows[i] · x`, rows of `F32`, `F16` or `BF16` that start `stride` bytes apart.
    pub fn dot_rows(self, dtype: DType, rows: &[u8], stride: usize, x: &[f32], out: &mut [f32]) {
        with_float!(dtype, F => self.run(DotRows::<F> { rows, stride, x, out, float: PhantomData }));
    }

    /// `out += sum(a[i] * rows[i])`, rows of `F32`, `F16` or `BF16` that start `stride` bytes apart.
    pub fn add_rows(self, dtype: DType, rows: &[u8], stride: usize, a: &[f32], out: &mut [f32]) {
        with_float!(dtype, F => self.run(AddRows::<F> { rows, stride, a, out, float: PhantomData }));
    }
}

macro_rules! with_float {
    ($dtype:expr, $F:ident => $do:expr) => {
        match $dtype {
            DType::F32 => {
                type $F = float::F32;
                $do
            }
            DType::F16 => {
                type $F = float::F16;
                $do
            }
            DType::BF16 => {
                type $F = float::Bf16;
                $do
            }
            dtype => panic!("{dtype} is not a float type of rows"),
        }
    };
}
use with_float;

/// 16 numbers from `i`, zeros past the end.
#[inline(always)]
fn load<I: Isa>(isa: I, x: &[f32], i: usize) -> I::F32 {
    match x[i..].first_chunk() {
        Some(x) => isa.load(x),
        None => isa.load(&padded(&x[i..])),
    }
}

#[inline(always)]
fn padded(x: &[f32]) -> [f32; 16] {
    let mut values = [0.0; 16];
    values[..x.len()].copy_from_slice(x);
    values
}

/// Numbers to add up, 16 at a time; past the end they are 0.
trait Summand {
    fn at<I: Isa>(&self, isa: I, i: usize) -> I::F32;
}

struct Terms<'a>(&'a [f32]);
struct Products<'a>(&'a [f32], &'a [f32]);
struct SquaresAbout<'a>(&'a [f32], f32);

impl Summand for Terms<'_> {
    #[inline(always)]
    fn at<I: Isa>(&self, isa: I, i: usize) -> I::F32 {
        load(isa, self.0, i)
    }
}

impl Summand for Products<'_> {
    #[inline(always)]
    fn at<I: Isa>(&self, isa: I, i: usize) -> I::F32 {
        isa.mul(load(isa, self.0, i), load(isa, self.1, i))
    }
}

impl Summand for SquaresAbout<'_> {
    #[inline(always)]
    fn at<I: Isa>(&self, isa: I, i: usize) -> I::F32 {
        let x = match self.0[i..].first_chunk() {
            Some(x) => isa.load(x),
            None => {
                let mut values = [self.1; 16];
                values[..self.0.len() - i].copy_from_slice(&self.0[i..]);
                isa.load(&values)
            }
        };
        let x = isa.sub(x, isa.splat(self.1));
        isa.mul(x, x)
    }
}

struct Sum<S> {
    terms: S,
    n: usize,
}

impl<S: Summand> Kernel for Sum<S> {
    type Output = f32;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> f32 {
        let mut sums = [isa.splat(0.0); 4];
        let mut i = 0;
        while i + 64 <= self.n {
            for (chain, sum) in sums.iter_mut().enumerate() {
                *sum = isa.add(*sum, self.terms.at(isa, i + 16 * chain));
            }
            i += 64;
        }
        for i in (i..self.n).step_by(16) {
            sums[0] = isa.add(sums[0], self.terms.at(isa, i));
        }
        isa.sum(isa.add(isa.add(sums[0], sums[1]), isa.add(sums[2], sums[3])))
    }
}

struct Max<'a> {
    x: &'a [f32],
}

impl Kernel for Max<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> f32 {
        let mut largest = isa.splat(f32::NEG_INFINITY);
        let (chunks, rest) = self.x.as_chunks();
        for x in chunks {
            largest = isa.max(isa.load(x), largest);
        }
        rest.iter().fold(isa.max_lane(largest), |m, &x| m.max(x))
    }
}

/// How a row changes, 16 numbers at a time, perhaps with another row.
pub(crate) trait Step: Copy {
    fn step<I: Isa>(self, isa: I, y: I::F32, with: I::F32) -> I::F32;
}

/// Applies a step to a row. `with` is as long as `y`, or empty if the step does not look at it.
struct Update<'a, S> {
    y: &'a mut [f32],
    with: &'a [f32],
    step: S,
}

impl<S: Step> Kernel for Update<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Update { y, with, step } = self;
        let (chunks, rest) = y.as_chunks_mut::<16>();
        let (with_chunks, with_rest) = with.as_chunks::<16>();
        if with.is_empty() {
            let nothing = isa.splat(0.0);
            for y in chunks {
                isa.store(step.step(isa, isa.load(y), nothing), y);
            }
        } else {
            for (y, with) in chunks.iter_mut().zip(with_chunks) {
                isa.store(step.step(isa, isa.load(y), isa.load(with)), y);
            }
        }
        if !rest.is_empty() {
            let mut last = padded(rest);
            isa.store(step.step(isa, isa.load(&last), isa.load(&padded(with_rest))), &mut last);
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }
}

#[derive(Clone, Copy)]
struct AddScaled(f32);
#[derive(Clone, Copy)]
struct ScaleBy(f32);
#[derive(Clone, Copy)]
struct Multiply;
#[derive(Clone, Copy)]
struct CenterScale(f32, f32);
#[derive(Clone, Copy)]
struct CenterScaleWeigh(f32, f32);

impl Step for AddScaled {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, x: I::F32) -> I::F32 {
        isa.fma(isa.splat(self.0), x, y)
    }
}

impl Step for ScaleBy {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, _: I::F32) -> I::F32 {
        isa.mul(isa.splat(self.0), y)
    }
}

impl Step for Multiply {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, x: I::F32) -> I::F32 {
        isa.mul(y, x)
    }
}

impl Step for CenterScale {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, _: I::F32) -> I::F32 {
        isa.mul(isa.sub(y, isa.splat(self.0)), isa.splat(self.1))
    }
}

impl Step for CenterScaleWeigh {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, weight: I::F32) -> I::F32 {
        isa.mul(CenterScale(self.0, self.1).step(isa, y, weight), weight)
    }
}

struct ExpSum<'a> {
    x: &'a mut [f32],
    shift: f32,
}

impl Kernel for ExpSum<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> f32 {
        let shift = isa.splat(self.shift);
        let mut sum = isa.splat(0.0);
        let (chunks, rest) = self.x.as_chunks_mut();
        for x in chunks {
            let e = exp(isa, isa.sub(isa.load(x), shift));
            isa.store(e, x);
            sum = isa.add(sum, e);
        }
        let mut total = isa.sum(sum);
        if !rest.is_empty() {
            let mut last = padded(rest);
            isa.store(exp(isa, isa.sub(isa.load(&last), shift)), &mut last);
            rest.copy_from_slice(&last[..rest.len()]);
            total += rest.iter().sum::<f32>();
        }
        total
    }
}

struct Widen<'a, F> {
    x: &'a [u8],
    out: &'a mut [f32],
    float: PhantomData<F>,
}

impl<F: Float> Kernel for Widen<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let row_bytes = self.out.len() * size_of::<F::Chunk>() / 16;
        assert_eq!(self.x.len(), row_bytes, "bytes of {} numbers", self.out.len());
        let (chunks, last) = float::chunks::<F>(self.x);
        let (out, rest) = self.out.as_chunks_mut();
        for (out, x) in out.iter_mut().zip(chunks) {
            isa.store(F::load(isa, x), out);
        }
        let mut values = [0.0; 16];
        isa.store(F::load(isa, &last), &mut values);
        rest.copy_from_slice(&values[..rest.len()]);
    }
}

struct NarrowF16<'a> {
    x: &'a [f32],
    out: &'a mut [u8],
}

impl Kernel for NarrowF16<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let (chunks, rest) = self.x.as_chunks();
        let (out, out_rest) = self.out.as_chunks_mut();
        for (x, out) in chunks.iter().zip(out) {
            isa.store_f16(isa.load(x), out);
        }
        let mut last = [0; 32];
        isa.store_f16(isa.load(&padded(rest)), &mut last);
        out_rest.copy_from_slice(&last[..out_rest.len()]);
    }
}

struct DotRows<'a, F> {
    rows: &'a [u8],
    stride: usize,
    x: &'a [f32],
    out: &'a mut [f32],
    float: PhantomData<F>,
}

impl<F: Float> Kernel for DotRows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let row_bytes = self.x.len() * size_of::<F::Chunk>() / 16;
        for (i, out) in self.out.iter_mut().enumerate() {
            let row = &self.rows[i * self.stride..][..row_bytes];
            *out = float::dot_row::<I, F, 1>(isa, row, [self.x])[0];
        }
    }
}

struct AddRows<'a, F> {
    rows: &'a [u8],
    stride: usize,
    a: &'a [f32],
    out: &'a mut [f32],
    float: PhantomData<F>,
}

impl<F: Float> Kernel for AddRows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let AddRows { rows, stride, a, out, .. } = self;
        let row_bytes = out.len() * size_of::<F::Chunk>() / 16;
        let row = |i: usize| &rows[i * stride..][..row_bytes];
        // Columns of 64 stay in registers while all rows pass.
        let (wide, rest) = out.as_chunks_mut::<64>();
        for (column, out) in wide.iter_mut().enumerate() {
            let out = out.as_chunks_mut::<16>().0;
            let mut sums = [isa.splat(0.0); 4];
            for (sum, out) in sums.iter_mut().zip(&*out) {
                *sum = isa.load(out);
            }
            for (i, &a) in a.iter().enumerate() {
                let chunks = &float::chunks::<F>(row(i)).0[4 * column..4 * column + 4];
                for (sum, chunk) in sums.iter_mut().zip(chunks) {
                    *sum = isa.fma(isa.splat(a), F::load(isa, chunk), *sum);
                }
            }
            for (sum, out) in sums.into_iter().zip(out) {
                isa.store(sum, out);
            }
        }
        for (column, out) in rest.chunks_mut(16).enumerate() {
            let mut sum = isa.load(&padded(out));
            for (i, &a) in a.iter().enumerate() {
                let (chunks, last) = float::chunks::<F>(row(i));
                let chunk = chunks.get(4 * wide.len() + column).unwrap_or(&last);
                sum = isa.fma(isa.splat(a), F::load(isa, chunk), sum);
            }
            let mut values = [0.0; 16];
            isa.store(sum, &mut values);
            out.copy_from_slice(&values[..out.len()]);
        }
    }
}
