//! What strangers can hand to llama-rs, as functions of bytes: one file a target in `targets/`. A target panics where
//! llama-rs breaks a promise and returns where it keeps it, be that by an answer or by an error. It knows no engine of
//! fuzzing: `main.rs` has one look for inputs, the tests replay those that are kept in `corpus/`.

mod input;
mod small;
mod targets;

/// One kind of input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Of the target and of its folder in `corpus/`.
    pub name: &'static str,
    /// Uses an input as llama-rs would; panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Whether code of others may panic in it, which is caught and becomes an error.
    pub catches_panics: bool,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("gguf", targets::gguf::run),
    target("vocabulary", targets::vocabulary::run),
    target("tokenize", targets::tokenize::run),
    target("detokenize", targets::detokenize::run),
    target("template", targets::template::run),
    target("answer", targets::answer::run),
    target("gbnf", targets::gbnf::run),
    Target { catches_panics: true, ..target("schema", targets::schema::run) },
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, catches_panics: false }
}

/// The target of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
