//! Arrays of float32 in NumPy's `.npy` format (NEP 1), little-endian and in C order.

/// A C-ordered array: the last extent is contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// Why bytes are not a float32 array.
#[derive(Debug, thiserror::Error)]
#[error("not a little-endian float32 .npy file in C order: {0}")]
pub struct NpyError(&'static str);

const MAGIC: &[u8] = b"\x93NUMPY";

impl Array {
    /// Rows along the last extent.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.shape.last().copied().unwrap_or(1).max(1))
    }
}

/// # Errors
/// If `bytes` are another format, type or order, or too short.
pub fn read_npy(bytes: &[u8]) -> Result<Array, NpyError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(NpyError("no magic"))?;
    let (&version, rest) = rest.split_first_chunk::<2>().ok_or(NpyError("no version"))?;
    let (header_len, rest) = match version[0] {
        1 => rest.split_first_chunk::<2>().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest)),
        _ => rest.split_first_chunk::<4>().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest)),
    }
    .ok_or(NpyError("no header length"))?;
    let (header, data) = rest.split_at_checked(header_len).ok_or(NpyError("header cut short"))?;
    let header = std::str::from_utf8(header).map_err(|_| NpyError("header is not text"))?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(NpyError("other type or order"));
    }
    let shape = shape(header).ok_or(NpyError("no shape"))?;
    let n = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).ok_or(NpyError("absurd shape"))?;
    if n.checked_mul(4) != Some(data.len()) {
        return Err(NpyError("data does not fill the shape"));
    }
    let data = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Ok(Array { shape, data })
}

#[must_use]
pub fn write_npy(array: &Array) -> Vec<u8> {
    let dims: String = array.shape.iter().map(|d| format!("{d}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", dims.trim_end());
    // The data starts at a multiple of 64.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = [MAGIC, &[1, 0]].concat();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(array.data.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let (_, rest) = header.split_once("'shape': (")?;
    let (dims, _) = rest.split_once(')')?;
    dims.split(',').map(str::trim).filter(|d| !d.is_empty()).map(|d| d.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_survive_the_round_trip() {
        for shape in [vec![], vec![3], vec![2, 3], vec![0, 4]] {
            let n = shape.iter().product::<usize>();
            let array = Array { shape, data: (0..n).map(|i| i as f32 / 3.0).collect() };
            let bytes = write_npy(&array);
            assert_eq!(read_npy(&bytes).unwrap(), array);
            for cut in 0..bytes.len() {
                assert!(read_npy(&bytes[..cut]).is_err(), "cut at {cut}");
            }
        }
    }
}
