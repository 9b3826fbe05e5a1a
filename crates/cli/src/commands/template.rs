//! `llama-rs template`: chat templates without a model.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use chat::{Limits, Moment, Template};
use serde_json::{Map, Value};

use crate::template_args::{RenderArgs, TemplateCommand};
use crate::{output, text_file};

pub(crate) fn run(command: &TemplateCommand) -> Result<()> {
    match command {
        TemplateCommand::Render(args) => render(args),
    }
}

/// One JSON object: case name -> text, or null where the template fails. Why it failed goes to standard error.
fn render(args: &RenderArgs) -> Result<()> {
    let name = args.file.display();
    let source = text_file::read(&args.file)?;
    let cases = cases(&args.cases).with_context(|| format!("{}", args.cases.display()))?;
    let now = match args.now {
        Some(now) => now,
        None => now()?,
    };
    let template = Template::strict(&source, &Limits::default());
    if let Err(error) = &template {
        output::note(&format!("{name}: {error}"));
    }
    let mut texts = Map::new();
    for (case, vars) in cases {
        let text = template.as_ref().ok().and_then(|template| match template.render_raw(vars, now) {
            Ok(text) => Some(text),
            Err(error) => {
                output::note(&format!("{name}: case {case}: {error}"));
                None
            }
        });
        texts.insert(case, text.map_or(Value::Null, Value::String));
    }
    output::emit(&format!("{}\n", Value::Object(texts)))
}

/// `[{"name": .., "vars": {..}}, ..]`
fn cases(file: &Path) -> Result<Vec<(String, Map<String, Value>)>> {
    let cases: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let Value::Array(cases) = cases else { bail!("expected an array of cases") };
    let case = |(i, case): (usize, Value)| match case {
        Value::Object(mut case) => match (case.remove("name"), case.remove("vars")) {
            (Some(Value::String(name)), Some(Value::Object(vars))) => Ok((name, vars)),
            _ => bail!("case {i} lacks a `name`, a string, or `vars`, an object"),
        },
        _ => bail!("case {i} is not an object"),
    };
    cases.into_iter().enumerate().map(case).collect()
}

fn now() -> Result<Moment> {
    let since =
        SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970; give --now")?;
    Ok(Moment::from_unix(i64::try_from(since.as_secs())?))
}
