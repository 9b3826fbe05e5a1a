//! Turns the reference's renders into `tests/data/templates.json`: the conversations, and for each template and
//! conversation the SHA-256 of the text. Run: `cargo run -p chat --example hash_goldens -- GOLDEN/templates OUT`.

use std::error::Error;
use std::fmt::Write as _;
use std::{env, fs};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let [golden, out] = env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "give two paths")?;
    let read = |name: &str| -> Result<Value, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(format!("{golden}/{name}"))?)?)
    };
    let mut expected = Map::new();
    for (template, texts) in read("expected.json")?.as_object().ok_or("not an object")? {
        let texts = texts.as_object().ok_or("not an object")?;
        let hashes = texts.iter().map(|(case, text)| (case.clone(), text.as_str().map_or(Value::Null, hash)));
        expected.insert(template.clone(), hashes.collect());
    }
    let data = json!({ "cases": read("cases.json")?, "sha256": expected });
    fs::write(out, serde_json::to_string_pretty(&data)? + "\n")?;
    Ok(())
}

fn hash(text: &str) -> Value {
    let mut hex = String::new();
    for byte in &Sha256::digest(text)[..8] {
        let _ = write!(hex, "{byte:02x}");
    }
    Value::String(hex)
}
