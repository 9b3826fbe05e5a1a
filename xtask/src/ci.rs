//! What every change must pass, here and on the machine that checks pull requests: one line a step, cheap steps
//! first, the tests last so that their summary closes the log. Stops at the first failure.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::{cargo, test, tidy};

struct Step {
    name: &'static str,
    work: fn() -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "format", work: || cargo::run(&mut cargo::command(&["fmt", "--all", "--check"])) },
    Step { name: "tidy", work: tidy::run },
    Step { name: "clippy", work: clippy },
    Step { name: "documentation", work: documentation },
    Step { name: "test", work: || test(&[]) },
];

/// # Errors
/// The first step that fails, by name.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    for step in STEPS {
        let start = Instant::now();
        println!("ci: {} ...", step.name);
        (step.work)().with_context(|| format!("ci: {} failed", step.name))?;
        println!("ci: {} passed in {:.1} s", step.name, start.elapsed().as_secs_f64());
    }
    println!("ci: all {} steps passed in {:.1} s", STEPS.len(), start.elapsed().as_secs_f64());
    Ok(())
}

fn clippy() -> Result<()> {
    cargo::run(&mut cargo::command(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn documentation() -> Result<()> {
    let mut doc = cargo::command(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    // Private items are part of these pages, so links to them lead somewhere.
    cargo::run(doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))
}
