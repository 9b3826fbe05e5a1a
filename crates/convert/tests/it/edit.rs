//! Splitting, merging, setting and comparing.

use std::fs;

use convert::edit::{
    Difference, PartPlan, SplitBy, diff, merge, parse_size, parse_value, plan_split, set_in_place,
    set_values, split,
};
use gguf::Gguf;
use gguf::write::OwnedValue;

use super::{Folder, model, open, small_model};

#[test]
fn a_split_merged_is_the_file() {
    let folder = Folder::new("convert-merge");
    let source = open(&small_model());
    let whole = folder.path("whole.gguf");
    merge(&source, &whole, &mut |_, _| ()).expect("copied");
    for (i, (by, metadata_alone)) in
        [(SplitBy::Tensors(4), false), (SplitBy::Tensors(1), true), (SplitBy::Bytes(40_000), false)]
            .into_iter()
            .enumerate()
    {
        let parts = plan_split(&source, by, metadata_alone);
        let prefix = folder.path(&format!("m{i}"));
        split(&source, &parts, &prefix, &mut |_, _| ()).expect("split");
        let first = gguf::split::part_path(&prefix, 0, parts.len());
        let merged = folder.path("merged.gguf");
        let parts = Gguf::open(&first).expect("readable");
        merge(&parts, &merged, &mut |_, _| ()).expect("merged");
        assert!(fs::read(&merged).expect("there") == fs::read(&whole).expect("there"), "{by:?}");
        let error = merge(&parts, &first, &mut |_, _| ()).expect_err("a part").to_string();
        assert!(error.contains("is the file to be read"), "{error}");
    }
}

#[test]
fn parts_are_full_but_not_fuller() {
    let source = open(&model(&[("a", &[100]), ("b", &[100]), ("c", &[500]), ("d", &[10])]));
    let check = |by: SplitBy, alone: bool, expect: &[(usize, u64)]| {
        let expect: Vec<_> =
            expect.iter().map(|&(n_tensors, n_bytes)| PartPlan { n_tensors, n_bytes }).collect();
        assert_eq!(plan_split(&source, by, alone), expect, "{by:?}");
    };
    check(SplitBy::Tensors(2), false, &[(2, 800), (2, 2040)]);
    check(SplitBy::Tensors(3), true, &[(0, 0), (3, 2800), (1, 40)]);
    check(SplitBy::Bytes(800), false, &[(2, 800), (1, 2000), (1, 40)]);
    check(SplitBy::Bytes(1), false, &[(1, 400), (1, 400), (1, 2000), (1, 40)]);
    check(SplitBy::Bytes(1 << 30), false, &[(4, 2840)]);
}

#[test]
fn sizes_are_read() {
    let check = |text: &str, expect: Option<u64>| assert_eq!(parse_size(text).ok(), expect, "{text}");
    check("500M", Some(500_000_000));
    check("2G", Some(2_000_000_000));
    check("0M", None);
    check("5", None);
    check("-1G", None);
    check("99999999999999999999G", None);
    check("18446744073709551615G", None);
}

#[test]
fn values_are_set_in_a_new_file_or_in_place() {
    let folder = Folder::new("convert-set");
    let (path, out) = (folder.path("m.gguf"), folder.path("out.gguf"));
    fs::write(&path, small_model().to_bytes().expect("valid")).expect("writable");
    let source = Gguf::open(&path).expect("readable");
    let value = |text: &str| parse_value(&source, text);
    assert_eq!(value("llama.block_count=5").expect("a u32").value, OwnedValue::U32(5));
    assert_eq!(value("new.key=i16:-5").expect("an i16").value, OwnedValue::I16(-5));
    assert_eq!(value("general.architecture=gemma").expect("a string").value, "gemma".into());
    for wrong in ["llama.block_count=-1", "llama.block_count=u8:256", "new.key=5", "new.key", "k=array:1"] {
        assert!(value(wrong).is_err(), "{wrong}");
    }
    let values = [value("llama.block_count=5").expect("a u32"), value("x=bool:true").expect("a bool")];
    set_values(&source, &values, &out, &mut |_, _| ()).expect("written");
    let expect = [
        Difference::Value { key: "llama.block_count".into() },
        Difference::KeyOnlyIn { key: "x".into(), is_first: false },
    ];
    assert_eq!(diff(&source, &Gguf::open(&out).expect("readable")).expect("read"), expect);
    assert!(set_values(&source, &values, &path, &mut |_, _| ()).is_err(), "the file itself");

    let fitting =
        [value("llama.block_count=9").expect("a u32"), value("general.architecture=gpt-j").expect("")];
    set_in_place(&path, &fitting).expect("it fits");
    let changed = Gguf::open(&path).expect("readable");
    assert_eq!(changed.metadata().get("llama.block_count").expect("a number"), Some(9u32));
    assert_eq!(changed.metadata().get("general.architecture").expect("a string"), Some("gpt-j"));
    let before = fs::read(&path).expect("there");
    for (text, wanted) in [
        ("general.architecture=string:longer", "it is a string of 5 bytes, the new value a string of 6"),
        ("llama.block_count=u64:9", "it is a u32 of 4 bytes, the new value a u64 of 8"),
        ("new.key=u8:1", "the file has no such key"),
    ] {
        let values = [value("llama.block_count=1").expect("a u32"), value(text).expect("a value")];
        let error = set_in_place(&path, &values).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
    }
    assert!(fs::read(&path).expect("there") == before, "nothing was written");
}

/// Changes in one sector go into the file; those in several into a new one under its name.
#[test]
fn values_in_place_are_one_step_wherever_they_lie() {
    let folder = Folder::new("convert-in-place");
    let path = folder.path("m.gguf");
    let mut file = small_model();
    file.value("first", OwnedValue::U32(1)).value("near", OwnedValue::U32(2));
    file.value("between", "x".repeat(1000).as_str().into()).value("far", OwnedValue::U64(3));
    fs::write(&path, file.to_bytes().expect("valid")).expect("writable");
    for texts in [&["first=7"][..], &["near=8", "first=9"], &["first=10", "far=11"], &["between=y"]] {
        let source = Gguf::open(&path).expect("readable");
        let texts: Vec<String> =
            texts
                .iter()
                .map(|text| {
                    if *text == "between=y" {
                        format!("between={}", "y".repeat(1000))
                    } else {
                        (*text).into()
                    }
                })
                .collect();
        let values: Vec<_> = texts.iter().map(|text| parse_value(&source, text).expect("a value")).collect();
        let mut expect = metadata_of(&source);
        for value in &values {
            expect
                .iter_mut()
                .filter(|(key, _)| *key == value.key)
                .for_each(|(_, v)| *v = value.value.clone());
        }
        set_in_place(&path, &values).expect("it fits");
        let changed = Gguf::open(&path).expect("readable");
        assert_eq!(metadata_of(&changed), expect, "{texts:?}");
        let others = diff(&open(&small_model()), &changed).expect("read");
        assert!(
            others.iter().all(|d| matches!(d, Difference::KeyOnlyIn { is_first: false, .. })),
            "{others:?}"
        );
        assert_eq!(folder.names(), ["m.gguf"]);
    }
}

/// All metadata.
fn metadata_of(file: &Gguf) -> Vec<(String, OwnedValue)> {
    file.metadata().iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

#[test]
fn differences_are_named() {
    let first = open(&model(&[("a", &[8]), ("b", &[4, 2]), ("c", &[3])]));
    let second = open(&model(&[("a", &[8]), ("b", &[8]), ("d", &[3])]));
    let found = diff(&first, &second).expect("read");
    let expect = [
        Difference::Layout { name: "b".into(), first: "F32 [4, 2]".into(), second: "F32 [8]".into() },
        Difference::TensorOnlyIn { name: "c".into(), is_first: true },
        Difference::TensorOnlyIn { name: "d".into(), is_first: false },
    ];
    assert_eq!(found, expect);
    let mut bytes = small_model().to_bytes().expect("valid");
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    let found = diff(&open(&small_model()), &Gguf::from_bytes(bytes).expect("readable")).expect("read");
    assert!(
        matches!(&found[..], [Difference::Bytes { n_different: 1, n_bytes: 1024, first_at: 1021, .. }]),
        "{found:?}"
    );
}
