//! Rules for every Rust file by itself: heading, length, no unfinished business, `unsafe` only where announced.

use super::Finding;
use super::rust_text::Line;
use super::tree::{RustFile, Tree};

const LINES_MAX: usize = 800;

/// Words that stand for work put off.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

pub(super) fn have_a_heading(tree: &Tree) -> Vec<Finding> {
    let lacks = |file: &&RustFile| heading(file).is_empty();
    let what = "begin the file with `//!`: what it is, and what it is not";
    tree.rust.iter().filter(lacks).map(|file| Finding::new(&file.path, 1, what)).collect()
}

pub(super) fn are_short(tree: &Tree) -> Vec<Finding> {
    let is_table = |file: &RustFile| file.path.contains("/tables/") || heading(file).contains("table");
    let long = tree.rust.iter().filter(|file| file.lines.len() > LINES_MAX && !is_table(file));
    let finding = |file: &RustFile| {
        let what = format!(
            "{} lines, and {LINES_MAX} is the limit: split it by topic; a pure table says so in its `//!`",
            file.lines.len()
        );
        Finding::new(&file.path, LINES_MAX + 1, what)
    };
    long.map(finding).collect()
}

pub(super) fn are_finished(tree: &Tree) -> Vec<Finding> {
    let is_unfinished = |line: &Line| {
        let mut words = line.comment.split(|c: char| !c.is_alphanumeric());
        words.any(|word| UNFINISHED.contains(&word))
            || line.code.contains("todo!(")
            || line.code.contains("unimplemented!(")
    };
    let what = "unfinished: do it now, or say in CHANGELOG.md or an issue what is missing";
    every_line(tree, is_unfinished, what)
}

pub(super) fn keep_unsafe_where_it_is_expected(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust.iter().filter(|file| !announces_unsafe(file)) {
        let what = "`unsafe` in a file that does not announce it: move it to one that is meant for it and begins \
                    with `#![expect(unsafe_code, reason = \"...\")]`";
        let found = (1..).zip(&file.lines).filter(|(_, line)| line.has_word("unsafe"));
        findings.extend(found.map(|(number, _)| Finding::new(&file.path, number, what)));
    }
    findings
}

fn every_line(tree: &Tree, breaks: impl Fn(&Line) -> bool, what: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let found = (1..).zip(&file.lines).filter(|(_, line)| breaks(line));
        findings.extend(found.map(|(number, _)| Finding::new(&file.path, number, what)));
    }
    findings
}

/// The `//!` lines before the first code, whatever attributes of the file stand around them.
fn heading(file: &RustFile) -> String {
    let mut heading = String::new();
    let mut depth = 0;
    for line in &file.lines {
        if depth == 0 && !line.code.trim().is_empty() && !line.code.starts_with("#![") {
            break;
        }
        let count = |bracket| line.code.matches(bracket).count();
        depth = (depth + count('[')).saturating_sub(count(']'));
        if line.comment.starts_with("//!") {
            heading.push_str(&line.comment);
        }
    }
    heading
}

fn announces_unsafe(file: &RustFile) -> bool {
    let code: String = file.lines.iter().flat_map(|line| line.code.split_whitespace()).collect();
    code.contains("#![expect(unsafe_code")
}
