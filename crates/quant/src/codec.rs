//! The door to the formats: checks sizes, then hands whole rows to the type's codec.

use crate::{DType, Error};

/// Decodes whole rows of `dtype` into floats. Integers and `F64` round to nearest.
///
/// # Errors
/// When `out` is not whole blocks, or `bytes` does not hold exactly its values.
pub fn decode(dtype: DType, bytes: &[u8], out: &mut [f32]) -> Result<(), Error> {
    check_bytes(dtype, out.len(), bytes.len())?;
    (dtype.format().decode)(bytes, out);
    Ok(())
}

/// Checks that no scale (of a plain float type: no value) is NaN or infinite.
///
/// # Errors
/// When `bytes` is not whole blocks, or at the first such block.
pub fn validate_row(dtype: DType, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.len().is_multiple_of(dtype.block_bytes()) {
        return Err(Error::RaggedBytes { dtype, len: bytes.len() });
    }
    match (dtype.format().find_not_finite)(bytes) {
        None => Ok(()),
        Some(block) => {
            let what = if dtype.is_quantized() { "scale" } else { "value" };
            Err(Error::NotFinite { dtype, block, what })
        }
    }
}

fn check_bytes(dtype: DType, len: usize, found: usize) -> Result<(), Error> {
    let expected = dtype.row_bytes(len).ok_or(Error::RaggedRow { dtype, len })?;
    if expected != found {
        return Err(Error::ByteCount { dtype, expected, found });
    }
    Ok(())
}
