//! The rules of the house that neither rustc nor clippy knows: which crate may know which, how long a file may be,
//! what a library must not do, that documents name files which exist. Each rule is a function from a [`Tree`] to
//! [`Finding`]s, so that tests can show it a tree that breaks it.

use std::fmt;

use anyhow::{Result, ensure};

use crate::repository;
use tree::Tree;

mod architectures;
mod documents;
mod edges;
mod files;
mod libraries;
mod rust_text;
#[cfg(test)]
mod tests;
mod tree;

type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[Rule] = &[
    edges::only_allowed,
    files::have_a_heading,
    files::are_short,
    files::are_finished,
    files::keep_unsafe_where_it_is_expected,
    libraries::do_not_print,
    libraries::do_not_read_the_environment,
    architectures::are_not_named_elsewhere,
    documents::name_paths_that_exist,
];

/// One place that breaks one rule, and the way out.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Checks the whole repository.
///
/// # Errors
/// Anything found: all of it is printed first.
pub(crate) fn run() -> Result<()> {
    let findings = check(&Tree::read(&repository())?);
    for finding in &findings {
        eprintln!("{finding}");
    }
    ensure!(findings.is_empty(), "tidy: {} places break a rule of STYLE.md, listed above", findings.len());
    Ok(())
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}
