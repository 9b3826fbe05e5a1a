//! Formats of JSON schemas that llguidance takes too broadly: days that a year lacks, seconds that a minute lacks, names
//! longer than the protocols allow. A pattern beside the format makes up for it.

use serde_json::{Value, json};

/// 29 February is a day of the years that 4 divides, but for the centuries that 400 does not divide.
macro_rules! date {
    () => {
        concat!(
            "(?:[0-9]{4}-(?:(?:0[13-9]|1[0-2])-[0-9]{2}|02-(?:[01][0-9]|2[0-8]))",
            "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
        )
    };
}

/// A leap second ends a day of universal time. It can be written in other zones too, which is not allowed here.
macro_rules! time {
    () => {
        r"(?:[0-9]{2}:[0-9]{2}:[0-5]|23:59:60(?:\.[0-9]+)?(?:[zZ]|[+-]00:00)$)"
    };
}

/// What texts of the format match besides.
fn pattern(format: &str) -> Option<&'static str> {
    match format {
        "date" => Some(concat!("^", date!(), "$")),
        "time" => Some(concat!("^", time!())),
        "date-time" => Some(concat!("^", date!(), "[tT]", time!())),
        "email" => Some("^[^@]{1,64}@.{1,255}$"),
        "hostname" => Some("^.{1,253}$"),
        _ => None,
    }
}

/// Adds the patterns to a schema and all within it.
pub(crate) fn narrow(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(narrow),
        Value::Object(keywords) => {
            for (keyword, value) in keywords.iter_mut() {
                match (keyword.as_str(), value) {
                    ("const" | "enum" | "default" | "examples", _data) => {}
                    (
                        "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions",
                        Value::Object(schemas),
                    ) => schemas.values_mut().for_each(narrow),
                    (_, value) => narrow(value),
                }
            }
            let Some(pattern) = keywords.get("format").and_then(Value::as_str).and_then(pattern) else {
                return;
            };
            let all = keywords.entry("allOf").or_insert_with(|| json!([]));
            if let Value::Array(all) = all {
                all.push(json!({ "pattern": pattern }));
            }
        }
        _ => {}
    }
}
