//! A file that becomes shorter while it is mapped: at the next access behind its new end Linux sends SIGBUS, which would
//! end the program without a word. Here it gets one. Other systems use the signal for more, or do not have it.
#![expect(unsafe_code, reason = "handlers of signals are set by a foreign function")]

/// From now on the program says why it ends.
pub(crate) fn explain() {
    // SAFETY: `say_and_end` calls only functions that POSIX allows in a handler.
    unsafe {
        libc::signal(libc::SIGBUS, say_and_end as *const () as libc::sighandler_t);
    }
}

extern "C" fn say_and_end(_: libc::c_int) {
    const TEXT: &[u8] = b"\nerror: a file became shorter while it was read; restore it, and begin again\n";
    // SAFETY: the pointer and the length are those of a constant; nothing runs after `_exit`.
    unsafe {
        libc::write(libc::STDERR_FILENO, TEXT.as_ptr().cast(), TEXT.len());
        libc::_exit(1);
    }
}
