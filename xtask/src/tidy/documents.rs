//! Documents name files that exist. Only what looks like a path of this repository is looked up: in backticks, or
//! as the target of a link.

use super::Finding;
use super::tree::{TextFile, Tree};

/// Tells what was, so it may name what is gone.
const HISTORY: &str = "CHANGELOG.md";

pub(super) fn name_paths_that_exist(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in tree.documents.iter().filter(|document| document.path != HISTORY) {
        for (number, line) in (1..).zip(document.text.lines()) {
            let in_backticks = line.split('`').skip(1).step_by(2).filter(|text| is_missing(tree, text));
            let links = link_targets(line).filter(|target| is_broken_link(tree, document, target));
            for path in in_backticks.chain(links) {
                let what = format!("there is no `{path}`: correct the name, or write the file first");
                findings.push(Finding::new(&document.path, number, what));
            }
        }
    }
    findings
}

fn is_missing(tree: &Tree, text: &str) -> bool {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_./-*{}<>,".contains(c);
    if !text.chars().all(is_path) {
        return false;
    }
    let path = known_part(text);
    let Some((first, _)) = path.split_once('/') else {
        return text == path && path.ends_with(".md") && !is_somewhere(tree, path);
    };
    let in_crates = format!("crates/{first}");
    if tree.paths.contains(first) || first == "crates" {
        !tree.paths.contains(path)
    } else if tree.paths.contains(&in_crates) {
        !tree.paths.contains(&format!("crates/{path}"))
    } else {
        path.ends_with(".rs") && !is_somewhere(tree, path)
    }
}

/// The path up to the first name that stands for several: `crates/backend-<gpu>/src` is looked up as `crates`, and
/// `model/src/arch/NAME.rs` as `model/src/arch`.
fn known_part(text: &str) -> &str {
    let stands_for_several = |name: &str| {
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        let is_capital = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_uppercase());
        name.contains(['*', '{', '<', ',']) || is_capital && extension != "md"
    };
    let mut end = 0;
    for name in text.split('/').take_while(|name| !stands_for_several(name)) {
        end += name.len() + 1;
    }
    text[..end.saturating_sub(1)].trim_end_matches('/')
}

fn is_somewhere(tree: &Tree, path: &str) -> bool {
    let ending = format!("/{path}");
    tree.paths.contains(path) || tree.paths.iter().any(|known| known.ends_with(&ending))
}

/// What `[text](target)` points to.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next())
}

fn is_broken_link(tree: &Tree, document: &TextFile, target: &str) -> bool {
    if target.is_empty() || target.contains(':') {
        return false;
    }
    let mut folders: Vec<_> = document.path.split('/').collect();
    folders.pop();
    for name in target.trim_end_matches('/').split('/') {
        match name {
            ".." => drop(folders.pop()),
            "." => {}
            name => folders.push(name),
        }
    }
    !tree.paths.contains(&folders.join("/"))
}
