//! The program as users and scripts call it, on a tiny model of random weights: what goes to standard output and what
//! to standard error, and exit codes 0 (fine), 1 (failed) and 2 (wrong usage). Says nothing of a model's quality.

mod tiny;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use gguf::write::OwnedValue;
use serde_json::Value;
use tiny::{N_VOCAB, model};

const TOOLS: &str = r#"[{"type": "function", "function": {"name": "add", "description": "Adds.",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}]"#;

/// A folder with `m.gguf`, `hot.gguf` (its own sampling settings) and `tools.json`, made once for all tests.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("commands");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("m.gguf"), model(&[])).expect("writable");
    let greedy = [("general.sampling.temp", OwnedValue::F32(0.0))];
    fs::write(folder.join("greedy.gguf"), model(&greedy)).expect("writable");
    let wrong = [("general.sampling.temp", OwnedValue::String(b"hot".to_vec()))];
    fs::write(folder.join("hot.gguf"), model(&wrong)).expect("writable");
    fs::write(folder.join("tools.json"), TOOLS).expect("writable");
    let companion = [("general.type", OwnedValue::String(b"mmproj".to_vec()))];
    fs::write(folder.join("mmproj.gguf"), model(&companion)).expect("writable");
    fs::write(folder.join("broken.gguf"), b"GGUF and no more").expect("writable");
    folder
});

/// Exit code, standard output, standard error.
fn llama_rs(args: &[&str], input: impl AsRef<[u8]>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
    command.args(args).current_dir(&*FOLDER);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A program that does not read its input closes it.
    drop(child.stdin.take().expect("piped").write_all(input.as_ref()));
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("only text comes out");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// What succeeds prints exactly this, and says nothing.
fn prints(args: &[&str], input: &str, expected: &str) {
    let found = llama_rs(args, input);
    assert_eq!(found, (0, expected.to_owned(), String::new()), "{args:?}");
}

/// What succeeds prints something, which is returned.
fn output_of(args: &[&str], input: &str) -> String {
    let (code, out, err) = llama_rs(args, input);
    assert_eq!(code, 0, "{args:?}: {err}");
    out
}

/// What fails prints nothing, and says why: all of `what`.
fn fails(args: &[&str], input: impl AsRef<[u8]>, code: i32, what: &[&str]) {
    let (found, out, err) = llama_rs(args, input);
    assert_eq!((found, out.as_str()), (code, ""), "{args:?}: {err}");
    what.iter().for_each(|what| assert!(err.contains(what), "{args:?}: {what} is not in {err}"));
}

#[test]
fn text_becomes_tokens_and_text_again() {
    prints(&["tokenize", "m.gguf", "-p", "ab", "--ids"], "", "[1,100,101]\n");
    prints(&["tokenize", "m.gguf", "--ids", "--no-special"], "a b", "[100,259,101]\n");
    prints(&["tokenize", "m.gguf", "--count"], "ab", "3\n");
    prints(&["tokenize", "m.gguf", "--jsonl"], "\"a\"\n\"\\n\"\n", "[1,100]\n[1,13]\n");
    prints(&["detokenize", "m.gguf", "--no-special"], "[1,100,101]", "ab");
    prints(&["detokenize", "m.gguf", "--jsonl", "--no-special"], "[100]\n[198,172]\n", "\"a\"\n\"é\"\n");
    fails(&["detokenize", "m.gguf"], "[999]", 1, &["999", "260 tokens"]);
    fails(&["tokenize", "m.gguf"], b"a\xff", 1, &["standard input: no UTF-8 text: byte 1"]);
    fails(&["tokenize", "m.gguf", "--jsonl"], "a\n", 1, &["line 1"]);
    fails(&["tokenize", "missing.gguf", "-p", "a"], "", 1, &["error: cannot open missing.gguf: "]);
    prints(&["tokenize", "m.gguf", "-p", "--a_b", "--ids", "--no_special"], "", "[48,48,100,98,101]\n");
    fails(&["tokenize", ".", "-p", "a"], "", 1, &["cannot map .: it is a folder"]);
    fails(&["tokenize", "mmproj.gguf", "-p", "a"], "", 1, &["mmproj.gguf", "goes with a model"]);
    fails(&["tokenize", "broken.gguf", "-p", "a"], "", 1, &["broken.gguf"]);
    fails(&["tokenize", "m.gguf", "--idz"], "", 2, &["--idz"]);
    fails(&["tokenize"], "", 2, &["<MODEL>"]);
}

#[test]
fn a_file_is_described() {
    let described: Value = serde_json::from_str(&output_of(&["info", "m.gguf", "--json"], "")).expect("JSON");
    assert!(described.is_object());
    assert!(output_of(&["info", "m.gguf", "--tensors"], "").contains("blk.0.ffn_down.weight"));
    fails(&["info", "broken.gguf"], "", 1, &["broken.gguf"]);
}

#[test]
fn logits_go_to_a_file() {
    prints(&["eval", "m.gguf", "--tokens", "1,100,101", "--out", "logits.npy"], "", "");
    let file = fs::read(FOLDER.join("logits.npy")).expect("it was written");
    assert!(file.starts_with(b"\x93NUMPY") && file.len() > 3 * N_VOCAB as usize * 4);
    fails(&["eval", "m.gguf", "--tokens", "1,300", "--out", "x.npy"], "", 1, &["300", "260"]);
    fails(&["eval", "m.gguf", "--tokens", "1,x", "--out", "x.npy"], "", 2, &["--tokens"]);
    fails(&["eval", "m.gguf", "--tokens", "1"], "", 2, &["--out"]);
    assert!(!FOLDER.join("x.npy").exists());
}

#[test]
fn where_weights_are_changes_no_logit() {
    let eval = ["eval", "m.gguf", "--tokens", "1,100,101", "--out"];
    prints(&[&eval[..], &["mapped.npy"]].concat(), "", "");
    let mapped = fs::read(FOLDER.join("mapped.npy")).expect("it was written");
    for (i, mode) in [&["-lm", "none"][..], &["--no-mmap"], &["--load-mode", "mmap"]].into_iter().enumerate()
    {
        let out = format!("copied-{i}.npy");
        prints(&[&eval[..], &[&out], mode].concat(), "", "");
        assert!(fs::read(FOLDER.join(out)).expect("it was written") == mapped, "{mode:?}");
    }
    // The system may not allow it, but then says so.
    for mode in ["mlock", "mmap+mlock"] {
        let (code, _, said) = llama_rs(&[&eval[..], &["locked.npy", "-lm", mode]].concat(), "");
        assert!(code == 0 || code == 1 && said.contains("ulimit -l"), "{code} {said}");
    }
    fails(&[&eval[..], &["x.npy", "-lm", "fast"]].concat(), "", 2, &["fast", "mmap+mlock"]);
}

#[test]
fn threads_change_no_logit() {
    // Steps of two tokens, and one of one.
    let eval = ["eval", "m.gguf", "--tokens", "1,100,101", "--chunk", "2", "--out"];
    let logits = |out: &str, threads: &[&str]| {
        prints(&[&eval[..], &[out], threads].concat(), "", "");
        fs::read(FOLDER.join(out)).expect("it was written")
    };
    let one = logits("one.npy", &["-t", "1"]);
    for (out, threads) in [("a.npy", ["-t", "1", "-tb", "3"]), ("b.npy", ["-t", "3", "-tb", "1"])] {
        assert!(logits(out, &threads) == one, "{threads:?}");
    }
}

#[test]
fn speed_is_a_table_or_json() {
    let args = ["bench", "-m", "m.gguf", "-p", "8", "-n", "4", "-r", "1", "-t", "1", "--no-warmup"];
    let table = output_of(&args, "");
    assert!(table.starts_with("| model") && table.contains("pp8") && table.contains("tg4"), "{table}");
    let json = output_of(&[&args[..], &["-o", "json"]].concat(), "");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    let json = output_of(&[&args[..], &["-o", "json", "--bandwidth"]].concat(), "");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert!(json[0]["memory_share"].is_null() && json[1]["memory_share"].as_f64() > Some(0.0), "{json}");
    fails(&["bench", "-m", "missing.gguf", "-o", "json"], "", 1, &["missing.gguf"]);
}

#[test]
fn an_answer_is_all_of_standard_output() {
    let fixed = ["run", "m.gguf", "-t", "1", "--grammar", "root ::= \"yes\" \"!\"?"];
    for more in [&["-p", "Really?"][..], &["--raw", "-p", "Really?"]] {
        let (code, out, err) = llama_rs(&[&fixed[..], more].concat(), "");
        assert!(matches!(out.as_str(), "yes\n" | "yes!\n") && err.is_empty() && code == 0, "{out} {err}");
    }
    assert!(output_of(&fixed, "from a pipe").starts_with("yes"));
    let (_, out, err) = llama_rs(&[&fixed[..], &["-p", "a", "--stats"]].concat(), "");
    assert!(out.starts_with("yes") && err.contains("tokens/s"), "{out} {err}");
    let json = output_of(&["run", "m.gguf", "-t", "1", "-p", "a", "-j", r#"{"type": "boolean"}"#], "");
    assert!(serde_json::from_str::<bool>(&json).is_ok(), "{json}");
    prints(&["run", "m.gguf", "-p", "Hi", "--template"], "", "<|user|>Hi<|assistant|>");
}

#[test]
fn llama_cpps_ways_are_understood() {
    let said = |args: &[&str], input: &str, want: &str| {
        prints(&[args, &["--template"]].concat(), input, &format!("{want}<|assistant|>"));
    };
    said(&["run", "-m", "m.gguf", "-p", "Hi", "-st", "--jinja"], "", "<|user|>Hi");
    said(&["run", "m.gguf", "-p", "no", "-p", r"a\nb\d", "--temp", "-1"], "", "<|user|>a\nb\\d");
    said(&["run", "m.gguf", "-p", r"a\nb", "--no-escape"], "", r"<|user|>a\nb");
    // A file says what it says, but for the line break at its end.
    fs::write(FOLDER.join("said.txt"), "a\\nb\n").expect("writable");
    said(&["run", "m.gguf", "-f", "said.txt"], "", r"<|user|>a\nb");
    said(&["run", "m.gguf"], "from a pipe\n", "<|user|>from a pipe");
    said(&["run", "m.gguf", "-p", "Hi", "-sysf", "said.txt"], "", "<|system|>a\\nb<|user|>Hi");
    said(&["run", "m.gguf", "--chat_template_kwargs={\"a\": 1}", "-p", "Hi"], "", "<|user|>Hi");
    prints(&["tokenize", "-m", "m.gguf", "-p", "ab", "--ids"], "", "[1,100,101]\n");
    said(&["run", "m.gguf", "-p", "--a_b"], "", "<|user|>--a_b");
    said(&["run", "m.gguf", "-p", "- a"], "", "<|user|>- a");
    said(&["run", "m.gguf", "-bf", "said.txt"], "", "<|user|>a\\nb\n");
    said(&["run", "m.gguf", "-p", "Hi", "--in-prefix", r"-\n", "--in-suffix", "!"], "", "<|user|>-\nHi!");
    let speed = ["-fa", "on", "-b", "64", "-ub", "3", "-t", "1", "-tb", "2", "--no-warmup"];
    said(&[&["run", "m.gguf", "-p", "Hi"][..], &speed].concat(), "", "<|user|>Hi");
    for flag in ["-ub", "-b", "-tb"] {
        fails(&["run", "m.gguf", "-p", "a", flag, "0"], "", 2, &["0"]);
    }
    fails(&["run", "m.gguf", "-m", "m.gguf", "-p", "a"], "", 2, &["--model"]);
    fails(&["run", "-p", "a"], "", 2, &["MODEL"]);
}

#[test]
fn the_environment_stands_for_flags() {
    let run = |env: &[(&str, &str)], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
        command.args(args).current_dir(&*FOLDER).envs(env.iter().copied()).stdin(Stdio::null());
        let output = command.output().expect("the program runs");
        assert!(output.status.success(), "{env:?} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let model = ("LLAMA_ARG_MODEL", "m.gguf");
    let template = ("LLAMA_ARG_CHAT_TEMPLATE", "chatml");
    let said = "<|user|>Hi<|assistant|>";
    assert_eq!(run(&[model], &["run", "-p", "Hi", "--template"]), said);
    assert!(run(&[model, template], &["run", "-p", "Hi", "--template"]).starts_with("<|im_start|>"));
    // What is typed wins, also over what it contradicts.
    let missing = ("LLAMA_ARG_MODEL", "missing.gguf");
    assert_eq!(run(&[missing], &["run", "m.gguf", "-p", "Hi", "--template"]), said);
    assert_eq!(run(&[missing], &["run", "-m", "m.gguf", "-p", "Hi", "--template"]), said);
    let ones = [model, template, ("LLAMA_ARG_N_PREDICT", "1"), ("LLAMA_ARG_THINK_BUDGET", "3")];
    assert!(!run(&ones, &["run", "--raw", "-p", "Hi", "-s", "1"]).is_empty());
}

#[test]
fn what_cannot_be_answered_says_why() {
    let run = |more: &[&'static str]| [&["run", "m.gguf"][..], more].concat();
    fails(&["run", "mmproj.gguf", "-p", "a"], "", 1, &["mmproj.gguf", "goes with a model"]);
    fails(&run(&["-p", "a", "-j", "{"]), "", 1, &["--json-schema"]);
    fails(&run(&["-p", "a", "--grammar", "root ::= ["]), "", 1, &["--grammar", "line 1"]);
    fails(&run(&["-p", "a", "--grammar", "tools.json"]), "", 1, &["--grammar-file takes tools.json"]);
    fails(&run(&["-p", "a", "--grammar", "x", "--regex", "y"]), "", 2, &["--regex"]);
    fails(&run(&[]), "", 1, &["standard input is empty"]);
    fails(&run(&["-p", "a", "-f", "b"]), "", 2, &["--prompt", "--file"]);
    fails(&run(&["-f", "missing.txt"]), "", 1, &["missing.txt"]);
    fails(&run(&["-p", "a", "--samplers", "magic"]), "", 1, &["--samplers", "magic"]);
    fails(&run(&["-p", "a", "--temp", "hot"]), "", 2, &["--temp"]);
    fails(&run(&["-p", "a", "--chat-template", "nobodys"]), "", 1, &["nobodys", "chatml"]);
    for what in ["--template", "--reasoning=off", "--chat-template-kwargs={}", "--reasoning-effort=low"] {
        fails(&run(&["-p", "a", "--raw", what]), "", 2, &["--raw"]);
    }
    fails(&run(&["-p", "a", "-c", "99999999999999"]), "", 2, &["--ctx-size", "16777216"]);
    fails(&run(&["-p", "a long prompt", "-c", "8"]), "", 1, &["context 8", "-c N", "/undo"]);
    fs::write(FOLDER.join("latin.txt"), b"caf\xe9").expect("writable");
    for flag in ["-f", "--chat-template-file", "--grammar-file", "-sysf"] {
        fails(&run(&[flag, "latin.txt"]), "hello", 1, &["latin.txt", "byte 3"]);
    }
    let (code, _, err) = llama_rs(&["run", "m.gguf"], b"caf\xe9");
    assert!(code == 1 && err.contains("standard input: no UTF-8 text: byte 3"), "{err}");
    let template = r#"{{ raise_exception("\u001b[31mred") }}"#;
    fails(&run(&["-p", "a", "--chat-template", template]), "", 1, &["\\u{1b}[31mred"]);
}

#[test]
fn a_model_has_its_own_settings_and_flags_win() {
    let text = |model: &str, more: &[&str]| {
        output_of(
            &[&["run", model, "--raw", "-p", "a", "-n", "12", "-t", "1", "--plain"][..], more].concat(),
            "",
        )
    };
    assert_eq!(text("greedy.gguf", &[]), text("m.gguf", &["--temp", "0"]));
    assert_eq!(text("greedy.gguf", &["--temp", "0.8", "-s", "3"]), text("m.gguf", &["-s", "3"]));
    fails(&["run", "hot.gguf", "-p", "a"], "", 1, &["general.sampling.temp", "hot.gguf"]);
}

#[test]
fn calls_of_tools_are_lines_of_json() {
    let grammar =
        r#"root ::= "Sure.<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>""#;
    let run = ["run", "m.gguf", "-t", "1", "-p", "1+1?", "--grammar", grammar];
    let with_tools = [&run[..], &["--tools", "tools.json"]].concat();
    prints(&with_tools, "", "Sure.\n{\"name\":\"add\",\"arguments\":{\"a\":1}}\n");
    // Without tools, nothing is taken for a call.
    assert!(output_of(&run, "").contains("<tool_call>"));
    let prompt = output_of(&["run", "m.gguf", "-p", "a", "--tools", "tools.json", "--template"], "");
    assert!(prompt.contains("\"name\": \"add\""), "{prompt}");
    fails(&["run", "m.gguf", "-p", "a", "--tools", "m.gguf"], "", 1, &["--tools m.gguf"]);
    fails(&["run", "m.gguf", "--raw", "-p", "a", "--tools", "tools.json"], "", 2, &["--raw"]);
}

#[test]
fn thinking_is_limited_and_no_part_of_the_answer() {
    let run = ["run", "m.gguf", "-t", "1", "-p", "a", "--reasoning", "on", "--grammar", "root ::= \"ok\""];
    for budget in ["0", "5"] {
        prints(&[&run[..], &["--reasoning-budget", budget]].concat(), "", "ok\n");
    }
    let gemma = ["run", "m.gguf", "-p", "a", "--chat-template", "gemma"];
    fails(&[&gemma[..], &["--reasoning-effort", "low"]].concat(), "", 1, &["--reasoning-effort", "leave"]);
    let (code, _, err) = llama_rs(&[&gemma[..], &["--reasoning", "off", "--template"]].concat(), "");
    assert!(code == 0 && err.contains("--reasoning changes nothing"), "{err}");
    let plain = ["run", "m.gguf", "-p", "a", "--chat-template", "gemma", "--reasoning-budget", "1"];
    fails(&plain, "", 1, &["--reasoning-budget", "no tags"]);
    fails(&["run", "m.gguf", "-p", "a", "--reasoning-budget", "-2"], "", 2, &["-2"]);
    let whole = ["--reasoning-budget", "0", "--reasoning-format", "none"];
    prints(&[&run[..], &whole].concat(), "", "<think></think>ok\n");
}

/// A disk that is full ends a chat too: nobody could read what would be answered.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error() {
    let run = ["run", "m.gguf", "-t", "1", "--grammar", "root ::= \"yes\""];
    for args in
        [&[&run[..], &["-i"]].concat()[..], &[&run[..], &["-p", "a"]].concat(), &["tokenize", "m.gguf"]]
    {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
        command.args(args).current_dir(&*FOLDER).stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        drop(child.stdin.take().expect("piped").write_all(b"Really?\n"));
        let output = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {err}");
        assert_eq!(err.matches("standard output: No space left").count(), 1, "{args:?}: {err}");
    }
}

/// A program may ask for one line after the other.
#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
    command.args(["tokenize", "m.gguf", "--jsonl"]).current_dir(&*FOLDER);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let (mut input, mut output) = child.stdin.take().zip(child.stdout.take()).expect("piped");
    for _ in 0..2 {
        input.write_all(b"\"a\"\n").expect("the program reads");
        let mut line = [0; 8];
        output.read_exact(&mut line).expect("the program answers");
        assert_eq!(&line, b"[1,100]\n");
    }
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_chat_can_be_piped() {
    let args = ["run", "m.gguf", "-t", "1", "-i", "--grammar", "root ::= \"yes\""];
    let (code, out, err) =
        llama_rs(&args, "Really?\n/tokens\n/nothing\n/clear it\n/undo\n/undo\n/exit \n/help\n");
    assert_eq!((code, out.as_str()), (0, "yes\n"), "{err}");
    assert!(!err.contains("leave; so does Ctrl-D"), "/exit did not end it: {err}");
    for what in ["of 512 tokens", "/nothing", "/clear takes nothing", "nothing has been asked yet"] {
        assert!(err.contains(what), "{what} is not in {err}");
    }
    // A prompt is no command, whatever it begins with, and a failure takes nothing away.
    let (code, out, err) =
        llama_rs(&[&args[..], &["-p", "/exit"]].concat(), "/model broken.gguf\n/regen\n/save chat.json\n");
    assert_eq!((code, out.as_str()), (0, "yes\nyes\n"), "{err}");
    let saved = fs::read_to_string(FOLDER.join("chat.json")).expect("it was saved");
    assert!(saved.contains("/exit") && err.contains("broken.gguf"), "{saved} {err}");
    // With -mli a backslash ends what is said.
    let (code, out, err) =
        llama_rs(&[&args[..], &["-mli", "-v"]].concat(), "Really\nand\\\ntruly\\\n/save many.json\nlast");
    let many = fs::read_to_string(FOLDER.join("many.json")).expect("it was saved");
    assert_eq!((code, out.as_str()), (0, "yes\nyes\nyes\n"), "{err}");
    assert!(
        many.contains(r"Really\nand") && err.contains(r"<|user|>Really\nand<|assistant|>"),
        "{many} {err}"
    );
}

#[test]
fn thoughts_alone_are_no_answer() {
    let run =
        ["run", "m.gguf", "-t", "1", "-p", "a", "--reasoning", "on", "-n", "3", "-s", "1", "--ignore-eos"];
    let (code, out, err) = llama_rs(&run, "");
    assert_eq!((code, out.as_str()), (0, "\n"), "{err}");
    assert!(err.contains("still thinking") && err.contains("--reasoning-budget"), "{err}");
}

/// Where nothing is being answered, Ctrl-C ends the program at once.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_chat_that_waits() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llama-rs"));
    command.args(["run", "m.gguf", "-t", "1", "-i", "--grammar", "root ::= \"yes\""]).current_dir(&*FOLDER);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"Really?\n").expect("the program reads");
    let mut answer = [0; 4];
    child.stdout.take().expect("piped").read_exact(&mut answer).expect("the program answers");
    assert_eq!(&answer, b"yes\n");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}
