//! temporary
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum DType { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4K }
impl DType {
    pub fn block_len(self) -> usize { match self { Self::Q4K => 256, _ => 32 } }
    pub fn block_bytes(self) -> usize { match self { Self::Q4_0 => 18, Self::Q4_1 => 20, Self::Q5_0 => 22, Self::Q5_1 => 24, Self::Q8_0 => 34, Self::Q4K => 144 } }
}
