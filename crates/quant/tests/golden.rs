//! Every format against the bytes and values of the reference (`data/quants.json`).

use quant::{DType, decode, encode};
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
fn encodes_byte_for_byte() {
    let golden = Golden::read();
    let (input, importance) = (golden.floats("input"), golden.floats("importance"));
    let mut wrong = Vec::new();
    for (name, dtype, case) in golden.cases() {
        let expected = base64(&case["bytes"]).expect("every case has bytes");
        let mut found = vec![0; expected.len()];
        let importance = (name == "importance").then_some(&importance[..]);
        encode(dtype, &input, golden.n(), importance, &mut found).unwrap();
        if found != expected {
            let blocks = found.chunks(dtype.block_bytes()).zip(expected.chunks(dtype.block_bytes()));
            let differ = blocks.enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i);
            wrong.push(format!("{dtype} {name}: blocks {:?}", differ.collect::<Vec<_>>()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
        Self(serde_json::from_str(include_str!("data/quants.json")).expect("the golden file is JSON"))
    }

    /// Values in a row of the input.
    fn n(&self) -> usize {
        self.0["n"].as_u64().and_then(|n| n.try_into().ok()).expect("`n` is a count")
    }

    fn floats(&self, key: &str) -> Vec<f32> {
        floats(&base64(&self.0[key]).expect("a base64 string")).collect()
    }

    /// The results of each type: name of the case, type, `bytes` and `decoded`.
    fn cases(&self) -> impl Iterator<Item = (&'static str, DType, &Value)> {
        let rows = self.0["types"].as_array().expect("a list of types");
        rows.iter().flat_map(|row| {
            let name = row["type"].as_str().expect("a name");
            let dtype = name.parse().expect("a type we have");
            ["plain", "importance"].into_iter().filter_map(move |name| Some((name, dtype, row.get(name)?)))
        })
    }
}

fn base64(value: &Value) -> Option<Vec<u8>> {
    use base64::Engine;
    let text = value.as_str()?;
    Some(base64::engine::general_purpose::STANDARD.decode(text).expect("the golden file is base64"))
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}
