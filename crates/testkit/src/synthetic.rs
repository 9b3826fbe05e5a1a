//! Models in memory, made from a golden's description.

use gguf::write::{Builder, OwnedValue};
use gguf::{Gguf, TensorType, ValueType};

use crate::golden::{Golden, KeyValue, TensorSpec};

impl Golden {
    /// The model, with its tensors' data.
    ///
    /// # Errors
    /// If the description, changed by a test, is not a valid file.
    ///
    /// # Panics
    /// If the golden has a type that GGUF has not.
    pub fn file(&self) -> Result<Gguf, gguf::Error> {
        self.build(|tensor| tensor.data(self.seed))
    }

    /// The model with tensors of zeros, for what reads no data.
    ///
    /// # Errors
    /// If the description, changed by a test, is not a valid file.
    ///
    /// # Panics
    /// If the golden has a type that GGUF has not.
    pub fn file_of_zeros(&self) -> Result<Gguf, gguf::Error> {
        self.build(|tensor| vec![0; tensor.n_bytes()])
    }

    fn build(&self, data: impl Fn(&TensorSpec) -> Vec<u8>) -> Result<Gguf, gguf::Error> {
        let mut file = Builder::new();
        for kv in &self.metadata {
            file.value(&kv.0, value(kv));
        }
        for tensor in &self.tensors {
            let ty = TensorType::from_id(tensor.type_id()).expect("the types of goldens are GGUF's");
            file.tensor(&tensor.name, &tensor.dims, ty, data(tensor));
        }
        Gguf::from_bytes(file.to_bytes()?)
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

    fn n_bytes(&self) -> usize {
        let element = if self.dtype == "F16" { 2 } else { 4 };
        self.dims.iter().map(|&d| d as usize).product::<usize>() * element
    }

    /// The elements: `offset + scale * u`, with `u` uniform in `[-1, 1)` from splitmix64 started at the hash of the
    /// name xor `seed`; of integers what is below.
    fn data(&self, seed: u64) -> Vec<u8> {
        let mut state = fnv1a64(&self.name) ^ seed;
        let n: u64 = self.dims.iter().product();
        let mut bytes = Vec::with_capacity(self.n_bytes());
        for _ in 0..n {
            let u = (splitmix64(&mut state) >> 40) as f32 / (1 << 23) as f32 - 1.0;
            let w = self.offset + self.scale * u;
            match self.dtype.as_str() {
                "F16" => bytes.extend(half::f16::from_f32(w).to_le_bytes()),
                "I32" => bytes.extend((w.floor() as i32).to_le_bytes()),
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

fn value(KeyValue(key, ty, json): &KeyValue) -> OwnedValue {
    if let Some(element) = ty.strip_prefix('[') {
        let element = element.trim_end_matches(']');
        let list = json.as_array().unwrap_or_else(|| panic!("golden key {key}: {json} is not a list"));
        let values: Vec<_> = list.iter().map(|v| scalar(key, element, v)).collect();
        let element_type = values.first().map_or(ValueType::U32, OwnedValue::value_type);
        return OwnedValue::Array(element_type, values);
    }
    scalar(key, ty, json)
}

fn scalar(key: &str, ty: &str, json: &serde_json::Value) -> OwnedValue {
    let value = match ty {
        "str" => json.as_str().map(|s| OwnedValue::String(s.into())),
        "u32" => json.as_u64().map(|n| OwnedValue::U32(n as u32)),
        "i32" => json.as_i64().map(|n| OwnedValue::I32(n as i32)),
        "f32" => json.as_f64().map(|x| OwnedValue::F32(x as f32)),
        "bool" => json.as_bool().map(OwnedValue::Bool),
        _ => None,
    };
    value.unwrap_or_else(|| panic!("golden key {key}: {json} is not {ty}"))
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
