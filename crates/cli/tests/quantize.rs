//! `quantize` and `gguf merge` killed at any moment, on a full disk, and as users call them.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use std::{fs, thread};

use gguf::write::{Builder, OwnedValue};
use gguf::{Gguf, TensorType};
use testkit::Folder;

/// Moments at which a run is killed.
const KILLS: u32 = 6;

/// A model of a few megabytes.
fn model(folder: &Folder) -> PathBuf {
    let path = folder.path("m.gguf");
    let mut file = Builder::new();
    file.value("general.architecture", "llama".into()).value("llama.block_count", OwnedValue::U32(12));
    let f32 = TensorType::all().find(|ty| ty.name() == "F32").expect("a type");
    let data: Vec<u8> = (0..256 * 400u32).flat_map(|i| ((i % 97) as f32 - 48.0).to_le_bytes()).collect();
    for layer in 0..12 {
        file.tensor(&format!("blk.{layer}.ffn_down.weight"), &[256, 400], f32, data.clone());
    }
    fs::write(&path, file.to_bytes().expect("valid")).expect("writable");
    path
}

fn llama_rs(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
    command.args(args).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(args: &[&str], folder: &Path) -> Output {
    llama_rs(args, folder).output().expect("the program starts")
}

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_kill_leaves_the_old_file_or_the_new_one() {
    let folder = Folder::new("cli-kill");
    model(&folder);
    for args in
        [&["quantize", "m.gguf", "out.gguf", "Q4_K_M", "2"][..], &["gguf", "merge", "m.gguf", "out.gguf"]]
    {
        let started = std::time::Instant::now();
        assert!(run(args, folder.as_path()).status.success());
        let whole_run = started.elapsed();
        let expect = fs::read(folder.path("out.gguf")).expect("it was made");
        for i in 0..KILLS {
            fs::write(folder.path("out.gguf"), "old").expect("writable");
            let mut child = llama_rs(args, folder.as_path()).spawn().expect("the program starts");
            // Spread over the run, from before the file begins to about its rename.
            thread::sleep(whole_run * (2 * i + 1) / (2 * KILLS));
            child.kill().expect("it is ours");
            child.wait().expect("it ends");
            let found = fs::read(folder.path("out.gguf")).expect("it is there");
            assert!(found == b"old" || found == expect, "after kill {i} of {args:?}: {} bytes", found.len());
        }
    }
}

#[test]
fn a_full_disk_is_a_clear_error_and_no_file() {
    let folder = Folder::new("cli-full");
    model(&folder);
    // A limit of the size of files acts as a full disk does, and needs no rights.
    let script = format!(
        "trap '' XFSZ; ulimit -f 200; exec {} quantize m.gguf out.gguf Q8_0",
        env!("CARGO_BIN_EXE_llama-rs")
    );
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(folder.as_path()).output().expect("a shell");
    let error = error_of(&output);
    assert!(error.contains("no space for") && error.contains("the file was not made"), "{error}");
    assert_eq!(folder.names(), ["m.gguf"]);
}

#[test]
fn commands_do_what_they_say() {
    let folder = Folder::new("cli-commands");
    model(&folder);
    let ok = |args: &[&str]| {
        let output = run(args, folder.as_path());
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let fails = |args: &[&str], wanted: &str| {
        let error = error_of(&run(args, folder.as_path()));
        assert!(error.contains(wanted), "{args:?}: {error}");
    };
    let table = ok(&["quantize", "--dry-run", "m.gguf", "q4_k_m"]);
    assert!(table.contains("blk.0.ffn_down.weight") && table.contains("bits per weight"), "{table}");
    assert!(ok(&["quantize", "--dry-run", "m.gguf", "IQ1_S"]).contains("An importance matrix is needed"));
    ok(&["quantize", "m.gguf", "q4_k_m", "1"]);
    let made = Gguf::open(folder.path("ggml-model-Q4_K_M.gguf")).expect("the default name");
    assert_eq!(made.metadata().get("general.file_type").expect("a number"), Some(15u32));
    fails(&["quantize", "m.gguf", "m.gguf", "Q8_0"], "is the file to be read");
    fails(&["quantize", "m.gguf", "out.gguf", "IQ1_S"], "garbage without an importance matrix");
    fails(&["quantize", "m.gguf", "out.gguf", "Q9"], "Q9 is not a quantization");
    fails(&["quantize", "absent.gguf", "Q8_0"], "cannot open absent.gguf");
    ok(&["gguf", "split", "m.gguf", "part", "--split-max-tensors", "5"]);
    fails(&["gguf", "split", "m.gguf", "part", "--split-max-tensors", "5"], "is there already");
    ok(&["gguf", "merge", "part-00001-of-00003.gguf", "merged.gguf"]);
    ok(&["gguf", "diff", "m.gguf", "merged.gguf"]);
    assert_eq!(ok(&["gguf", "get", "m.gguf", "llama.block_count"]), "12\n");
    ok(&["gguf", "set", "m.gguf", "llama.block_count=13", "general.name=str:x", "-o", "set.gguf"]);
    ok(&["gguf", "set", "merged.gguf", "llama.block_count=14", "--in-place"]);
    assert_eq!(ok(&["gguf", "get", "merged.gguf", "llama.block_count"]), "14\n");
    fails(&["gguf", "diff", "m.gguf", "set.gguf"], "2 differences");
    fails(&["gguf", "get", "m.gguf", "absent"], "has no key \"absent\"");
    assert!(ok(&["gguf", "dump", "m.gguf"]).contains("\"blk.11.ffn_down.weight\""));
}

/// A target that must not be replaced. Rights mean nothing to the superuser, so the mark of the file itself is tried.
#[test]
fn a_read_only_target_stays() {
    let folder = Folder::new("cli-read-only");
    model(&folder);
    let target = folder.path("out.gguf");
    fs::write(&target, "old").expect("writable");
    let mut permissions = fs::metadata(&target).expect("there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&target, permissions).expect("ours");
    let error = error_of(&run(&["quantize", "m.gguf", "out.gguf", "Q8_0"], folder.as_path()));
    assert!(error.contains("it is read-only"), "{error}");
    assert_eq!(fs::read(&target).expect("there"), b"old");
    let nowhere = error_of(&run(&["quantize", "m.gguf", "no/folder/out.gguf", "Q8_0"], folder.as_path()));
    assert!(nowhere.contains("cannot create"), "{nowhere}");
}

#[test]
fn threads_are_waited_for() {
    let folder = Folder::new("cli-many-threads");
    model(&folder);
    let mut child = llama_rs(&["quantize", "m.gguf", "out.gguf", "Q8_0", "40"], folder.as_path())
        .spawn()
        .expect("it starts");
    for _ in 0..600 {
        if let Some(status) = child.try_wait().expect("ours") {
            return assert!(status.success());
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().expect("it is ours");
    panic!("it hangs");
}
