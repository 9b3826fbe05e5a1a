//! The templates of real models, where `cargo xtask models` puts them.

use std::fs;

/// The text of the template of that file name.
pub(crate) fn template(name: &str) -> String {
    let path = testkit::cached(&format!("templates/{name}"));
    fs::read_to_string(path).expect("a readable file")
}
