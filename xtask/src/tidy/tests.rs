//! Each rule is shown a tree that keeps it and trees that break it; last, the repository itself.

use super::*;

/// Runs one rule on files given as (path, text), and compares the places found, as `path:line`.
#[track_caller]
fn check_rule(rule: Rule, files: &[(&str, &str)], expect: &[&str]) {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.add(path, || Ok((*text).to_owned())).unwrap();
    }
    let found: Vec<_> =
        rule(&tree).iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect();
    assert_eq!(found, expect, "{files:?}");
}

#[test]
fn edges_follow_the_table() {
    let check = |name: &str, section: &str, entry: &str, expect: &[&str]| {
        let text = format!("[package]\nname = \"{name}\"\n[{section}]\nserde = \"1\"\n{entry}\n");
        let manifest = [("Cargo.toml", text.as_str())];
        check_rule(edges::only_allowed, &manifest, expect);
    };
    let broken = &["Cargo.toml:5"];
    check("tensor", "dependencies", "quant.workspace = true", &[]);
    check("model", "dependencies", "backend.workspace = true", broken);
    check("model", "dependencies", "backend = { path = \"../backend\" }", broken);
    check("model", "dependencies", "b = { package = \"backend\", path = \"../backend\" }", broken);
    check("model", "build-dependencies", "backend.workspace = true", broken);
    check("model", "target.'cfg(unix)'.dependencies", "backend.workspace = true", broken);
    check("model", "dependencies", "[dependencies.backend]\nworkspace = true", broken);
    check("model", "dev-dependencies", "backend-cpu.workspace = true", &[]);
    check("model", "dependencies", "backend-cpu.workspace = true", broken);
    check("engine", "dependencies", "backend-cpu.workspace = true", broken);
    check("gguf", "dev-dependencies", "quant.workspace = true", broken);
    check("gguf", "dev-dependencies", "testkit.workspace = true", &[]);
    check("gguf", "dependencies", "testkit.workspace = true", broken);
    check("backend-cuda", "dependencies", "tensor.workspace = true", &[]);
    check("backend-cuda", "dependencies", "backend-cpu.workspace = true", broken);
    check("cli", "dependencies", "backend-cuda.workspace = true", &[]);
    check("cli", "dependencies", "testkit.workspace = true", broken);
    check("newcomer", "dependencies", "", &["Cargo.toml:1"]);
    check_rule(edges::only_allowed, &[("Cargo.toml", "[workspace]\nmembers = []\n")], &[]);
    check_rule(edges::only_allowed, &[("Cargo.toml", "no manifest")], &["Cargo.toml:1"]);
}

#[test]
fn every_file_has_a_heading() {
    let check = |text: &str, expect: &[&str]| check_rule(files::have_a_heading, &[("a.rs", text)], expect);
    check("//! A file.\nfn f() {}", &[]);
    check("#![expect(\n    unsafe_code,\n    reason = \"]\"\n)]\n\n//! A file.\n", &[]);
    check("// Legal text.\n//! A file.\n", &[]);
    check("fn f() {}\n//! Late.", &["a.rs:1"]);
    check("/// Of the item.\nfn f() {}", &["a.rs:1"]);
    check("", &["a.rs:1"]);
}

#[test]
fn long_files_are_tables() {
    let long = "//! A file.\n".to_owned() + &"const A: u8 = 0;\n".repeat(800);
    let table = long.replace("A file", "A table");
    check_rule(files::are_short, &[("src/a.rs", &long)], &["src/a.rs:801"]);
    check_rule(files::are_short, &[("src/tables/a.rs", &long), ("src/b.rs", &table)], &[]);
    check_rule(files::are_short, &[("src/a.rs", long.split_at(long.len() - 17).0)], &[]);
}

#[test]
fn nothing_is_put_off() {
    let check = |text: &str, expect: &[&str]| check_rule(files::are_finished, &[("a.rs", text)], expect);
    check("//! A file.\nlet s = \"TODO\"; // TODOS are words", &[]);
    check("//! A file.\nf(); // TODO: later", &["a.rs:2"]);
    check("/* FIXME */", &["a.rs:1"]);
    check("fn f() { unimplemented!() }", &["a.rs:1"]);
}

#[test]
fn unsafe_is_announced() {
    let check = |text: &str, expect: &[&str]| {
        check_rule(files::keep_unsafe_where_it_is_expected, &[("a.rs", text)], expect);
    };
    check("// unsafe\nlet s = \"unsafe\";", &[]);
    check("#![expect(unsafe_code, reason = \"maps files\")]\nunsafe {}", &[]);
    check("#![expect(\n    unsafe_code,\n    reason = \"maps files\"\n)]\nunsafe {}", &[]);
    check("fn f() {\n    unsafe {}\n}", &["a.rs:2"]);
    check("#[expect(unsafe_code, reason = \"only here\")]\nunsafe fn f() {}", &["a.rs:2"]);
}

#[test]
fn libraries_are_silent() {
    let check = |path: &str, text: &str, expect: &[&str]| {
        check_rule(libraries::do_not_print, &[(path, text)], expect);
    };
    let library = "crates/gguf/src/a.rs";
    check(library, "fn f() {\n    eprintln!(\"x\");\n}", &["crates/gguf/src/a.rs:2"]);
    check(library, "io::stdout().lock();", &["crates/gguf/src/a.rs:1"]);
    check(library, "// println!()\nlet s = \"println!()\";", &[]);
    check(library, "#[cfg(test)]\nmod tests {\n    println!();\n}", &[]);
    check(library, "#[cfg(test)]\nmod tests;\nfn f() { println!() }", &["crates/gguf/src/a.rs:3"]);
    for exempt in
        ["crates/gguf/tests/it/main.rs", "crates/gguf/src/tests.rs", "crates/cli/src/a.rs", "xtask/src/a.rs"]
    {
        check(exempt, "println!();", &[]);
    }
}

#[test]
fn libraries_take_configuration() {
    let rule = libraries::do_not_read_the_environment;
    let check = |path: &str, text: &str, expect: &[&str]| check_rule(rule, &[(path, text)], expect);
    check("crates/engine/src/a.rs", "std::env::var(\"X\")", &["crates/engine/src/a.rs:1"]);
    check("crates/engine/src/a.rs", "use std::env;\nenv::var_os(name)", &["crates/engine/src/a.rs:2"]);
    check("crates/engine/src/a.rs", "env!(\"CARGO_PKG_VERSION\")", &[]);
    check("crates/engine/build.rs", "env::var(\"OUT_DIR\")", &[]);
    check("crates/cli/src/a.rs", "env::var(\"X\")", &[]);
    check("crates/testkit/src/a.rs", "env::var(\"X\")", &[]);
}

#[test]
fn architectures_stay_at_home() {
    let check = |path: &str, text: &str, expect: &[&str]| {
        let arch = ("crates/model/src/arch/command_r.rs", "const NAME: &str = \"command-r\";");
        check_rule(architectures::are_not_named_elsewhere, &[arch, (path, text)], expect);
    };
    let engine = "crates/engine/src/a.rs";
    let broken = &["crates/engine/src/a.rs:1"];
    check(engine, "if hp.arch == \"anything\" {}", broken);
    check(engine, "matches!(architecture, \"a\" | \"b\")", broken);
    check(engine, "let dims = match name { \"command-r\" => 1 };", broken);
    check(engine, "cfg!(target_arch = \"x86_64\")", &[]);
    check(engine, "if unit == \"bytes\" {}", &[]);
    check("crates/backend-cpu/src/a.rs", "f(\"command-r\")", &["crates/backend-cpu/src/a.rs:1"]);
    check("crates/tokenizer/src/a.rs", "row(\"command-r\", RULES)", &[]);
    check("crates/convert/src/hf/a.rs", "if arch == \"CohereForCausalLM\" {}", &[]);
    check("crates/engine/tests/it/a.rs", "if arch == \"command-r\" {}", &[]);
}

#[test]
fn documents_name_what_exists() {
    let check = |text: &str, expect: &[&str]| {
        let files = [
            ("crates/model/src/blocks/moe.rs", "//! Experts."),
            ("STYLE.md", ""),
            ("docs/howto/add-op.md", text),
        ];
        check_rule(documents::name_paths_that_exist, &files, expect);
    };
    let broken = &["docs/howto/add-op.md:1"];
    check("`crates/model/src`, `model/src/blocks/`, `blocks/moe.rs`, `STYLE.md`", &[]);
    check("`crates/model/src/block`", broken);
    check("`crates/modle/`", broken);
    check("`model/src/bricks/`", broken);
    check("`blocks/mlp.rs`", broken);
    check("`STILE.md`", broken);
    check("`application/json`, `cargo test`, `crates/<name>/src`, `crates/backend-*/`", &[]);
    check("`crates/model/src/blocks/NAME.rs`, `blocks/NAME`, `{a,b}/c.rs`, `a::b`, `/v1/models`", &[]);
    check("[style](../../STYLE.md), [page](https://example.org/a), [here](#section)", &[]);
    check("[style](STYLE.md)", broken);
    check("[style](../../STYLE.md#x) and [ops](add-ops.md)", broken);
}

#[test]
fn the_repository_is_tidy() {
    let findings = check(&Tree::read(&repository()).unwrap());
    let findings: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    assert!(findings.is_empty(), "{findings}");
}
