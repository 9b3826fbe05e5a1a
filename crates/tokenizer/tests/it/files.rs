//! Where the tests find vocabularies. They are other people's files and not part of the repository.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::path::{Path, PathBuf};
use tokenizer::{Texts, Tokenizer, VocabData};

/// Directory of the `ggml-vocab-*.gguf` files.
fn dir() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let candidates = [
        std::env::var_os("LLAMA_RS_VOCAB_DIR").map(PathBuf::from),
        Some(workspace.join(".cache/vocab")),
        Some(workspace.join("../shared/golden/vocab")),
        Some("/work/shared/golden/vocab".into()),
    ];
    candidates.into_iter().flatten().find(|dir| dir.is_dir()).unwrap_or_else(|| {
        panic!("no vocabularies: run `cargo xtask models`, or point LLAMA_RS_VOCAB_DIR at ggml-vocab-*.gguf files")
    })
}

/// The named vocabulary.
pub(crate) fn load(name: &str) -> Tokenizer {
    let path = dir().join(format!("ggml-vocab-{name}.gguf"));
    Tokenizer::new(read(&path)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

#[derive(Debug)]
enum Value {
    Int(i64),
    Float(f32),
    Text(Vec<u8>),
    List(Vec<Self>),
}

impl Reader {
    fn take(&mut self, n: usize) -> &[u8] {
        self.at += n;
        &self.bytes[self.at - n..self.at]
    }
    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }
    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }
    fn text(&mut self) -> Vec<u8> {
        let n = self.u64() as usize;
        self.take(n).to_vec()
    }
    fn value(&mut self, t: u32) -> Value {
        match t {
            0 | 1 | 7 => Value::Int(i64::from(self.take(1)[0])),
            2 | 3 => Value::Int(i64::from(u16::from_le_bytes(self.take(2).try_into().unwrap()))),
            4 | 5 => Value::Int(i64::from(self.u32() as i32)),
            6 => Value::Float(f32::from_bits(self.u32())),
            8 => Value::Text(self.text()),
            9 => {
                let t = self.u32();
                let n = self.u64();
                Value::List((0..n).map(|_| self.value(t)).collect())
            }
            _ => Value::Int(self.u64() as i64),
        }
    }
}

fn read(path: &Path) -> VocabData {
    let bytes =
        std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask models`", path.display()));
    let mut r = Reader { bytes, at: 16 };
    let n = r.u64();
    let mut data = VocabData::default();
    for _ in 0..n {
        let key = String::from_utf8(r.text()).unwrap();
        let t = r.u32();
        let value = r.value(t);
        let string = |v: Value| if let Value::Text(t) = v { String::from_utf8(t).unwrap() } else { panic!() };
        let strings = |v: Value| {
            let Value::List(list) = v else { panic!() };
            let list: Vec<Vec<u8>> =
                list.into_iter().map(|v| if let Value::Text(t) = v { t } else { panic!() }).collect();
            Texts::collect("test", list.iter().map(Vec::as_slice)).unwrap()
        };
        let int = |v: &Value| if let Value::Int(i) = *v { i } else { panic!() };
        let ints = |v: Value| {
            if let Value::List(l) = v { l.iter().map(|v| int(v) as i32).collect() } else { panic!() }
        };
        let key = key.strip_prefix("tokenizer.ggml.").unwrap_or(&key);
        match key {
            "general.architecture" => data.architecture = string(value),
            "general.name" => data.name = string(value),
            "model" => data.model = string(value),
            "pre" => data.pre = Some(string(value)),
            "tokens" => data.tokens = Some(strings(value)),
            "merges" => data.merges = Some(strings(value)),
            "scores" => {
                let Value::List(list) = value else { panic!() };
                data.scores =
                    Some(list.iter().map(|v| if let Value::Float(f) = *v { f } else { panic!() }).collect());
            }
            "token_type" => data.types = Some(ints(value)),
            "precompiled_charsmap" => {
                data.charsmap = Some(ints(value).into_iter().map(|i: i32| i as u8).collect());
            }
            "add_bos_token" => data.add_bos = Some(int(&value) != 0),
            "add_eos_token" => data.add_eos = Some(int(&value) != 0),
            "add_space_prefix" => data.add_space_prefix = Some(int(&value) != 0),
            "remove_extra_whitespaces" => data.remove_extra_spaces = Some(int(&value) != 0),
            _ => {
                if let Some(id) = key.strip_suffix("_token_id") {
                    data.special_ids.push((String::leak(id.to_owned()), int(&value) as u32));
                }
            }
        }
    }
    data
}
