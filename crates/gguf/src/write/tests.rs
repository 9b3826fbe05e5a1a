//! The writer against the reader, and against a disk that fails at every point.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use testkit::Folder;

use super::atomic::fault;
use super::{Builder, Header, OwnedValue, Writer};
use crate::{Error, Gguf, Result, TensorType, ValueType};

fn tensor_type(name: &str) -> TensorType {
    TensorType::all().find(|ty| ty.name() == name).expect("a known type")
}

/// Tensors of several types and shapes with sizes that need padding, and their bytes.
fn sample() -> (Header, Vec<Vec<u8>>) {
    let mut header = Header::new();
    header.set("general.name", "sample").set("n", OwnedValue::U32(7));
    let mut data = Vec::new();
    for (name, dims, ty) in [
        ("a", &[3][..], "F32"),
        ("b", &[32, 5], "Q4_0"),
        ("c", &[256, 2, 3], "Q6_K"),
        ("d", &[1, 1, 1, 1], "I8"),
        ("e", &[700], "F16"),
    ] {
        let ty = tensor_type(ty);
        header.tensor(name, dims, ty);
        let n = dims.iter().product::<u64>() / ty.block_len() * ty.block_bytes();
        data.push((0..n).map(|i| (i * 31 + dims.len() as u64) as u8).collect());
    }
    (header, data)
}

fn write(target: &Path, header: &Header, data: &[Vec<u8>]) -> Result<()> {
    let mut writer = Writer::create(target, header)?;
    data.iter().try_for_each(|bytes| writer.append(bytes))?;
    writer.finish()
}

fn check_content(file: &Gguf, header: &Header, data: &[Vec<u8>]) {
    assert_eq!(file.tensors().len(), data.len());
    for ((found, spec), bytes) in file.tensors().iter().zip(header.tensors()).zip(data) {
        assert_eq!((&found.name, &found.dims, found.ty), (&spec.name, &spec.dims, spec.ty));
        assert_eq!(&*file.data(found), &bytes[..], "mapped bytes of {}", found.name);
        let mut read = vec![0; bytes.len() / 2];
        let half = bytes.len() - read.len();
        file.read_at(found, half as u64, &mut read).expect("the file is whole");
        assert_eq!(read, bytes[half..], "read bytes of {}", found.name);
        let copy = file.read(found).expect("the file is whole");
        assert_eq!(&*copy, &bytes[..], "a copy of {}", found.name);
    }
}

#[test]
fn streamed_file_is_the_built_one() {
    let folder = Folder::new("gguf-stream");
    let (header, data) = sample();
    let path = folder.path("m.gguf");
    write(&path, &header, &data).expect("it can be written");
    let mut builder = Builder::new();
    builder.value("general.name", "sample".into()).value("n", OwnedValue::U32(7));
    for (spec, bytes) in header.tensors().iter().zip(&data) {
        builder.tensor(&spec.name, &spec.dims, spec.ty, bytes.clone());
    }
    let bytes = fs::read(&path).expect("it is there");
    assert_eq!(bytes, builder.to_bytes().expect("valid"));
    assert_eq!(bytes.len() as u64, header.file_bytes().expect("valid"));
    check_content(&Gguf::open(&path).expect("it can be read"), &header, &data);
    assert_eq!(folder.names(), ["m.gguf"]);
}

#[test]
fn bytes_may_come_in_any_pieces() {
    let folder = Folder::new("gguf-pieces");
    let (header, data) = sample();
    let path = folder.path("m.gguf");
    let mut writer = Writer::create(&path, &header).expect("a new file");
    for (spec, bytes) in header.tensors().iter().zip(&data) {
        assert_eq!(writer.next_tensor(), Some(&*spec.name));
        bytes.chunks(7).for_each(|piece| writer.append(piece).expect("room"));
    }
    assert_eq!(writer.next_tensor(), None);
    writer.finish().expect("complete");
    check_content(&Gguf::open(&path).expect("it can be read"), &header, &data);
}

#[test]
fn every_kind_of_value_survives() {
    use OwnedValue as V;
    let text = V::String(b"not \xff UTF-8".to_vec());
    let values = [
        V::U8(200),
        V::I8(-100),
        V::U16(60_000),
        V::I16(-30_000),
        V::U32(4_000_000_000),
        V::I32(-2_000_000_000),
        V::F32(-0.5),
        V::Bool(true),
        text.clone(),
        V::U64(u64::MAX),
        V::I64(i64::MIN),
        V::F64(1e300),
        V::Array(ValueType::String, vec![text, "b".into()]),
        V::Array(ValueType::Bool, vec![V::Bool(true), V::Bool(false)]),
        V::Array(ValueType::F32, vec![]),
    ];
    let mut builder = Builder::new();
    for (i, value) in values.iter().enumerate() {
        builder.value(&format!("key {i}"), value.clone());
    }
    let file = Gguf::from_bytes(builder.to_bytes().expect("valid")).expect("readable");
    let found: Vec<V> = file.metadata().iter().map(|(_, value)| value.into()).collect();
    assert_eq!(found, values);
    let again = Header::like(file.metadata());
    assert_eq!(again.get("key 3"), Some(&V::I16(-30_000)));
}

#[test]
fn split_files_are_written_and_read() {
    let folder = Folder::new("gguf-split");
    let (whole, data) = sample();
    let mut headers = vec![Header::new(); 3];
    headers[0] = Header::new();
    headers[0].set("general.name", "sample");
    for (i, spec) in whole.tensors().iter().enumerate() {
        // The first part holds metadata alone, as files made with `--no-tensor-first-split` do.
        headers[1 + i / 3].tensor(&spec.name, &spec.dims, spec.ty);
    }
    let prefix = folder.path("m");
    let mut writer = Writer::create_split(&prefix, headers.clone()).expect("a new file");
    data.iter().for_each(|bytes| writer.append(bytes).expect("room"));
    assert!(folder.names().iter().all(|name| name.ends_with(".tmp")), "{:?}", folder.names());
    writer.finish().expect("complete");
    assert_eq!(folder.names(), ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"]);
    let file = Gguf::open(folder.path("m-00001-of-00003.gguf")).expect("it can be read");
    assert_eq!(file.n_parts(), 3);
    assert_eq!(file.metadata().get::<&str>("general.name").expect("a string"), Some("sample"));
    check_content(&file, &whole, &data);
    let again = Writer::create_split(&prefix, headers).expect_err("a part never replaces a file");
    assert!(again.to_string().contains("m-00001-of-00003.gguf is there already"), "{again}");
}

#[test]
fn broken_splits_are_refused() {
    let folder = Folder::new("gguf-broken-split");
    let part = |no: u16, count: u16, tensors: i32, name: &str| {
        let mut builder = Builder::new();
        builder.value("split.no", OwnedValue::U16(no)).value("split.count", OwnedValue::U16(count));
        builder.value("split.tensors.count", OwnedValue::I32(tensors));
        builder.tensor(name, &[2], tensor_type("F32"), vec![0; 8]);
        builder.to_bytes().expect("valid")
    };
    let check = |files: &[(&str, Vec<u8>)], wanted: &str| {
        for (name, bytes) in files {
            fs::write(folder.path(name), bytes).expect("writable");
        }
        let error = Gguf::open(folder.path(files[0].0)).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
        for (name, _) in files {
            fs::remove_file(folder.path(name)).expect("it was made");
        }
    };
    let (one, two) = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf");
    check(&[(one, part(0, 2, 2, "a"))], "cannot open");
    check(&[(one, part(0, 2, 2, "a")), (two, part(1, 2, 2, "a"))], "\"a\": occurs twice");
    check(
        &[(one, part(0, 2, 3, "a")), (two, part(1, 2, 3, "b"))],
        "the parts hold 2 tensors, the first says 3",
    );
    check(
        &[(one, part(0, 2, 2, "a")), (two, part(0, 2, 2, "b"))],
        "split.no = 0 and split.count = 2; expected 1",
    );
    check(&[(two, part(1, 2, 2, "a"))], "this is part 2 of 2; give the first part");
    check(&[("m.gguf", part(0, 2, 2, "a"))], "its name should end in \"-00001-of-00002.gguf\"");
    check(&[("m-00001-of-05000.gguf", part(0, 5000, 2, "a"))], "5000 parts; at most 4096");
}

#[test]
fn wrong_headers_are_refused() {
    let check = |make: &dyn Fn(&mut Header), wanted: &str| {
        let mut header = Header::new();
        make(&mut header);
        let error = header.file_bytes().expect_err(wanted).to_string();
        assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
    };
    let f32 = tensor_type("F32");
    check(&|h| drop(h.tensor(&"x".repeat(64), &[1], f32).clone()), "at most 63");
    check(&|h| drop(h.tensor("x", &[1], f32).tensor("x", &[1], f32).clone()), "occurs twice");
    check(&|h| drop(h.tensor("x", &[], f32).clone()), "has 0 dimensions");
    check(&|h| drop(h.tensor("x", &[1; 5], f32).clone()), "has 5 dimensions");
    check(&|h| drop(h.tensor("x", &[4, 0], f32).clone()), "empty dimension");
    check(&|h| drop(h.tensor("x", &[u64::MAX, 2], f32).clone()), "overflow");
    check(&|h| drop(h.tensor("x", &[100], tensor_type("Q8_0")).clone()), "not whole Q8_0 blocks");
    check(&|h| drop(h.set(&"k".repeat(65_536), "v").clone()), "at most 65535");
    check(&|h| drop(h.set("general.alignment", OwnedValue::U32(48)).clone()), "not a power of two");
    let mixed = OwnedValue::Array(ValueType::U32, vec!["text".into()]);
    check(&|h| drop(h.set("k", mixed.clone()).clone()), "not of its type");
    let nested = OwnedValue::Array(ValueType::Array, vec![]);
    check(&|h| drop(h.set("k", nested.clone()).clone()), "not of its type");
}

#[test]
fn other_alignments_are_kept() {
    let folder = Folder::new("gguf-alignment");
    let (mut header, data) = sample();
    header.set("general.alignment", OwnedValue::U32(16_384));
    let path = folder.path("m.gguf");
    write(&path, &header, &data).expect("it can be written");
    let file = Gguf::open(&path).expect("it can be read");
    check_content(&file, &header, &data);
    assert!(file.tensors().iter().all(|tensor| tensor.offset().is_multiple_of(16_384)));
}

#[test]
fn wrong_amounts_of_bytes_are_refused() {
    let folder = Folder::new("gguf-amounts");
    let (header, data) = sample();
    let path = folder.path("m.gguf");
    let error = write(&path, &header, &data[..4]).expect_err("a tensor is missing").to_string();
    assert!(error.contains("\"e\": 1400 of its bytes were not written"), "{error}");
    let mut writer = Writer::create(&path, &header).expect("a new file");
    let error = writer.append(&[0; 13]).expect_err("too many").to_string();
    assert!(error.contains("\"a\": 13 bytes were to be written; it needs 12 more"), "{error}");
    drop(writer);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

/// At every point where the disk can fail there is an error, the old file is as it was or the new one whole, and no
/// temporary file remains.
#[test]
fn a_failing_disk_loses_nothing() {
    let folder = Folder::new("gguf-faults");
    let (header, data) = sample();
    let path = folder.path("m.gguf");
    let mut n_failures = 0;
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for n in 0.. {
            fs::write(&path, "old").expect("writable");
            fault::fail_at(n, kind);
            let outcome = write(&path, &header, &data);
            assert_eq!(folder.names(), ["m.gguf"], "after failure {n}");
            let is_old = fs::read(&path).expect("there") == b"old";
            match outcome {
                Ok(()) => {
                    assert!(!is_old);
                    break;
                }
                Err(Error::NoSpace { .. }) => assert!(is_old && kind == ErrorKind::StorageFull),
                // Only the sync of the folder comes behind the rename.
                Err(Error::Io { action: "sync the folder", .. }) => assert!(!is_old),
                Err(_) => assert!(is_old),
            }
            n_failures += 1;
        }
    }
    assert!(n_failures > 20, "only {n_failures} points were tried");
}

#[test]
fn only_regular_writable_files_are_replaced() {
    let folder = Folder::new("gguf-targets");
    let (header, data) = sample();
    let check = |path: &Path, wanted: &str| {
        let error = write(path, &header, &data).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
    };
    check(folder.as_path(), "no regular file");
    check(&folder.path("absent/m.gguf"), "cannot create");
    check(Path::new("/"), "no regular file");
    let locked = folder.path("locked.gguf");
    fs::write(&locked, "old").expect("writable");
    let mut permissions = fs::metadata(&locked).expect("there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).expect("ours");
    check(&locked, "it is read-only");
    assert_eq!(fs::read(&locked).expect("there"), b"old");
}

#[cfg(unix)]
#[test]
fn behind_a_link_the_file_itself_is_replaced() {
    let folder = Folder::new("gguf-links");
    let (header, data) = sample();
    let (link, aim) = (folder.path("link.gguf"), folder.path("aim.gguf"));
    fs::write(&aim, "old").expect("writable");
    std::os::unix::fs::symlink(&aim, &link).expect("links can be made");
    write(&link, &header, &data).expect("it can be written");
    assert!(link.is_symlink());
    check_content(&Gguf::open(&aim).expect("it can be read"), &header, &data);
}

#[test]
fn a_source_cut_short_is_an_error() {
    let folder = Folder::new("gguf-cut");
    let (header, data) = sample();
    let path = folder.path("m.gguf");
    write(&path, &header, &data).expect("it can be written");
    let file = Gguf::open(&path).expect("it can be read");
    let last = file.tensors().last().expect("five");
    fs::OpenOptions::new().write(true).open(&path).expect("there").set_len(last.offset() + 10).expect("ours");
    let error = file.read_at(last, 0, &mut [0; 1400]).expect_err("it is short").to_string();
    assert!(error.contains("was longer when it was opened") && error.contains("1400 bytes"), "{error}");
    let error = file.read(last).expect_err("it is short").to_string();
    assert!(error.contains("was longer when it was opened"), "{error}");
}
