//! Every format against the bytes and values of the reference (`data/quants.json`).

use quant::{DType, decode};
use serde_json::Value;

#[test]
fn decodes_bit_for_bit() {
    let golden = Golden::read();
    for (name, dtype, case) in golden.cases() {
        let (Some(bytes), Some(expected)) = (base64(&case["bytes"]), base64(&case["decoded"])) else {
            continue;
        };
        let mut values = vec![0.0; expected.len() / 4];
        decode(dtype, &bytes, &mut values).unwrap();
        for (i, (found, expected)) in values.iter().zip(floats(&expected)).enumerate() {
            assert_eq!(
                found.to_bits(),
                expected.to_bits(),
                "{dtype} {name}: value {i}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn table_agrees_with_the_reference() {
    for row in Golden::read().0["types"].as_array().unwrap() {
        let dtype: DType = row["type"].as_str().unwrap().parse().unwrap();
        let facts = [u64::from(dtype.id()), dtype.block_len() as u64, dtype.block_bytes() as u64];
        assert_eq!(facts.map(Some), ["id", "block", "bytes"].map(|key| row[key].as_u64()), "{dtype}");
    }
}

struct Golden(Value);

impl Golden {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("data/quants.json")).unwrap())
    }

    /// The results of each type: name of the case, type, `bytes` and `decoded`.
    fn cases(&self) -> impl Iterator<Item = (&'static str, DType, &Value)> {
        self.0["types"].as_array().unwrap().iter().flat_map(|row| {
            let dtype = row["type"].as_str().unwrap().parse().unwrap();
            ["plain", "importance"].into_iter().filter_map(move |name| Some((name, dtype, row.get(name)?)))
        })
    }
}

fn base64(value: &Value) -> Option<Vec<u8>> {
    use base64::Engine;
    Some(base64::engine::general_purpose::STANDARD.decode(value.as_str()?).unwrap())
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}
