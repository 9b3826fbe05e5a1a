//! Ctrl-C: asks an answer to stop; a second one before it has stopped ends the program, and so does one where nothing
//! would hear it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

#[cfg(unix)]
use crate::terminal;

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

/// Somebody looks whether it was asked to stop.
static IS_HEARD: AtomicBool = AtomicBool::new(false);
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C asks whoever [hears](hear) instead of ending the program.
pub(crate) fn listen() -> Result<()> {
    let on_signal = || {
        if !IS_HEARD.load(Ordering::SeqCst) || IS_ASKED.swap(true, Ordering::SeqCst) {
            #[cfg(unix)]
            terminal::modes::restore();
            std::process::exit(i32::from(EXIT_CODE));
        }
    };
    ctrlc::set_handler(on_signal).context("cannot listen to Ctrl-C")
}

/// As long as it lives, Ctrl-C only asks.
pub(crate) struct Ear(());

pub(crate) fn hear() -> Ear {
    IS_ASKED.store(false, Ordering::SeqCst);
    IS_HEARD.store(true, Ordering::SeqCst);
    Ear(())
}

impl Ear {
    /// Whether it was asked to stop.
    #[expect(clippy::unused_self, reason = "nobody hears without an ear")]
    pub(crate) fn is_asked(&self) -> bool {
        IS_ASKED.load(Ordering::SeqCst)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        IS_HEARD.store(false, Ordering::SeqCst);
    }
}
