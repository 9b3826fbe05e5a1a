//! What stands in for a type whose blocks do not divide a row.

use quant::DType;

use crate::{Error, Result};

/// The type itself if rows of `len` values are whole blocks of it, else the next best that fits.
///
/// # Errors
/// If nothing stands in for the type.
pub(crate) fn fit(name: &str, len: u64, wanted: DType) -> Result<DType> {
    let fits = |ty: DType| len.is_multiple_of(ty.block_len() as u64);
    if fits(wanted) {
        return Ok(wanted);
    }
    let smaller = smaller(wanted).ok_or_else(|| Error::NoFallback { name: name.into(), len, to: wanted })?;
    Ok(if fits(smaller) { smaller } else { DType::F16 })
}

/// A type with blocks of 32 and about as many bits.
fn smaller(ty: DType) -> Option<DType> {
    use DType as T;
    match ty {
        T::IQ1_S | T::IQ1_M | T::IQ2_XXS | T::IQ2_XS | T::IQ2_S | T::IQ3_XXS | T::IQ3_S | T::IQ4_XS => {
            Some(T::IQ4_NL)
        }
        T::Q2_0 | T::Q2_K | T::Q3_K | T::TQ1_0 | T::TQ2_0 => Some(T::Q4_0),
        T::Q4_K => Some(T::Q5_0),
        T::Q5_K => Some(T::Q5_1),
        T::Q6_K => Some(T::Q8_0),
        _ if ty.block_len() <= 32 => Some(ty),
        _ => None,
    }
}
