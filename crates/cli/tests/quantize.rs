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

/// Kills a command at moments spread over its run, from before its file begins to about its rename: what has the name is
/// the old file or the new one. Gives how many kills left the old one.
fn kill_often(folder: &Folder, args: &[&str], out: &str, n: u32) -> u32 {
    let started = std::time::Instant::now();
    assert!(run(args, folder.as_path()).status.success(), "{args:?}");
    let whole_run = started.elapsed();
    let expect = fs::read(folder.path(out)).expect("it was made");
    let mut n_old = 0;
    for i in 0..n {
        fs::write(folder.path(out), "old").expect("writable");
        let mut child = llama_rs(args, folder.as_path()).spawn().expect("the program starts");
        thread::sleep(whole_run * (2 * i + 1) / (2 * n));
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        let found = fs::read(folder.path(out)).expect("it is there");
        let is_whole = found == expect || (out.ends_with("imatrix") && is_imatrix(&folder.path(out)));
        assert!(found == b"old" || is_whole, "after kill {i} of {args:?}: {} bytes", found.len());
        n_old += u32::from(found == b"old");
    }
    n_old
}

/// An importance matrix is written again and again while it grows: each time it is whole.
fn is_imatrix(path: &Path) -> bool {
    convert::Imatrix::open(path).is_ok_and(|imatrix| !imatrix.entries.is_empty())
}

/// An importance matrix of a few megabytes, in the older format.
fn imatrix(folder: &Folder) {
    let mut imatrix = convert::Imatrix::default();
    for layer in 0..40 {
        let entry = convert::imatrix::Entry { sums: vec![1.5; 20_000], counts: vec![512.0] };
        imatrix.entries.insert(format!("blk.{layer}.ffn_down.weight"), entry);
    }
    imatrix.write_dat(&folder.path("a.dat"), 512).expect("writable");
}

#[test]
fn a_kill_leaves_the_old_file_or_the_new_one() {
    let folder = Folder::new("cli-kill");
    model(&folder);
    imatrix(&folder);
    for args in [
        &["quantize", "m.gguf", "out.gguf", "Q4_K_M", "2"][..],
        &["gguf", "merge", "m.gguf", "out.gguf"],
        &["imatrix", "--in-file", "a.dat", "-o", "out.gguf"],
    ] {
        kill_often(&folder, args, "out.gguf", KILLS);
    }
}

/// The long form of the test above: 200 kills, `imatrix` running a real model.
#[test]
#[ignore = "takes minutes and a model; run it after changes to how files are written"]
fn two_hundred_kills_leave_no_part_of_a_file() {
    let smollm2 = testkit::cached("smollm2-135m-instruct.gguf");
    let smollm2 = smollm2.to_str().expect("a plain path");
    let folder = Folder::new("cli-kill-long");
    let text: String = (0..400).map(|i| format!("Line {i} of a text that is long enough. ")).collect();
    fs::write(folder.path("text.txt"), text).expect("writable");
    let runs = [
        (80, &["quantize", "--allow-requantize", smollm2, "out.gguf", "Q4_0", "2"][..], "out.gguf"),
        (
            40,
            &[
                "imatrix",
                "-m",
                smollm2,
                "-f",
                "text.txt",
                "-c",
                "64",
                "--chunks",
                "6",
                "--output-frequency",
                "1",
                "-o",
                "out.imatrix",
                "--output-format",
                "gguf",
            ],
            "out.imatrix",
        ),
        (80, &["gguf", "merge", smollm2, "out.gguf"], "out.gguf"),
    ];
    for (n, args, out) in runs {
        let n_old = kill_often(&folder, args, out, n);
        eprintln!("{}: {n} kills, {n_old} left the old file", args[0]);
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

/// A disk of a megabyte, unmounted at the end of the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Self {
        fs::create_dir_all(&at).expect("ours");
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&at).status();
        assert!(done.is_ok_and(|status| status.success()), "only the superuser can mount a small disk");
        Self(at)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
#[ignore = "mounts a small disk, for which it must be run by the superuser"]
fn a_small_disk_is_left_as_it_was() {
    let folder = Folder::new("cli-small-disk");
    model(&folder);
    imatrix(&folder);
    let disk = SmallDisk::mount(folder.path("disk"));
    let target = disk.0.join("out.gguf");
    for args in [
        &["quantize", "m.gguf", "disk/out.gguf", "Q8_0"][..],
        &["gguf", "merge", "m.gguf", "disk/out.gguf"],
        &["gguf", "set", "m.gguf", "llama.block_count=3", "-o", "disk/out.gguf"],
        &["imatrix", "--in-file", "a.dat", "-o", "disk/out.gguf"],
        &["imatrix", "--in-file", "a.dat", "-o", "disk/out.gguf", "--output-format", "dat"],
    ] {
        fs::write(&target, "old").expect("room for three bytes");
        let error = error_of(&run(args, folder.as_path()));
        assert!(error.contains("no space for"), "{args:?}: {error}");
        assert_eq!(fs::read(&target).expect("it is there"), b"old", "{args:?}");
        assert_eq!(fs::read_dir(&disk.0).expect("ours").count(), 1, "{args:?}");
    }
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

/// The system sends this signal to who reads a mapped file behind its new end. Here it is sent while the program waits
/// for the rest of a file.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_becomes_shorter_is_explained() {
    let folder = Folder::new("cli-bus-error");
    model(&folder);
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
    let args = ["quantize", "--tensor-type-file", "pipe", "m.gguf", "out.gguf", "Q8_0"];
    let child = llama_rs(&args, folder.as_path()).spawn().expect("the program starts");
    let writer = fs::OpenOptions::new().write(true).open(&pipe).expect("opens as soon as it is read");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-BUS", &id]).status().expect("kill is there").success());
    let error = error_of(&child.wait_with_output().expect("it ends"));
    assert!(error.contains("a file became shorter while it was read"), "{error}");
    drop(writer);
}
