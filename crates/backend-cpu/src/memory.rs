//! Key-value blocks and recurrent states in main memory.
//!
//! A KV slot is a block of `BLOCK_TOKENS` tokens (or rows that stand for several tokens each): first all keys, `[n_head_kv][token][key_dim]`, then all values,
//! `[n_head_kv][token][value_dim]`, so that what one head reads is contiguous. A state slot is `len` float32.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use backend::{BLOCK_TOKENS, Error, Memory, MemoryLayout, Result};
use tensor::{DType, MemoryId, MemorySpec, ValueStore};

use crate::raw::{Floats, LINE};

/// What keys and values may be stored as.
pub(crate) const KV_TYPES: [DType; 9] = [
    DType::F32,
    DType::F16,
    DType::BF16,
    DType::Q8_0,
    DType::Q5_1,
    DType::Q5_0,
    DType::Q4_1,
    DType::Q4_0,
    DType::IQ4_NL,
];

/// Elements of quantized keys and values that are rotated together.
pub(crate) const LEAST_ROTATED: usize = 64;
pub(crate) const MOST_ROTATED: usize = 512;

/// All memories placed on one CPU device.
#[derive(Debug)]
pub(crate) struct CpuMemory {
    /// By memory id; `None` for memories of other devices.
    shapes: Vec<Option<SlotShape>>,
    /// By memory id. Locked once a step, and by the engine's copies between steps.
    storage: Mutex<Vec<Floats>>,
}

/// How one slot is laid out, in float32 units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotShape {
    pub(crate) kv: Option<KvShape>,
    pub(crate) group: u32,
    /// Elements of a slot.
    pub(crate) len: usize,
}

/// The inside of a block of keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KvShape {
    pub(crate) n_head_kv: usize,
    pub(crate) key: VectorShape,
    pub(crate) value: VectorShape,
    pub(crate) value_in_key: bool,
    /// Tokens that a row stands for: see [`MemorySpec::Kv`].
    pub(crate) ratio: usize,
}

/// A stored vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VectorShape {
    pub(crate) dtype: DType,
    /// Bytes of one vector.
    pub(crate) n_bytes: usize,
    /// How many elements at a time are rotated before they are quantized, or 0: see [`rotate`](crate::ops::attention::rotate).
    pub(crate) rotation: usize,
}

impl KvShape {
    /// How many rows stand for nothing but the first `n` tokens.
    pub(crate) fn n_rows(&self, n: usize) -> usize {
        n / self.ratio
    }

    /// Byte offset of the key of `head`'s token `t` in its block.
    pub(crate) fn key_at(&self, head: usize, t: usize) -> usize {
        (head * BLOCK_TOKENS + t) * self.key.n_bytes
    }

    /// Byte offset of the value of `head`'s token `t` in its block.
    pub(crate) fn value_at(&self, head: usize, t: usize) -> usize {
        if self.value_in_key {
            return self.key_at(head, t);
        }
        self.n_head_kv * BLOCK_TOKENS * self.key.n_bytes + (head * BLOCK_TOKENS + t) * self.value.n_bytes
    }
}

impl CpuMemory {
    pub(crate) fn new(device: &str, layouts: &[MemoryLayout]) -> Result<Self> {
        let n = layouts.iter().map(|l| l.id.0 as usize + 1).max().unwrap_or(0);
        let mut shapes = vec![None; n];
        let mut storage: Vec<Floats> = (0..n).map(|_| Floats::default()).collect();
        for layout in layouts {
            let shape = slot_shape(device, layout)?;
            let id = layout.id.0 as usize;
            let total =
                shape.len.checked_mul(layout.n_slots as usize).filter(|n| *n < isize::MAX as usize / 8);
            storage[id] = total.and_then(Floats::zeroed).ok_or_else(|| Error::OutOfMemory {
                device: device.into(),
                what: format!("memory {id}: {} slots", layout.n_slots),
                needed: total.map_or(u64::MAX, |n| 4 * n as u64),
            })?;
            shapes[id] = Some(shape);
        }
        Ok(Self { shapes, storage: Mutex::new(storage) })
    }

    pub(crate) fn shape(&self, id: MemoryId) -> Option<SlotShape> {
        self.shapes.get(id.0 as usize).copied().flatten()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Floats>> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot<R>(&self, id: MemoryId, slot: u32, use_it: impl FnOnce(&mut [f32]) -> R) -> Option<R> {
        let len = self.shape(id)?.len;
        let mut storage = self.lock();
        let start = slot as usize * len;
        Some(use_it(&mut storage[id.0 as usize].as_mut_slice()[start..start + len]))
    }
}

impl Memory for CpuMemory {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn slot_bytes(&self, id: MemoryId) -> usize {
        self.shape(id).map_or(0, |s| s.len * 4)
    }

    fn copy(&self, id: MemoryId, from: u32, to: u32) {
        if let Some(SlotShape { len, .. }) = self.shape(id) {
            let (from, to) = (from as usize * len, to as usize * len);
            self.lock()[id.0 as usize].as_mut_slice().copy_within(from..from + len, to);
        }
    }

    fn clear(&self, id: MemoryId, slot: u32) {
        self.slot(id, slot, |s| s.fill(0.0));
    }

    fn read(&self, id: MemoryId, slot: u32, out: &mut Vec<u8>) {
        self.slot(id, slot, |s| out.extend_from_slice(bytemuck::cast_slice(s)));
    }

    fn write(&self, id: MemoryId, slot: u32, bytes: &[u8]) {
        self.slot(id, slot, |s| bytemuck::cast_slice_mut(s).copy_from_slice(bytes));
    }
}

fn slot_shape(device: &str, layout: &MemoryLayout) -> Result<SlotShape> {
    let group = layout.group;
    match &layout.spec {
        MemorySpec::State { len } => Ok(SlotShape { kv: None, group, len: len.next_multiple_of(LINE) }),
        MemorySpec::Recent { dim, .. } => {
            let key = vector_shape(device, DType::F32, *dim, 0)?;
            let value = vector_shape(device, DType::F32, 0, 0)?;
            let kv = KvShape { n_head_kv: 1, key, value, value_in_key: false, ratio: 1 };
            Ok(SlotShape { kv: Some(kv), group, len: (BLOCK_TOKENS * dim).next_multiple_of(LINE) })
        }
        MemorySpec::Kv { n_head_kv, key_dim, value, ratio, .. } => {
            let value_in_key = matches!(value, ValueStore::InKey { .. });
            let value_type = if value_in_key { layout.key_type } else { layout.value_type };
            let mut of_key = rotation(layout.key_type, *key_dim, MOST_ROTATED);
            if value_in_key {
                of_key = of_key.min(rotation(value_type, value.dim(), MOST_ROTATED));
            }
            let key = vector_shape(device, layout.key_type, *key_dim, of_key)?;
            let of_value =
                if value_in_key { of_key } else { rotation(value_type, value.dim(), LEAST_ROTATED) };
            let value = vector_shape(device, value_type, value.dim(), of_value)?;
            let kv = KvShape { n_head_kv: *n_head_kv, key, value, value_in_key, ratio: *ratio };
            let stored = key.n_bytes + if value_in_key { 0 } else { value.n_bytes };
            let len = (n_head_kv * BLOCK_TOKENS * stored).div_ceil(4).next_multiple_of(LINE);
            Ok(SlotShape { kv: Some(kv), group, len })
        }
    }
}

fn vector_shape(device: &str, dtype: DType, dim: usize, rotation: usize) -> Result<VectorShape> {
    let unsupported = |op| Error::Unsupported { device: device.into(), op };
    if !KV_TYPES.contains(&dtype) {
        let names: Vec<_> = KV_TYPES.iter().map(ToString::to_string).collect();
        return Err(unsupported(format!(
            "a key-value cache of type {dtype}; use one of {}",
            names.join(", ")
        )));
    }
    let row_bytes = dtype.row_bytes(dim).ok_or_else(|| {
        unsupported(format!(
            "a key-value cache of type {dtype} for heads of {dim}, which is no multiple of {}; use F16",
            dtype.block_len()
        ))
    })?;
    // Whole words, so that neighbours never share one.
    Ok(VectorShape { dtype, n_bytes: row_bytes.next_multiple_of(4), rotation })
}

/// As llama.cpp does: keys are rotated by the greatest power of two that divides them, values by the least.
fn rotation(dtype: DType, dim: usize, most: usize) -> usize {
    if !dtype.is_quantized() || dim == 0 || !dim.is_multiple_of(LEAST_ROTATED) {
        return 0;
    }
    (1 << dim.trailing_zeros()).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_quantized_is_rotated() {
        let cases = [
            (DType::F16, 128, 512, 0),
            (DType::Q8_0, 128, 512, 128),
            (DType::Q8_0, 128, 64, 64),
            (DType::Q4_0, 576, 512, 64),
            (DType::Q4_0, 96, 512, 0),
            (DType::Q4_0, 2048, 512, 512),
        ];
        for (dtype, dim, most, want) in cases {
            assert_eq!(rotation(dtype, dim, most), want, "{dtype} {dim} {most}");
        }
    }
}
