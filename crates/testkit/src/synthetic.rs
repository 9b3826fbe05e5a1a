//! Models in memory, made from a golden's description.

use gguf::{Gguf, Metadata, TensorInfo, TensorType, Value};

use crate::golden::{Golden, KeyValue, TensorSpec};

impl Golden {
    /// The model, with its tensors' data.
    ///
    /// # Panics
    /// If the golden has a type that GGUF has not.
    #[must_use]
    pub fn file(&self) -> Gguf {
        self.build(|tensor| tensor.data(self.seed))
    }

    /// The model with tensors of zeros, for what reads no data.
    ///
    /// # Panics
    /// If the golden has a type that GGUF has not.
    #[must_use]
    pub fn file_of_zeros(&self) -> Gguf {
        self.build(|_| Vec::new())
    }

    fn build(&self, data: impl Fn(&TensorSpec) -> Vec<u8>) -> Gguf {
        Gguf {
            metadata: Metadata(self.metadata.iter().map(|kv| (kv.0.clone(), value(kv))).collect()),
            tensors: self
                .tensors
                .iter()
                .map(|t| TensorInfo { name: t.name.clone(), dims: t.dims.clone(), ty: TensorType(t.type_id()) })
                .collect(),
            data: self.tensors.iter().map(data).collect(),
        }
    }
}

impl TensorSpec {
    fn type_id(&self) -> u32 {
        match self.dtype.as_str() {
            "F32" => 0,
            "F16" => 1,
            "I32" => 26,
            other => panic!("golden tensor {} has type {other}", self.name),
        }
    }

    /// The elements: `offset + scale * u`, with `u` uniform in `[-1, 1)` from splitmix64 started at the hash of the
    /// name xor `seed`.
    fn data(&self, seed: u64) -> Vec<u8> {
        let mut state = fnv1a64(&self.name) ^ seed;
        let n: usize = self.dims.iter().product();
        let mut bytes = Vec::with_capacity(4 * n);
        for _ in 0..n {
            let u = (splitmix64(&mut state) >> 40) as f32 / (1 << 23) as f32 - 1.0;
            let w = self.offset + self.scale * u;
            match self.dtype.as_str() {
                "F16" => bytes.extend(half::f16::from_f32(w).to_le_bytes()),
                _ => bytes.extend(w.to_le_bytes()),
            }
        }
        bytes
    }
}

/// Fowler, Noll and Vo's hash.
fn fnv1a64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Steele, Lea and Flood's generator.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn value(KeyValue(key, ty, json): &KeyValue) -> Value {
    let wrong = || panic!("golden key {key}: {json} is not {ty}");
    let number = |v: &serde_json::Value| v.as_f64().unwrap_or_else(wrong);
    let list = || json.as_array().unwrap_or_else(|| panic!("golden key {key}: {json} is not {ty}"));
    match ty.as_str() {
        "str" => Value::String(json.as_str().map_or_else(|| panic!("golden key {key}"), str::to_owned)),
        "u32" => Value::U32(number(json) as u32),
        "i32" => Value::I32(number(json) as i32),
        "f32" => Value::F32(number(json) as f32),
        "bool" => Value::Bool(json.as_bool().unwrap_or_else(|| panic!("golden key {key}"))),
        "[u32]" => Value::U32s(list().iter().map(|v| number(v) as u32).collect()),
        "[i32]" => Value::I32s(list().iter().map(|v| number(v) as i32).collect()),
        "[f32]" => Value::F32s(list().iter().map(|v| number(v) as f32).collect()),
        "[bool]" => Value::Bools(list().iter().map(|v| v.as_bool() == Some(true)).collect()),
        other => panic!("golden key {key} has type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generators_match_their_published_values() {
        assert_eq!(fnv1a64("a"), 0xaf63_dc4c_8601_ec8c);
        let mut state = 0;
        assert_eq!(splitmix64(&mut state), 0xe220_a839_7b1d_cdaf);
    }
}
