//! Files of strangers: goldens with a part changed by a seeded mutator load or fail, and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use testkit::{Golden, KeyValue};

use super::{check_graphs, load, supported};

/// Of each golden; there are a few hundred.
const MUTANTS: usize = 8;

#[test]
fn no_mutant_panics() {
    let mut random = Random(7);
    let mut n = 0;
    for golden in supported() {
        for _ in 0..MUTANTS {
            let mut mutant = golden.clone();
            let change = mutate(&mut mutant, &mut random);
            let outcome = catch_unwind(AssertUnwindSafe(|| try_load(&mutant)));
            assert!(outcome.is_ok(), "{}: panic after {change}", golden.name);
            n += 1;
        }
    }
    assert!(n > 0, "there are goldens");
}

fn try_load(golden: &Golden) {
    let Ok(file) = golden.file_of_zeros() else { return };
    if let Ok(model) = load(&file) {
        check_graphs(&golden.name, &model);
    }
}

/// One change, described.
fn mutate(golden: &mut Golden, random: &mut Random) -> String {
    const NUMBERS: [u32; 12] = [0, 1, 2, 3, 5, 7, 64, 255, 1 << 16, (1 << 24) + 1, i32::MAX as u32, u32::MAX];
    let n_tensors = golden.tensors.len();
    let tensor = random.below(n_tensors);
    // Key 0 is the architecture: without it there is nothing to test.
    let key = 1 + random.below(golden.metadata.len() - 1);
    match random.below(6) {
        0 => {
            let dropped = golden.tensors.remove(tensor);
            format!("dropping {}", dropped.name)
        }
        1 => {
            let t = &mut golden.tensors[tensor];
            let i = random.below(t.dims.len());
            t.dims[i] = random.below(300) as u64;
            format!("dims {:?} of {}", t.dims, t.name)
        }
        2 => {
            let KeyValue(name, ..) = golden.metadata.remove(key);
            format!("dropping {name}")
        }
        3 => {
            let KeyValue(name, ty, value) = &mut golden.metadata[key];
            (*ty, *value) = ("str".into(), "nonsense".into());
            format!("{name} = \"nonsense\"")
        }
        _ => {
            let KeyValue(name, ty, value) = &mut golden.metadata[key];
            let number = NUMBERS[random.below(NUMBERS.len())];
            *value = match ty.as_str() {
                "f32" => serde_json::json!(f64::from(number) - 1.0),
                "[u32]" | "[i32]" => serde_json::json!([number & 0x7fff_ffff]),
                "bool" => serde_json::json!(number == 0),
                "str" | "[str]" | "[bool]" | "[f32]" => return "nothing".into(),
                "i32" => serde_json::json!(number & 0x7fff_ffff),
                _ => serde_json::json!(number),
            };
            format!("{name} = {value}")
        }
    }
}

/// Xorshift (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}
