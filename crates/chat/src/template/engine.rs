//! The template engine behind one door: compile, render, and say which limit was hit.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, State};
use serde_json::Value as Json;

use super::python::{self, Moment, Raised};
use super::{Appending, Limits, source, value, worker};
use crate::Error;

const NAME: &str = "chat";

/// The hidden variable from which `strftime_now` reads the time.
const NOW: &str = "__now";

/// A compiled template.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    env: Arc<Environment<'static>>,
    limits: Limits,
}

impl Engine {
    pub(super) fn new(text: &str, limits: &Limits, appending: Appending) -> Result<Self, Error> {
        let text = source::prepare(text, limits, appending)?;
        let all = limits.clone();
        let env = worker::run(limits.stack_bytes, limits.time, move || compile(text, &all))?;
        Ok(Self { env: Arc::new(env), limits: limits.clone() })
    }

    /// Renders with these variables, an object.
    pub(super) fn render(&self, vars: Json, now: Moment) -> Result<String, Error> {
        self.render_within(self.limits.time, vars, now)
    }

    /// As `render`, in another time than the limit.
    pub(super) fn render_within(&self, time: Duration, vars: Json, now: Moment) -> Result<String, Error> {
        let depth = value::depth(&vars);
        if depth > self.limits.value_depth {
            return Err(Error::Depth { depth, limit: self.limits.value_depth });
        }
        let (env, limits) = (Arc::clone(&self.env), self.limits.clone());
        worker::run(limits.stack_bytes, time, move || run(&env, &vars, now, &limits))
    }
}

fn compile(text: String, limits: &Limits) -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    env.set_syntax(syntax.map_err(|error| failure(&error, limits))?);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_fuel(Some(limits.fuel));
    env.set_recursion_limit(limits.recursion);
    python::install(&mut env);
    env.add_function("strftime_now", |state: &State<'_, '_>, pattern: &str| {
        python::strftime(state.lookup(NOW).as_ref().and_then(Value::as_str).unwrap_or_default(), pattern)
    });
    env.add_template_owned(NAME, text).map_err(|error| match error.kind() {
        ErrorKind::OutOfFuel => failure(&error, limits),
        _ => Error::Syntax { line: error.line().unwrap_or(0), message: describe(&error) },
    })?;
    Ok(env)
}

fn run(env: &Environment<'_>, vars: &Json, now: Moment, limits: &Limits) -> Result<String, Error> {
    let Json::Object(vars) = vars else {
        return Err(Error::Engine { message: "the variables of a template are an object".to_owned() });
    };
    let pairs = vars.iter().map(|(name, json)| (name.as_str(), value::from_json(json)));
    let root = Value::from_pairs(pairs.chain([(NOW, Value::from(now.to_string()))]));
    let template = env.get_template(NAME).map_err(|error| failure(&error, limits))?;
    let mut out = Bounded { bytes: Vec::new(), limit: limits.output_bytes, is_full: false };
    let done = template.render_captured_to(root, &mut out).map(drop);
    match done {
        _ if out.is_full => Err(Error::Output { limit: limits.output_bytes }),
        Err(error) => Err(failure(&error, limits)),
        Ok(()) => String::from_utf8(out.bytes).map_err(|error| Error::Engine { message: error.to_string() }),
    }
}

fn failure(error: &minijinja::Error, limits: &Limits) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(at) = cause {
        if let Some(Raised(message)) = at.downcast_ref() {
            return Error::Raised { message: message.clone() };
        }
        if at.downcast_ref::<minijinja::Error>().is_some_and(|e| e.kind() == ErrorKind::OutOfFuel) {
            return Error::Fuel { limit: limits.fuel };
        }
        cause = at.source();
    }
    Error::Render { line: error.line().unwrap_or(0), message: describe(error) }
}

/// Kind and detail, without the line that is said elsewhere.
fn describe(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + text.len() > self.limit {
            self.is_full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
