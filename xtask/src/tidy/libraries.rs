//! What only the program may do: print, and read the environment. Libraries return data and take configuration.

use super::Finding;
use super::edges::TEST_CRATE;
use super::rust_text::Line;
use super::tree::Tree;

/// The one crate that talks to the person at the terminal.
const PROGRAM: &str = "cli";

const PRINTING: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()"];

pub(super) fn do_not_print(tree: &Tree) -> Vec<Finding> {
    let prints = |line: &Line| PRINTING.iter().any(|call| line.code.contains(call));
    in_libraries(tree, &[PROGRAM], prints, "a library does not print: return the data, `cli` shows it")
}

pub(super) fn do_not_read_the_environment(tree: &Tree) -> Vec<Finding> {
    let reads = |line: &Line| line.code.contains("env::var");
    let what = "a library does not read the environment: take a configuration, `cli` fills it";
    // Tests find other people's models where the environment says.
    in_libraries(tree, &[PROGRAM, TEST_CRATE], reads, what)
}

fn in_libraries(tree: &Tree, except: &[&str], breaks: impl Fn(&Line) -> bool, what: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let is_library =
            file.crate_name().is_some_and(|name| !except.contains(&name)) && file.path.contains("/src/");
        if is_library {
            let found = file.shipped().filter(|(_, line)| breaks(line));
            findings.extend(found.map(|(number, _)| Finding::new(&file.path, number, what)));
        }
    }
    findings
}
