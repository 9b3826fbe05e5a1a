//! Which type each tensor of many models gets in each mix, against what the reference's quantizer says it would do.
//!
//! `types.json` holds rows of `[model, block, override, {mix: [importance, hash]}]`: of the golden model, with rows made
//! whole multiples of `block`, one key overridden to give more layers or experts, the hash of `name type` lines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use convert::quantize::{Options, Override, Plan};
use convert::{Imatrix, Mix};
use testkit::Golden;

type Row = (String, u64, String, BTreeMap<String, (u8, String)>);

#[test]
fn every_tensor_gets_the_type_of_the_reference() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../data/types.json")).expect("our own file");
    let mut n = 0;
    for (name, block, key_value, mixes) in rows {
        let mut golden = Golden::load(&name);
        for tensor in golden.tensors.iter_mut().filter(|t| t.dims.len() > 1) {
            tensor.dims[0] = tensor.dims[0].next_multiple_of(block);
        }
        let file = golden.file_of_zeros().expect("a valid file");
        let overrides = match key_value.split_once('=') {
            Some((key, value)) => {
                let text = format!("{}.{key}=int:{value}", golden.architecture);
                vec![Override::parse(&text).expect("a number")]
            }
            None => Vec::new(),
        };
        for (mix, (has_imatrix, expect)) in mixes {
            let mix: Mix = mix.parse().expect("a known mix");
            let imatrix = (has_imatrix == 1).then(|| (Imatrix::default(), PathBuf::new()));
            let overrides = overrides.clone();
            let options =
                Options { mix: Some(mix), imatrix, requantize: true, overrides, ..Options::default() };
            let plan = Plan::new(&file, &options).unwrap_or_else(|e| panic!("{name} {mix}: {e}"));
            let types: String =
                plan.tensors.iter().map(|t| format!("{} {}\n", t.name, t.to.name().to_lowercase())).collect();
            assert_eq!(fnv1a64(&types), expect, "{name} with {key_value:?} as {mix}:\n{types}");
            n += 1;
        }
    }
    assert!(n > 500, "only {n} were compared");
}

fn fnv1a64(text: &str) -> String {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[test]
fn names_are_found_in_any_form() {
    let check = |text: &str, expect: Option<Mix>| assert_eq!(text.parse().ok(), expect, "{text}");
    assert_eq!(Mix::ALL.len(), 35);
    for mix in Mix::ALL {
        check(mix.name(), Some(*mix));
        check(&mix.name().to_lowercase(), Some(*mix));
        check(&mix.id().to_string(), Some(*mix));
    }
    check("q4_k", Some(Mix::Q4_K_M));
    check("Q3_K", Some(Mix::Q3_K_M));
    check("Q5_K", Some(Mix::Q5_K_M));
    check("Q4_2", None);
    check("39", None);
    check("", None);
}
