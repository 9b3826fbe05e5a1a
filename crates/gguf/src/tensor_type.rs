//! The tensor types of the format: ids, names and block sizes. What the bytes mean is not known here.

/// A storable tensor type: its row in the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TensorType(u8);

struct Row {
    id: u32,
    name: &'static str,
    block_len: u64,
    block_bytes: u64,
}

const fn row(id: u32, name: &'static str, block_len: u64, block_bytes: u64) -> Row {
    Row { id, name, block_len, block_bytes }
}

static TYPES: [Row; 35] = [
    row(0, "F32", 1, 4),
    row(1, "F16", 1, 2),
    row(2, "Q4_0", 32, 18),
    row(3, "Q4_1", 32, 20),
    row(6, "Q5_0", 32, 22),
    row(7, "Q5_1", 32, 24),
    row(8, "Q8_0", 32, 34),
    row(9, "Q8_1", 32, 36),
    row(10, "Q2_K", 256, 84),
    row(11, "Q3_K", 256, 110),
    row(12, "Q4_K", 256, 144),
    row(13, "Q5_K", 256, 176),
    row(14, "Q6_K", 256, 210),
    row(15, "Q8_K", 256, 292),
    row(16, "IQ2_XXS", 256, 66),
    row(17, "IQ2_XS", 256, 74),
    row(18, "IQ3_XXS", 256, 98),
    row(19, "IQ1_S", 256, 50),
    row(20, "IQ4_NL", 32, 18),
    row(21, "IQ3_S", 256, 110),
    row(22, "IQ2_S", 256, 82),
    row(23, "IQ4_XS", 256, 136),
    row(24, "I8", 1, 1),
    row(25, "I16", 1, 2),
    row(26, "I32", 1, 4),
    row(27, "I64", 1, 8),
    row(28, "F64", 1, 8),
    row(29, "IQ1_M", 256, 56),
    row(30, "BF16", 1, 2),
    row(34, "TQ1_0", 256, 54),
    row(35, "TQ2_0", 256, 66),
    row(39, "MXFP4", 32, 17),
    row(40, "NVFP4", 64, 36),
    row(41, "Q1_0", 128, 18),
    row(42, "Q2_0", 64, 18),
];

impl TensorType {
    /// The type with this id in the file.
    pub fn from_id(id: u32) -> Result<Self, String> {
        match Self::all().find(|ty| ty.id() == id) {
            Some(ty) => Ok(ty),
            None => Err(match id {
                4 | 5 => format!(
                    "type {id} (Q4_2, Q4_3) was removed; quantize the model again, for example to Q4_1"
                ),
                31..=33 => format!("type {id} (interleaved Q4_0) was removed; use a Q4_0 file"),
                36..=38 => format!("type {id} (interleaved IQ4_NL) was removed; use an IQ4_NL file"),
                _ => format!("type {id} is unknown; known are 0 to 42 with gaps"),
            }),
        }
    }

    pub fn id(self) -> u32 {
        self.row().id
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Elements in a block.
    pub fn block_len(self) -> u64 {
        self.row().block_len
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> u64 {
        self.row().block_bytes
    }

    /// All types, by id.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TYPES.len() as u8).map(Self)
    }

    fn row(self) -> &'static Row {
        &TYPES[usize::from(self.0)]
    }
}

impl std::fmt::Debug for TensorType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for TensorType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
