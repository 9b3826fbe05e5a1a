//! Kernels on rows of numbers: reductions, norms, softmax, activation functions, half-precision rows.

mod functions;
mod rope;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use quant::DType;

pub use functions::Activation;
pub(crate) use functions::{IDENTITY_FROM, exp, tanh};

use super::{
    Kernels,
    float::{self, Float},
};
use crate::isa::{Isa, Kernel};

impl Kernels {
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

    /// `y *= a`
    pub fn scale(self, a: f32, y: &mut [f32]) {
        self.run(Update { y, with: &[], step: ScaleBy(a) });
    }

    /// `out = a + b`
    pub fn add(self, a: &[f32], b: &[f32], out: &mut [f32]) {
        self.run(Map { x: a, with: b, out, step: Add });
    }

    /// `out = a * b`
    pub fn mul(self, a: &[f32], b: &[f32], out: &mut [f32]) {
        self.run(Map { x: a, with: b, out, step: Multiply });
    }

    /// `out = mul * x + add`
    pub fn affine(self, mul: f32, add: f32, x: &[f32], out: &mut [f32]) {
        self.run(Map { x, with: &[], out, step: Affine(mul, add) });
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

    /// `out = f(x)`
    pub fn activate(self, f: Activation, x: &[f32], out: &mut [f32]) {
        functions::for_activation!(
            f,
            F => self.run(Map { x, with: &[], out, step: functions::Apply::<F>(PhantomData) })
        );
    }

    /// `out = f(gate) * up`
    pub fn activate_gated(self, f: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
        functions::for_activation!(
            f,
            F => self.run(Map { x: gate, with: up, out, step: functions::ApplyGated::<F>(PhantomData) })
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
        match weight {
            Some(with) => self.run(Map { x, with, out, step: CenterScaleWeigh(mean, scale) }),
            None => self.run(Map { x, with: &[], out, step: CenterScale(mean, scale) }),
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

/// A row made of another by a step. `with` is as long as the rows, or empty if the step does not look at it.
struct Map<'a, S> {
    x: &'a [f32],
    with: &'a [f32],
    out: &'a mut [f32],
    step: S,
}

impl<S: Step> Kernel for Map<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Map { x, with, out, step } = self;
        assert_eq!(x.len(), out.len(), "a row of the same length");
        assert!(with.is_empty() || with.len() == x.len(), "{} values with a row of {}", with.len(), x.len());
        let (x, x_rest) = x.as_chunks::<16>();
        let (with_chunks, with_rest) = with.as_chunks::<16>();
        let (out, rest) = out.as_chunks_mut::<16>();
        if with.is_empty() {
            let nothing = isa.splat(0.0);
            for (x, out) in x.iter().zip(out) {
                isa.store(step.step(isa, isa.load(x), nothing), out);
            }
        } else {
            for ((x, with), out) in x.iter().zip(with_chunks).zip(out) {
                isa.store(step.step(isa, isa.load(x), isa.load(with)), out);
            }
        }
        if !rest.is_empty() {
            let mut last = padded(x_rest);
            isa.store(step.step(isa, isa.load(&last), isa.load(&padded(with_rest))), &mut last);
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }
}

#[derive(Clone, Copy)]
struct Add;
#[derive(Clone, Copy)]
struct Affine(f32, f32);
#[derive(Clone, Copy)]
struct ScaleBy(f32);
#[derive(Clone, Copy)]
struct Multiply;
#[derive(Clone, Copy)]
struct CenterScale(f32, f32);
#[derive(Clone, Copy)]
struct CenterScaleWeigh(f32, f32);

impl Step for Add {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, x: I::F32, with: I::F32) -> I::F32 {
        isa.add(x, with)
    }
}

impl Step for Affine {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, x: I::F32, _: I::F32) -> I::F32 {
        isa.fma(isa.splat(self.0), x, isa.splat(self.1))
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
