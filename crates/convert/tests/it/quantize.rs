//! Quantizing: the bytes are those of the encoder whatever the threads, the options do what they say, faults lose nothing.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use convert::imatrix::Entry;
use convert::quantize::{Options, Override, Plan, TensorRule, run, weight_type};
use convert::{Imatrix, Mix, Result};
use gguf::Gguf;
use gguf::write::{Builder, OwnedValue};
use quant::DType;

use super::{Folder, bytes, model, open, small_model, tensor_type, weights};

fn quantize_with(n_threads: usize, source: &Gguf, options: &Options, target: &Path) -> Result<()> {
    let plan = Plan::new(source, options)?;
    let n_threads = NonZero::new(n_threads).expect("some threads");
    let mut last = 0;
    run(source, &plan, options, target, n_threads, &mut |progress| {
        assert!(progress.done_bytes > last && progress.done_bytes <= progress.total_bytes);
        last = progress.done_bytes;
    })?;
    assert_eq!(last, plan.from_bytes());
    Ok(())
}

fn quantize(source: &Gguf, options: &Options, target: &Path) -> Result<()> {
    quantize_with(2, source, options, target)
}

fn to(mix: Mix) -> Options {
    Options { mix: Some(mix), ..Options::default() }
}

/// Random importance for these tensors: matrices of rows.
fn imatrix(tensors: &[(&str, usize, usize)]) -> Option<(Imatrix, PathBuf)> {
    let entry = |(name, n, matrices): &(&str, usize, usize)| {
        let sums = weights(&format!("{name}.importance"), n * matrices).iter().map(|x| x * x).collect();
        ((*name).to_owned(), Entry { sums, counts: vec![2.0; *matrices] })
    };
    let entries: BTreeMap<_, _> = tensors.iter().map(entry).collect();
    let imatrix = Imatrix { entries, datasets: vec!["text".into()], n_chunks: 3, ..Imatrix::default() };
    Some((imatrix, "im.gguf".into()))
}

fn check_refused(source: &Gguf, options: &Options, wanted: &str) {
    let folder = Folder::new("convert-refused");
    let target = folder.path("out.gguf");
    let error = quantize(source, options, &target).expect_err(wanted).to_string();
    assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
    assert!(folder.names().is_empty(), "{wanted}: {:?}", folder.names());
}

#[test]
fn bytes_are_those_of_the_encoder() {
    let folder = Folder::new("convert-bytes");
    let tall = ("blk.0.attn_k.weight", &[256, 3000][..]);
    let source = open(&model(&[("token_embd.weight", &[256, 8]), tall, ("blk.0.ffn_up.bias", &[7])]));
    for mix in [Mix::Q8_0, Mix::Q4_K_M, Mix::Q4_0, Mix::F16, Mix::F32] {
        let plan = Plan::new(&source, &to(mix)).expect("a plan");
        let mut files = Vec::new();
        for n_threads in [1, 3] {
            let target = folder.path(&format!("{mix}-{n_threads}.gguf"));
            quantize_with(n_threads, &source, &to(mix), &target).expect("quantized");
            files.push(fs::read(target).expect("it was made"));
        }
        assert!(files[0] == files[1], "{mix}: threads change the file");
        let file = Gguf::from_bytes(files.remove(0)).expect("readable");
        for (planned, found) in plan.tensors.iter().zip(file.tensors()) {
            assert_eq!((&*planned.name, planned.to.name()), (&*found.name, found.ty.name()));
            let x = weights(&planned.name, planned.n_elements() as usize);
            let mut expect = vec![0; planned.to_bytes as usize];
            quant::encode(planned.to, &x, planned.dims[0] as usize, None, &mut expect).expect("encoded");
            assert!(*file.data(found) == expect, "{mix} {}", found.name);
        }
    }
}

#[test]
fn each_expert_has_its_own_importance() {
    let folder = Folder::new("convert-experts");
    let name = "blk.0.ffn_down_exps.weight";
    let source = open(&model(&[("token_embd.weight", &[256, 8]), (name, &[256, 6, 3])]));
    let options = Options { imatrix: imatrix(&[(name, 256, 3)]), pure: true, ..to(Mix::IQ2_XS) };
    let options = Options { token_embedding_type: Some(DType::Q8_0), ..options };
    let target = folder.path("out.gguf");
    quantize(&source, &options, &target).expect("quantized");
    let file = Gguf::open(&target).expect("readable");
    let found = file.data(file.tensor(name).expect("there"));
    let means = options.imatrix.as_ref().expect("given").0.entries[name].means();
    let x = weights(name, 256 * 18);
    for expert in 0..3 {
        let x = &x[expert * 256 * 6..][..256 * 6];
        let mut expect = vec![0; found.len() / 3];
        let importance = &means[expert * 256..][..256];
        quant::encode(DType::IQ2_XS, x, 256, Some(importance), &mut expect).expect("encoded");
        assert!(found[expert * expect.len()..][..expect.len()] == expect, "expert {expert}");
    }
    let metadata = file.metadata();
    assert_eq!(metadata.get("quantize.imatrix.file").expect("a string"), Some("im.gguf"));
    assert_eq!(metadata.get("quantize.imatrix.dataset").expect("a string"), Some("text"));
    assert_eq!(metadata.get("quantize.imatrix.entries_count").expect("a number"), Some(1u32));
    assert_eq!(metadata.get("quantize.imatrix.chunks_count").expect("a number"), Some(3u32));
}

#[test]
fn options_choose_types() {
    let source = open(&small_model());
    let check = |options: &Options, name: &str, expect: DType| {
        let plan = Plan::new(&source, options).expect("a plan");
        let found = plan.tensors.iter().find(|t| t.name == name).expect("there");
        assert_eq!(found.to, expect, "{name} with {options:?}");
    };
    let rule = |text: &str| vec![TensorRule::parse(text).expect("a rule")];
    let (output, embedding) = ("output.weight", "token_embd.weight");
    check(&to(Mix::Q4_K_M), output, DType::Q6_K);
    check(&Options { pure: true, ..to(Mix::Q4_K_M) }, output, DType::Q4_K);
    check(&Options { leave_output: true, ..to(Mix::Q4_K_M) }, output, DType::F32);
    check(&Options { output_type: Some(DType::Q8_0), ..to(Mix::Q4_K_M) }, output, DType::Q8_0);
    check(&to(Mix::Q4_K_M), embedding, DType::Q4_K);
    check(&Options { token_embedding_type: Some(DType::F16), ..to(Mix::Q4_K_M) }, embedding, DType::F16);
    let options = Options { tensor_types: rule(r"blk\.1\..*DOWN=q5_0"), ..to(Mix::Q4_K_S) };
    check(&options, "blk.1.ffn_down.weight", DType::Q5_0);
    check(&options, "blk.2.ffn_down.weight", DType::Q4_K);
    check(&Options::default(), output, DType::F32);
    check(&to(Mix::Q4_K_M), "blk.0.ffn_norm.weight", DType::F32);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    for ty in ["i32", "F64", "q8_1", "Q8_K"] {
        assert!(weight_type(ty).is_err(), "{ty}: no engine multiplies by it");
        assert!(TensorRule::parse(&format!("attn_q={ty}")).is_err());
    }
    assert!(TensorRule::parse("attn_q").is_err());
    assert!(TensorRule::parse("=q8_0").is_err());
    assert!(TensorRule::parse("attn_q=q9").is_err());
    assert!(TensorRule::parse("attn_(=q8_0").is_err());
}

#[test]
fn rows_that_do_not_divide_fall_back() {
    let source = open(&model(&[
        ("blk.0.a.weight", &[64, 2]),
        ("blk.0.b.weight", &[50, 2]),
        ("output.weight", &[256, 2]),
    ]));
    let check = |mix: Mix, expect: [DType; 2]| {
        let plan = Plan::new(&source, &to(mix)).expect("a plan");
        assert_eq!([plan.tensors[1].to, plan.tensors[2].to], expect, "{mix}");
        assert!(plan.tensors[2].is_fallback());
    };
    check(Mix::Q4_K_S, [DType::Q5_0, DType::F16]);
    check(Mix::Q6_K, [DType::Q8_0, DType::F16]);
    check(Mix::IQ4_XS, [DType::IQ4_NL, DType::F16]);
    check(Mix::Q8_0, [DType::Q8_0, DType::F16]);
    check_refused(&source, &to(Mix::Q1_0), "rows of 64 values are no whole blocks of Q1_0");
}

#[test]
fn layers_are_pruned_and_renumbered() {
    let folder = Folder::new("convert-prune");
    let source = open(&small_model());
    let target = folder.path("out.gguf");
    let options = Options { prune: vec![1], ..Options::default() };
    quantize(&source, &options, &target).expect("copied");
    let file = Gguf::open(&target).expect("readable");
    assert_eq!(file.metadata().get("llama.block_count").expect("a number"), Some(2u32));
    assert_eq!(file.tensors().len(), source.tensors().len() - 4);
    let last = file.tensor("blk.1.ffn_down.weight").expect("renumbered");
    let was = source.tensor("blk.2.ffn_down.weight").expect("there");
    assert_eq!(*file.data(last), *source.data(was));
    let importance = imatrix(&[("blk.2.ffn_down.weight", 256, 1)]);
    let options = Options { imatrix: importance, prune: vec![1], ..to(Mix::Q4_K_S) };
    quantize(&source, &options, &target).expect("quantized");
    let options = Options { prune: vec![3], ..Options::default() };
    check_refused(&source, &options, "layer 3 cannot be pruned: the model has layers 0 to 2");
}

#[test]
fn parts_are_kept_or_merged() {
    let folder = Folder::new("convert-parts");
    let source = open(&small_model());
    let parts = convert::edit::plan_split(&source, convert::edit::SplitBy::Tensors(6), false);
    convert::edit::split(&source, &parts, &folder.path("m"), &mut |_, _| ()).expect("split");
    let split = Gguf::open(folder.path("m-00001-of-00003.gguf")).expect("readable");
    let kept = Options { keep_split: true, ..to(Mix::Q8_0) };
    quantize(&split, &kept, &folder.path("kept.gguf")).expect("quantized");
    quantize(&split, &to(Mix::Q8_0), &folder.path("one.gguf")).expect("quantized");
    let kept = Gguf::open(folder.path("kept-00001-of-00003.gguf")).expect("readable");
    let one = Gguf::open(folder.path("one.gguf")).expect("readable");
    assert_eq!((kept.n_parts(), one.n_parts()), (3, 1));
    let only_split_keys = convert::edit::diff(&kept, &one).expect("readable");
    assert_eq!(only_split_keys.len(), 3, "{only_split_keys:?}");
}

#[test]
fn copies_and_quantized_sources() {
    let folder = Folder::new("convert-copy");
    let (small, copy) = (folder.path("small.gguf"), folder.path("copy.gguf"));
    quantize(&open(&small_model()), &to(Mix::Q4_K_M), &small).expect("quantized");
    let source = Gguf::open(&small).expect("readable");
    quantize(&source, &Options::default(), &copy).expect("copied");
    assert!(fs::read(&small).expect("there") == fs::read(&copy).expect("there"));
    check_refused(&source, &to(Mix::Q5_0), "allow requantizing");
    let again = Options { requantize: true, ..to(Mix::Q5_0) };
    quantize(&source, &again, &folder.path("again.gguf")).expect("quantized");
}

#[test]
fn impossible_wishes_are_refused() {
    let source = open(&small_model());
    check_refused(&source, &to(Mix::IQ2_XS), "IQ2_XS is garbage without an importance matrix");
    let other = Options { imatrix: imatrix(&[("blk.0.attn_q.weight", 256, 1)]), ..to(Mix::IQ2_XS) };
    check_refused(&source, &other, "the importance matrix has no values for tensor blk.0.ffn_down.weight");
    let short = Options { imatrix: imatrix(&[("blk.0.attn_q.weight", 128, 1)]), ..to(Mix::Q4_K_M) };
    check_refused(&source, &short, "has 128 values, the tensor needs 256");
    let mut file = model(&[]);
    file.tensor("blk.0.table.weight", &[32, 2], tensor_type("I32"), vec![0; 256]);
    check_refused(&open(&file), &to(Mix::Q8_0), "it holds integers, no weights");
    let experts = Override::parse("llama.expert_count=int:4").expect("a number");
    let lost = open(&model(&[("x.ffn_down.weight", &[256, 2]), ("output.weight", &[256, 2])]));
    let options = Options { overrides: vec![experts], ..to(Mix::Q4_K_M) };
    check_refused(&lost, &options, "the name should begin with blk.N., N below 3");
}

#[test]
fn overrides_are_read() {
    let check = |text: &str, expect: Option<OwnedValue>| {
        assert_eq!(Override::parse(text).ok().map(|o| o.value), expect, "{text}");
    };
    check("a.b=int:7", Some(OwnedValue::U32(7)));
    check("a=float:0.5", Some(OwnedValue::F32(0.5)));
    check("a=bool:true", Some(OwnedValue::Bool(true)));
    check("a=str:x=y:z", Some("x=y:z".into()));
    check("a=int:-7", None);
    check("a=int:4294967296", None);
    check("a=u8:7", None);
    check("a=7", None);
    check("=int:7", None);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut x = weights("x", 256 * 600);
        x[256 * 599] = bad;
        let mut file = model(&[]);
        file.tensor("blk.0.attn_q.weight", &[256, 600], tensor_type("F32"), bytes(&x));
        for mix in [Mix::Q4_K_M, Mix::F16, Mix::F32] {
            check_refused(&open(&file), &to(mix), "tensor blk.0.attn_q.weight: F32: block 153344 holds");
        }
    }
    let mut file = model(&[]);
    file.tensor("blk.0.attn_q.weight", &[256, 2], tensor_type("F32"), bytes(&[1e6; 512]));
    check_refused(&open(&file), &to(Mix::F16), "F16: block 0 holds a NaN or infinite value");
}

#[test]
fn the_source_is_never_the_target() {
    let folder = Folder::new("convert-same");
    let path = folder.path("m.gguf");
    fs::write(&path, small_model().to_bytes().expect("valid")).expect("writable");
    let before = fs::read(&path).expect("there");
    let source = Gguf::open(&path).expect("readable");
    for target in [path.clone(), folder.path("./m.gguf")] {
        let error = quantize(&source, &to(Mix::Q8_0), &target).expect_err("the same file").to_string();
        assert!(error.contains("is the file to be read"), "{error}");
    }
    assert!(fs::read(&path).expect("there") == before);
}

#[test]
fn a_source_cut_short_leaves_the_old_target() {
    let folder = Folder::new("convert-short");
    let (path, target) = (folder.path("m.gguf"), folder.path("out.gguf"));
    let file: &mut Builder = &mut model(&[("blk.0.attn_q.weight", &[256, 4000])]);
    fs::write(&path, file.to_bytes().expect("valid")).expect("writable");
    fs::write(&target, "old").expect("writable");
    let source = Gguf::open(&path).expect("readable");
    fs::OpenOptions::new().write(true).open(&path).expect("there").set_len(1 << 20).expect("ours");
    let error = quantize(&source, &to(Mix::Q8_0), &target).expect_err("it is short").to_string();
    assert!(error.contains("was longer when it was opened"), "{error}");
    assert_eq!(fs::read(&target).expect("there"), b"old");
    assert_eq!(folder.names(), ["m.gguf", "out.gguf"]);
}
