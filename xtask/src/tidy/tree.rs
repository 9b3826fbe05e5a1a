//! The text files of the repository, as the rules see them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::rust_text::{Line, lines};

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &["target", "node_modules"];
/// Hidden names that belong to the project; the other hidden ones belong to tools.
const HIDDEN: &[&str] = &[".cargo", ".ci", ".github", ".gitignore"];

#[derive(Default)]
pub(super) struct Tree {
    /// Every file and folder, relative to the root, `/` between names.
    pub(super) paths: BTreeSet<String>,
    pub(super) rust: Vec<RustFile>,
    pub(super) manifests: Vec<TextFile>,
    pub(super) documents: Vec<TextFile>,
}

pub(super) struct TextFile {
    pub(super) path: String,
    pub(super) text: String,
}

pub(super) struct RustFile {
    pub(super) path: String,
    pub(super) lines: Vec<Line>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// Adds one file, and the folders it is in.
    pub(super) fn add(&mut self, path: &str, text: impl FnOnce() -> Result<String>) -> Result<()> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        self.paths.extend(ends.map(|end| path[..end].to_owned()));
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.ends_with(".rs") {
            self.rust.push(RustFile { path: path.to_owned(), lines: lines(&text()?) });
        } else if name == "Cargo.toml" {
            self.manifests.push(TextFile { path: path.to_owned(), text: text()? });
        } else if name.ends_with(".md") {
            self.documents.push(TextFile { path: path.to_owned(), text: text()? });
        }
        Ok(())
    }

    fn read_folder(&mut self, root: &Path, folder: &str) -> Result<()> {
        let real = root.join(folder);
        for entry in fs::read_dir(&real).with_context(|| format!("cannot list {}", real.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if SKIPPED.contains(&name.as_str()) || name.starts_with('.') && !HIDDEN.contains(&name.as_str()) {
                continue;
            }
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.read_folder(root, &path)?;
            } else if kind.is_file() {
                let read = || fs::read_to_string(entry.path()).with_context(|| format!("cannot read {path}"));
                self.add(&path, read)?;
            }
        }
        Ok(())
    }
}

impl RustFile {
    /// The folder in `crates/` that the file is in.
    pub(super) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the whole file is only for tests.
    pub(super) fn is_test(&self) -> bool {
        let is_test_name = |part| matches!(part, "tests" | "tests.rs" | "benches" | "examples");
        self.crate_name() == Some("testkit") || self.path.split('/').any(is_test_name)
    }

    /// The lines that users run, with their numbers: none of a test file, and none from the unit tests on,
    /// which end a file.
    pub(super) fn shipped(&self) -> impl Iterator<Item = (usize, &Line)> {
        let opens_tests = |pair: &[Line]| {
            pair[0].code.trim() == "#[cfg(test)]"
                && pair[1].code.contains("mod ")
                && pair[1].code.trim_end().ends_with('{')
        };
        let end = match self.lines.windows(2).position(opens_tests) {
            _ if self.is_test() => 0,
            Some(tests) => tests,
            None => self.lines.len(),
        };
        (1..).zip(&self.lines[..end])
    }
}
