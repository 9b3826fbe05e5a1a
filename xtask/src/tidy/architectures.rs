//! Architectures are named in their own files. Everything else asks for properties of the model, so that a new
//! architecture is one new file.

use std::collections::BTreeSet;

use super::Finding;
use super::rust_text::Line;
use super::tree::{RustFile, Tree};

const HOME: &str = "crates/model/src/arch/";
const FIX: &str = "ask a property of the model instead, and let its file in crates/model/src/arch answer";

/// Crates where the name of an architecture cannot mean anything else. (For `tokenizer` and `chat`, `llama` is also
/// a vocabulary and a dialect.)
const NAMELESS: &[&str] = &["model", "engine", "backend", "tensor"];
/// Reads the names of other people's files.
const TRANSLATOR: &str = "convert";

pub(super) fn are_not_named_elsewhere(tree: &Tree) -> Vec<Finding> {
    let names = names(tree);
    let mut findings = Vec::new();
    for file in tree.rust.iter().filter(|file| !file.path.starts_with(HOME)) {
        let is_nameless = file.crate_name().is_some_and(|name| {
            NAMELESS.contains(&name.split('-').next().expect("a split has a first part"))
        });
        for (number, line) in file.shipped().filter(|_| is_bound(file)) {
            let named = line.strings.iter().find(|text| is_nameless && names.contains(text.as_str()));
            if let Some(name) = named {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    format!("names the architecture `{name}`: {FIX}"),
                ));
            } else if compares_architecture(line) {
                let what = format!("compares the architecture with a name: {FIX}");
                findings.push(Finding::new(&file.path, number, what));
            }
        }
    }
    findings
}

/// Files named after the architectures; `-` of a name is `_` in its file.
fn names(tree: &Tree) -> BTreeSet<String> {
    let stem = |file: &RustFile| Some(file.path.strip_prefix(HOME)?.strip_suffix(".rs")?.to_owned());
    let stems = tree.rust.iter().filter_map(stem).filter(|stem| stem != "mod" && !stem.contains('/'));
    stems.flat_map(|stem| [stem.replace('_', "-"), stem]).collect()
}

fn is_bound(file: &RustFile) -> bool {
    file.crate_name().is_some_and(|name| name != TRANSLATOR)
}

/// `arch == "..."` and its like; `target_arch = "..."` is about processors.
fn compares_architecture(line: &Line) -> bool {
    let code = line.code.to_lowercase();
    let compares = ["== \"\"", "!= \"\"", "\"\" ==", "\"\" !=", "starts_with(\"\")", "matches!("];
    code.contains("arch")
        && !code.contains("target_arch")
        && !line.strings.is_empty()
        && compares.iter().any(|comparison| code.contains(comparison))
}
