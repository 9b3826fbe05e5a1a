//! Importance matrices of both formats, whole and broken.

use std::fs;

use convert::Imatrix;
use gguf::ValueType;
use gguf::write::{Builder, OwnedValue};

use super::{Folder, bytes, tensor_type};

fn gguf_file() -> Builder {
    let mut file = Builder::new();
    file.value(
        "imatrix.datasets",
        OwnedValue::Array(ValueType::String, vec!["a.txt".into(), "b.txt".into()]),
    );
    file.value("imatrix.chunk_count", OwnedValue::U32(20));
    file.value("imatrix.chunk_size", OwnedValue::U32(512));
    let f32 = tensor_type("F32");
    // Two experts, of which the second was never used.
    file.tensor("w.in_sum2", &[2, 2], f32, bytes(&[4.0, 8.0, 0.0, 0.0]));
    file.tensor("w.counts", &[1, 2], f32, bytes(&[4.0, 0.0]));
    file
}

fn dat_file(with_tail: bool) -> Vec<u8> {
    let int = |n: i32| n.to_le_bytes();
    let mut out = Vec::new();
    out.extend(int(1));
    out.extend(int(1));
    out.extend(b"w");
    out.extend(int(2));
    out.extend(int(3));
    out.extend(bytes(&[2.0, 4.0, 6.0]));
    if with_tail {
        out.extend(int(7));
        out.extend(int(5));
        out.extend(b"a.txt");
    }
    out
}

#[test]
fn both_formats_are_read() {
    let folder = Folder::new("convert-imatrix");
    let check = |bytes: &[u8], means: &[f32], datasets: &[&str], n_chunks: u32| {
        let path = folder.path("m");
        fs::write(&path, bytes).expect("writable");
        let found = Imatrix::open(&path).expect("readable");
        assert_eq!(found.entries["w"].means(), means);
        assert_eq!(
            (&found.datasets[..], found.n_chunks),
            (&datasets.iter().map(|s| s.to_string()).collect::<Vec<_>>()[..], n_chunks)
        );
    };
    check(&gguf_file().to_bytes().expect("valid"), &[1.0, 2.0, 1.0, 1.0], &["a.txt", "b.txt"], 20);
    check(&dat_file(true), &[1.0, 2.0, 3.0], &["a.txt"], 7);
    check(&dat_file(false), &[1.0, 2.0, 3.0], &[], 0);
}

#[test]
fn broken_files_are_refused() {
    let folder = Folder::new("convert-broken-imatrix");
    let check = |bytes: &[u8], wanted: &str| {
        let path = folder.path("m");
        fs::write(&path, bytes).expect("writable");
        let error = Imatrix::open(&path).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
    };
    let built = |change: &dyn Fn(&mut Builder)| {
        let mut file = gguf_file();
        change(&mut file);
        file.to_bytes().expect("valid")
    };
    let f32 = tensor_type("F32");
    check(
        &built(&|f| drop(f.tensor("v.in_sum2", &[1], f32, vec![0; 4]).clone())),
        "v has sums, but no counts",
    );
    let f16 = tensor_type("F16");
    let halves = |f: &mut Builder| {
        drop(f.tensor("v.in_sum2", &[1], f16, vec![0; 2]).tensor("v.counts", &[1], f32, vec![0; 4]).clone());
    };
    check(&built(&halves), "should be F32");
    let nan = |f: &mut Builder| {
        let data = bytes(&[f32::NAN]);
        drop(f.tensor("v.in_sum2", &[1], f32, data).tensor("v.counts", &[1], f32, bytes(&[1.0])).clone());
    };
    check(&built(&nan), "v has the value NaN");
    let ragged = |f: &mut Builder| {
        drop(f.tensor("v.in_sum2", &[3], f32, vec![0; 12]).tensor("v.counts", &[2], f32, vec![0; 8]).clone());
    };
    check(&built(&ragged), "v has 3 sums and 2 counts");
    check(&Builder::new().to_bytes().expect("valid"), "is it a model?");
    check(b"", "the number of entries needs 4 bytes, 0 are left");
    check(&(-1i32).to_le_bytes(), "a count of -1");
    let whole = dat_file(true);
    for len in
        (0..whole.len()).filter(|len| *len != dat_file(false).len() && *len != dat_file(false).len() + 4)
    {
        check(&whole[..len], "it ends too soon");
    }
    let mut huge = dat_file(false);
    huge[13..17].copy_from_slice(&i32::MAX.to_le_bytes());
    check(&huge, "it ends too soon");
}
