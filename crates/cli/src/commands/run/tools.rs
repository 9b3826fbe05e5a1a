//! Tools that the model may call: read from a file of definitions as chat APIs take them. Nothing is called here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use chat::Tool;
use serde_json::{Value, json};

/// The tools of a file; none without one.
///
/// # Errors
/// If it is no list of definitions; which one is wrong, and how.
pub(super) fn open(path: Option<&Path>) -> Result<Vec<Tool>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let read = || -> Result<Vec<Tool>> {
        let value: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        let Value::Array(definitions) = &value else {
            bail!("expected a JSON array of tools, found {}", kind(&value));
        };
        let number = |(i, definition)| tool(definition).with_context(|| format!("tool {i}"));
        definitions.iter().enumerate().map(number).collect()
    };
    read().with_context(|| format!("--tools {}", path.display()))
}

/// `{"type": "function", "function": {"name", "description", "parameters"}}`, or what is within.
fn tool(definition: &Value) -> Result<Tool> {
    let definition = definition.get("function").unwrap_or(definition);
    let Some(name) = definition["name"].as_str().filter(|name| !name.is_empty()) else {
        bail!("it needs a `name`, a string");
    };
    let parameters = match definition.get("parameters") {
        Some(Value::Object(parameters)) => Value::Object(parameters.clone()),
        None | Some(Value::Null) => json!({ "type": "object", "properties": {} }),
        Some(other) => {
            bail!("`parameters` of {name} must be a JSON schema, an object; found {}", kind(other))
        }
    };
    let description = definition["description"].as_str().map(str::to_owned);
    Ok(Tool { name: name.to_owned(), description, parameters })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_come_with_and_without_their_wrapper() {
        let bare = json!({ "name": "add", "description": "Adds.", "parameters": { "type": "object" } });
        let expected = Tool {
            name: "add".to_owned(),
            description: Some("Adds.".to_owned()),
            parameters: json!({ "type": "object" }),
        };
        assert_eq!(tool(&bare).expect("a tool"), expected);
        assert_eq!(tool(&json!({ "type": "function", "function": bare })).expect("a tool"), expected);
        for wrong in [json!({}), json!({ "name": "" }), json!({ "name": "a", "parameters": [] }), json!(3)] {
            assert!(tool(&wrong).is_err(), "{wrong}");
        }
    }
}
