//! A thread of its own for the engine: with a stack that no accepted template can overflow, and left behind if it
//! takes too long. Fuel ends it soon after.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::Error;

/// Runs `work` with a stack of that size and waits for it no longer than `time`.
pub(super) fn run<T: Send + 'static>(
    stack_bytes: usize,
    time: Duration,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let send = move || drop(sender.send(work()));
    let builder = thread::Builder::new().name("template".to_owned()).stack_size(stack_bytes);
    let thread = builder.spawn(send).map_err(|source| Error::Thread { source })?;
    match receiver.recv_timeout(time) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Error::Time { limit: time }),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let message = match thread.join() {
                Err(panic) => message(panic.as_ref()).to_owned(),
                Ok(()) => "the thread ended without a result".to_owned(),
            };
            Err(Error::Engine { message })
        }
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic")
}
