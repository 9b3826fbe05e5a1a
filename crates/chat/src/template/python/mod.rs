//! What Python's jinja2 does and the engine does not: how values become text, `json.dumps`, the methods of strings,
//! dictionaries and lists, tests and filters that differ, `strftime`.

mod clock;
mod filters;
mod format;
mod json;
mod methods;
mod text;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, Output, State};

pub use clock::Moment;
pub(super) use filters::Raised;

/// Makes `env` behave as transformers sets up jinja2; `strftime_now` tells `now`.
pub(super) fn install(env: &mut Environment<'_>) {
    env.set_formatter(print);
    env.set_unknown_method_callback(methods::call);
    filters::install(env);
}

fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => out.write_str(text)?,
        None if value.is_undefined() => {}
        None => out.write_str(&text::str(state, value)?)?,
    }
    Ok(())
}

/// An operation that Python would refuse too.
fn invalid(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

/// Formats a moment, written as [`Moment`] displays it.
pub(super) fn strftime(now: &str, pattern: &str) -> Result<String, Error> {
    Moment::parse(now).ok_or_else(|| invalid("strftime_now: the clock is not set"))?.format(pattern)
}
