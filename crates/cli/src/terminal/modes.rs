//! The line editor takes the terminal's line discipline and echo, and answers have colours. If a signal ends the program
//! then, the terminal first becomes what it was: otherwise the shell would not show what is typed, or show it dimmed.
#![expect(unsafe_code, reason = "modes of terminals and handlers of signals are set by foreign functions")]

use std::io::{self, IsTerminal};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

static MODES: OnceLock<libc::termios> = OnceLock::new();

/// From now on signals that end the program restore the modes of now. Nothing is done without a capable terminal.
pub(crate) fn keep() {
    if !(io::stderr().is_terminal() && super::is_capable()) {
        return;
    }
    let mut modes = MaybeUninit::uninit();
    // SAFETY: the pointer is that of a variable of this function.
    if unsafe { libc::tcgetattr(libc::STDIN_FILENO, modes.as_mut_ptr()) } != 0 {
        return;
    }
    // SAFETY: it succeeded, so they were written.
    if MODES.set(unsafe { modes.assume_init() }).is_err() {
        return;
    }
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: `restore_and_end` calls only functions that POSIX allows in a handler.
        unsafe {
            if libc::signal(signal, restore_and_end as *const () as libc::sighandler_t) == libc::SIG_IGN {
                // So the caller wants it, as nohup does.
                libc::signal(signal, libc::SIG_IGN);
            }
        }
    }
}

/// Gives the terminal the modes that were kept. Where another program has the terminal, nothing is done.
pub(crate) fn restore() {
    const NO_STYLE_NO_BRACKETED_PASTE_A_CURSOR: &[u8] = b"\x1b[0m\x1b[?2004l\x1b[?25h";
    let Some(modes) = MODES.get() else { return };
    // SAFETY: the pointers are those of constants, or of a static that is never written again.
    unsafe {
        let foreground = libc::tcgetpgrp(libc::STDIN_FILENO);
        if foreground < 0 || foreground == libc::getpgrp() {
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, modes);
            let text = NO_STYLE_NO_BRACKETED_PASTE_A_CURSOR;
            libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len());
        }
    }
}

/// From now on a terminal that goes away ends the program, as SIGHUP does where it is sent and not ignored: the line
/// editor would read from it for ever.
pub(crate) fn end_with_terminal() {
    std::thread::spawn(|| {
        let mut input = libc::pollfd { fd: libc::STDIN_FILENO, events: 0, revents: 0 };
        // SAFETY: the pointer is that of one variable of this function, as the 1 says.
        while unsafe { libc::poll(&raw mut input, 1, -1) } < 0 {
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
        if input.revents & libc::POLLHUP != 0 {
            std::process::exit(128 + libc::SIGHUP);
        }
    });
}

/// While it lives, what is typed waits unseen, and the Enter in it stays one: as a line break it would end no turn.
pub(crate) struct Quiet(libc::termios);

/// None where no modes are kept.
pub(crate) fn quiet() -> Option<Quiet> {
    let kept = *MODES.get()?;
    let mut modes = kept;
    modes.c_lflag &= !libc::ECHO;
    modes.c_iflag &= !libc::ICRNL;
    set(&modes);
    Some(Quiet(kept))
}

impl Drop for Quiet {
    fn drop(&mut self) {
        set(&self.0);
    }
}

fn set(modes: &libc::termios) {
    // SAFETY: the pointer is that of a reference. If it fails, the terminal stays as it is.
    unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, modes) };
}

extern "C" fn restore_and_end(signal: libc::c_int) {
    restore();
    // SAFETY: no memory is concerned. The signal is held back until this returns, and then ends the program.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
