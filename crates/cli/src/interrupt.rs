//! Ctrl-C: asks what is running to stop; a second one before it has stopped ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// What shells show for a program ended by this signal.
const EXIT_CODE: i32 = 130;

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C asks instead of ending the program.
pub(crate) fn listen() -> Result<()> {
    let on_signal = || {
        if IS_ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(EXIT_CODE);
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
