//! Decoding of stored keys and values: rows that are often shorter than the 256 values of a span.

use std::marker::PhantomData;

use quant::DType;

use crate::isa::{Isa, Kernel, Packing as _};
use crate::kernels::{
    Kernels,
    format::{self, Format, Scales},
    formats,
};

impl Kernels {
    /// Decodes a short row of a type that keys and values may be stored in.
    pub(super) fn unpack_row(self, dtype: DType, row: &[u8], out: &mut [f32]) {
        match dtype {
            DType::Q8_0 => self.run(Unpack::<formats::Q8_0> { row, out, format: PhantomData }),
            DType::Q4_0 => self.run(Unpack::<formats::Q4_0> { row, out, format: PhantomData }),
            DType::Q4_1 => self.run(Unpack::<formats::Q4_1> { row, out, format: PhantomData }),
            DType::Q5_0 => self.run(Unpack::<formats::Q5_0> { row, out, format: PhantomData }),
            DType::Q5_1 => self.run(Unpack::<formats::Q5_1> { row, out, format: PhantomData }),
            DType::IQ4_NL => self.run(Unpack::<formats::Iq4Nl> { row, out, format: PhantomData }),
            dtype => unreachable!("{dtype} was refused when the memory was made"),
        }
    }
}

/// Decodes a row shorter than a span's 256 values, or of several spans.
struct Unpack<'a, F> {
    row: &'a [u8],
    out: &'a mut [f32],
    format: PhantomData<F>,
}

impl<F: Format> Kernel for Unpack<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        const { assert!(!F::Packing::HALVES, "types of keys and values have a scale for each 32") };
        let offset = isa.splat(if F::Packing::IS_WIDE { 0.0 } else { F::Packing::OFFSET as f32 });
        for (at, out) in self.out.chunks_mut(256).enumerate() {
            let padded;
            let span = match format::span::<F>(self.row, at) {
                Ok(span) => span,
                Err(part) => {
                    padded = format::padded::<F>(part);
                    &padded
                }
            };
            let Scales::Floats { scale, min } = F::scales(isa, span) else {
                unreachable!("types of keys and values have floats for scales")
            };
            let (mut scales, mut mins) = ([0.0; 16], [0.0; 16]);
            isa.store(scale, &mut scales);
            isa.store(min, &mut mins);
            let values = out.as_chunks_mut::<16>().0;
            for (unit, of_unit) in F::codes(isa, span).into_iter().enumerate() {
                let mut codes = [0; 64];
                isa.store_bytes(of_unit, &mut codes);
                for (i, codes) in codes.as_chunks::<16>().0.iter().enumerate() {
                    let place = format::place::<F>(unit, i);
                    let Some(out) = values.get_mut(place) else { continue };
                    let numbers = if F::Packing::IS_WIDE {
                        isa.i8_16(codes.map(u8::cast_signed))
                    } else {
                        isa.u8_16(*codes)
                    };
                    let group = place / 2;
                    let scale = isa.splat(scales[group]);
                    let min = isa.splat(if F::Packing::MIN { -mins[group] } else { 0.0 });
                    isa.store(isa.fma(isa.sub(numbers, offset), scale, min), out);
                }
            }
        }
    }
}
