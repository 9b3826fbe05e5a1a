//! Ctrl-C: asks what is running to stop; a second one before it has stopped ends the program.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// What shells show for a program ended by this signal.
pub(crate) const EXIT_CODE: u8 = 130;

/// The error of what is not whole because the user asked to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C asks instead of ending the program.
pub(crate) fn listen() -> Result<()> {
    let on_signal = || {
        if IS_ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
    };
    ctrlc::set_handler(on_signal).context("cannot listen to Ctrl-C")
}

/// Whether it was asked to stop since the last [`clear`].
pub(crate) fn is_asked() -> bool {
    IS_ASKED.load(Ordering::SeqCst)
}

pub(crate) fn clear() {
    IS_ASKED.store(false, Ordering::SeqCst);
}
