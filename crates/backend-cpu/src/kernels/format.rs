//! What a quantized format tells the integer kernels: where the codes and scales of 256 values are.

use bytemuck::Pod;

use crate::isa::{Isa, Packing};

/// A quantized format over spans of 256 values: `scale * (code - offset) - min`.
///
/// Implementations are `#[inline(always)]` throughout, like everything that runs inside [`Isa::vectorize`].
pub(crate) trait Format: 'static {
    /// How the codes are made.
    type Packing: Packing;
    /// 256 values as they are stored. All-zero bytes must decode to finite numbers.
    type Span: Pod;

    /// Units come in pairs: the first has the first 16 values of each of four groups of 32, the second the others.
    const SPLIT: bool = false;
    /// If codes are nibbles: how many lanes of four bytes have low nibbles that follow each other, before those of the high
    /// ones; else 0.
    const NIBBLE_LANES: usize = 0;
    /// Dots are faster with [`Isa::narrow`]: its registers have codes of one scale.
    const NARROW: bool = false;

    /// Scale and minimum of each 32 values, or with [`Packing::HALVES`] of each 16.
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I>;

    /// The codes in units of 64, which are values that follow each other if not [`Format::SPLIT`]. Wide codes are signed.
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4];

    /// With [`Self::NIBBLE_LANES`]: the bytes of the nibbles, as they are stored.
    #[inline(always)]
    fn packed<I: Isa>(_isa: I, _span: &Self::Span) -> [I::Bytes; 2] {
        unreachable!("codes are no nibbles")
    }

    /// What nibbles stand for.
    #[inline(always)]
    fn of_nibbles<I: Isa>(_isa: I, nibbles: I::Bytes) -> I::Bytes {
        nibbles
    }
}

/// See [`Format::scales`]. A format has always the same kind, so that the choice is made by the compiler.
#[derive(Clone, Copy)]
pub(crate) enum Scales<I: Isa> {
    /// Without [`Packing::STEPS`]; what there are only 8 of is in the low lanes, above zeros.
    Floats {
        scale: I::F32,
        /// Looked at only with [`Packing::MIN`].
        min: I::F32,
    },
    /// With [`Packing::STEPS`].
    Steps(Steps),
}

/// Scales and minima as multiples of a unit. What there are only 8 of comes first; the rest is multiplied by zeros.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) scale: [i8; 16],
    /// Looked at only with [`Packing::MIN`].
    pub(crate) min: [i8; 16],
    /// What all scales are multiples of.
    pub(crate) unit: f32,
    /// What all minima are multiples of.
    pub(crate) min_unit: f32,
}

impl<I: Isa> Scales<I> {
    /// Scales without minima.
    #[inline(always)]
    pub(crate) fn of(isa: I, scale: I::F32) -> Self {
        Self::Floats { scale, min: isa.splat(0.0) }
    }

    /// Multiples of `unit`, without minima.
    #[inline(always)]
    pub(crate) fn steps(scale: [i8; 16], unit: f32) -> Self {
        Self::Steps(Steps { scale, min: [0; 16], unit, min_unit: 0.0 })
    }
}

/// 16 bytes of a number.
#[inline(always)]
pub(crate) fn bytes(packed: u128) -> [i8; 16] {
    bytemuck::cast(packed.to_le_bytes())
}

/// 16 bytes of a number, each less 32.
#[inline(always)]
pub(crate) fn less_32(packed: u128) -> [i8; 16] {
    let mut steps = bytes(packed);
    for step in &mut steps {
        *step -= 32;
    }
    steps
}

/// [`Packing`], spelled as a type: formats of one packing share the kernels that only multiply.
#[derive(Debug)]
pub(crate) enum Codes<
    const MAX_CODE: i32,
    const OFFSET: i32,
    const HALVES: bool,
    const MIN: bool,
    const STEPS: bool,
> {}

impl<const MAX_CODE: i32, const OFFSET: i32, const HALVES: bool, const MIN: bool, const STEPS: bool> Packing
    for Codes<MAX_CODE, OFFSET, HALVES, MIN, STEPS>
{
    const STEPS: bool = STEPS;
    const HALVES: bool = HALVES;
    const MAX_CODE: i32 = MAX_CODE;
    const OFFSET: i32 = OFFSET;
    const MIN: bool = MIN;
}

/// A scale for each 32 values.
pub(crate) type By32<const MAX_CODE: i32, const OFFSET: i32> = Codes<MAX_CODE, OFFSET, false, false, false>;
/// A scale and a minimum for each 32 values.
pub(crate) type By32WithMin<const MAX_CODE: i32> = Codes<MAX_CODE, 0, false, true, false>;
/// A scale for each 16 values.
pub(crate) type By16<const MAX_CODE: i32, const OFFSET: i32> = Codes<MAX_CODE, OFFSET, true, false, false>;
/// An integer scale for each 32 values.
pub(crate) type Steps32<const MAX_CODE: i32, const OFFSET: i32> = Codes<MAX_CODE, OFFSET, false, false, true>;
/// An integer scale and an integer minimum for each 32 values.
pub(crate) type Steps32WithMin<const MAX_CODE: i32> = Codes<MAX_CODE, 0, false, true, true>;
/// An integer scale for each 16 values.
pub(crate) type Steps16<const MAX_CODE: i32, const OFFSET: i32> = Codes<MAX_CODE, OFFSET, true, false, true>;
/// An integer scale and an integer minimum for each 16 values.
pub(crate) type Steps16WithMin<const MAX_CODE: i32> = Codes<MAX_CODE, 0, true, true, true>;

/// How far above their numbers the codes are that the kernels see.
#[inline(always)]
pub(crate) const fn offset<I: Isa, P: Packing>() -> i32 {
    if P::IS_WIDE { I::WIDE_OFFSET } else { P::OFFSET }
}

/// The codes as the kernels want them.
#[inline(always)]
pub(crate) fn codes<I: Isa, F: Format>(isa: I, span: &F::Span) -> [I::Bytes; 4] {
    let [a, b, c, d] = F::codes(isa, span);
    if F::Packing::IS_WIDE { [isa.wide(a), isa.wide(b), isa.wide(c), isa.wide(d)] } else { [a, b, c, d] }
}

/// The codes of the low nibbles and of the high ones, as the kernels want them.
#[inline(always)]
pub(crate) fn unpacked<I: Isa, F: Format>(isa: I, packed: I::Bytes) -> [I::Bytes; 2] {
    let [low, high] = nibbles(isa, packed);
    let (low, high) = (F::of_nibbles(isa, low), F::of_nibbles(isa, high));
    if F::Packing::IS_WIDE { [isa.wide(low), isa.wide(high)] } else { [low, high] }
}

/// The low nibbles and the high ones.
#[inline(always)]
pub(crate) fn nibbles<I: Isa>(isa: I, packed: I::Bytes) -> [I::Bytes; 2] {
    let low = isa.splat_bytes(15);
    [isa.and(packed, low), isa.and(isa.shr_by_32(packed, 4, 4), low)]
}

/// Which 16 values of a span the `i`th 16 of a unit are.
#[inline(always)]
pub(crate) const fn place<F: Format>(unit: usize, i: usize) -> usize {
    if F::SPLIT { 8 * (unit / 2) + 2 * i + unit % 2 } else { 4 * unit + i }
}

/// Span `at` of the rows from `rows` on, or what is left of them there.
///
/// A row that is no multiple of 256 values ends within a span: the rest of it is the start of the next row, which
/// is multiplied by activations of zero.
#[inline(always)]
pub(crate) fn span<F: Format>(rows: &[u8], at: usize) -> Result<&F::Span, &[u8]> {
    const { assert!(align_of::<F::Span>() == 1, "weights may lie at any address") };
    let rest = &rows[at * size_of::<F::Span>()..];
    rest.get(..size_of::<F::Span>()).map(bytemuck::from_bytes).ok_or(rest)
}

/// The part of a span that the last row ends with, and zeros.
#[cold]
#[inline(never)]
pub(crate) fn padded<F: Format>(part: &[u8]) -> F::Span {
    let mut span: F::Span = bytemuck::Zeroable::zeroed();
    bytemuck::bytes_of_mut(&mut span)[..part.len()].copy_from_slice(part);
    span
}
