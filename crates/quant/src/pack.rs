//! Bit fields of a block: small integers of 1, 2 or 4 bits packed in bytes.

/// Unpacks `H` bytes of `BITS`-bit fields: first the lowest field of every byte, then the next of every byte.
///
/// ```text
/// BITS = 4, H = 3     byte   0     1     2
///                          [3|0] [4|1] [5|2]     high | low field: number of the value
/// ```
#[inline(always)]
pub(crate) fn unpack<const BITS: usize, const H: usize, const N: usize>(bytes: &[u8; H]) -> [u8; N] {
    const { assert!(N * BITS == H * 8) };
    let mut values = [0; N];
    for (field, values) in values.chunks_exact_mut(H).enumerate() {
        for (value, byte) in values.iter_mut().zip(bytes) {
            *value = (byte >> (BITS * field)) & mask::<BITS>();
        }
    }
    values
}

/// Packs neighbours into bytes, the first of each pair low.
#[inline(always)]
pub(crate) fn nibble_pairs<const N: usize, const H: usize>(values: &[u8; N]) -> [u8; H] {
    const { assert!(N == 2 * H) };
    std::array::from_fn(|i| values[2 * i] | values[2 * i + 1] << 4)
}

const fn mask<const BITS: usize>() -> u8 {
    (1 << BITS) - 1
}
/// The inverse of [`unpack`]; of each value only the low `BITS` bits count.
#[inline(always)]
pub(crate) fn pack<const BITS: usize, const N: usize, const H: usize>(values: &[u8; N]) -> [u8; H] {
    const { assert!(N * BITS == H * 8) };
    let mut bytes = [0; H];
    for (field, values) in values.chunks_exact(H).enumerate() {
        for (byte, value) in bytes.iter_mut().zip(values) {
            *byte |= (value & mask::<BITS>()) << (BITS * field);
        }
    }
    bytes
}

/// Packs the fifth bits of values, the first lowest. Eight at once: as bytes they would be taken one by one.
#[inline(always)]
pub(crate) fn fifth_bits(values: &[u8; 32]) -> [u8; 4] {
    // Brings the bit of byte i of a product of eight bytes to bit 56 + i.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let eights: [u64; 4] = bytemuck::cast(*values);
    eights.map(|eight| {
        let bits = (u64::from_le(eight) >> 4) & 0x0101_0101_0101_0101;
        (bits.wrapping_mul(GATHER) >> 56) as u8
    })
}
