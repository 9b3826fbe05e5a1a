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

/// Encodes rows of `row_len` floats as `dtype`. Integer types round to nearest and saturate.
///
/// `importance` weighs the errors: a value for each place of a row, the same for every row.
///
/// # Errors
/// When the sizes of `x`, `importance` or `out` do not fit whole rows; when a quantized type meets a value that is
/// not finite; when the type needs importance and there is none.
pub fn encode(
    dtype: DType,
    x: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<(), Error> {
    let row_bytes = dtype.row_bytes(row_len).ok_or(Error::RaggedRow { dtype, len: row_len })?;
    if !x.len().is_multiple_of(row_len) {
        return Err(Error::RaggedRows { len: x.len(), row_len });
    }
    check_bytes(dtype, x.len(), out.len())?;
    check_values(dtype, x, row_len, importance)?;
    if x.is_empty() {
        return Ok(());
    }
    for (x, out) in x.chunks_exact(row_len).zip(out.chunks_exact_mut(row_bytes)) {
        (dtype.format().encode_row)(x, importance, out);
    }
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

fn check_values(dtype: DType, x: &[f32], row_len: usize, importance: Option<&[f32]>) -> Result<(), Error> {
    match importance {
        None if dtype.needs_importance() => return Err(Error::NeedsImportance { dtype }),
        None => {}
        Some(importance) => {
            if importance.len() != row_len {
                return Err(Error::ImportanceCount { expected: row_len, found: importance.len() });
            }
            let usable = |value: &f32| value.is_finite() && *value >= 0.0;
            if let Some(index) = importance.iter().position(|value| !usable(value)) {
                return Err(Error::BadImportance { index, value: importance[index] });
            }
        }
    }
    if dtype.is_quantized()
        && let Some(index) = position(x, |x| !x.is_finite())
    {
        return Err(Error::ValueNotFinite { dtype, index, value: x[index] });
    }
    Ok(())
}

fn check_bytes(dtype: DType, len: usize, found: usize) -> Result<(), Error> {
    let expected = dtype.row_bytes(len).ok_or(Error::RaggedRow { dtype, len })?;
    if expected != found {
        return Err(Error::ByteCount { dtype, expected, found });
    }
    Ok(())
}

/// The first of the items that is so. Looks at many at once, as hardly any ever is.
pub(crate) fn position<T>(items: &[T], is_so: impl Fn(&T) -> bool) -> Option<usize> {
    const AT_ONCE: usize = 64;
    let has_one = |items: &[T]| items.iter().fold(false, |has, item| has | is_so(item));
    let chunk = items.chunks(AT_ONCE).position(has_one)?;
    let start = chunk * AT_ONCE;
    items[start..].iter().position(is_so).map(|i| start + i)
}
