//! The limits of the format: what the specification says, and where it says nothing, what no honest file exceeds.

/// Default of `general.alignment`.
pub(crate) const DEFAULT_ALIGNMENT: u64 = 32;
/// The greatest alignment that makes sense for a file: llama.cpp's own files use 32.
pub(crate) const MAX_ALIGNMENT: u64 = 1 << 20;
/// Longest tensor name in bytes: llama.cpp keeps names in 64 bytes with a zero at the end.
pub(crate) const MAX_NAME_LEN: usize = 63;
/// Longest key in bytes, as the specification says.
pub(crate) const MAX_KEY_LEN: usize = 65_535;
/// Most dimensions of a tensor.
pub(crate) const MAX_DIMS: usize = 4;
/// Most parts of a split file.
pub(crate) const MAX_PARTS: usize = 4096;
/// The fewest bytes of a tensor in the header: lengths of name and dims, one extent, type, offset.
pub(crate) const MIN_TENSOR_BYTES: u64 = 8 + 4 + 8 + 4 + 8;
/// The fewest bytes of a metadata entry: length of the key, type, a value of one byte.
pub(crate) const MIN_ENTRY_BYTES: u64 = 8 + 4 + 1;
/// Most bytes of metadata: places in it are kept in 32 bits. The largest vocabularies have some megabytes.
pub(crate) const MAX_METADATA_BYTES: u64 = u32::MAX as u64;
