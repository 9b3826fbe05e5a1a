//! Conversations as files: JSON as chat APIs take it, so that others can read them and be read.

use std::path::Path;

use anyhow::{Context, Result, bail};
use chat::{Message, Role, ToolCall};
use gguf::write::AtomicFile;
use serde_json::{Value, json};

use crate::text_file;

pub(super) fn save(messages: &[Message], path: &Path) -> Result<()> {
    let messages: Vec<Value> = messages.iter().map(to_json).collect();
    let text = serde_json::to_string_pretty(&messages)?;
    let mut file = AtomicFile::create(path)?;
    file.append(text.as_bytes())?;
    file.append(b"\n")?;
    Ok(file.sync()?.publish()?)
}

/// # Errors
/// If it is no list of messages; which one is wrong.
pub(super) fn load(path: &Path) -> Result<Vec<Message>> {
    let text = text_file::read(path)?;
    let read = || -> Result<Vec<Message>> {
        let messages: Value = serde_json::from_str(&text)?;
        let Some(messages) = messages.get("messages").unwrap_or(&messages).as_array() else {
            bail!("expected a JSON array of messages, or an object with one as `messages`");
        };
        messages
            .iter()
            .enumerate()
            .map(|(i, value)| from_json(value).with_context(|| format!("message {i}")))
            .collect()
    };
    read().with_context(|| path.display().to_string())
}

fn to_json(message: &Message) -> Value {
    let mut value = json!({ "role": message.role.name(), "content": message.text() });
    if let Some(reasoning) = &message.reasoning {
        value["reasoning_content"] = reasoning.as_str().into();
    }
    if !message.tool_calls.is_empty() {
        let call = |call: &ToolCall| {
            let function = json!({ "name": call.name, "arguments": call.arguments });
            json!({ "id": call.id, "type": "function", "function": function })
        };
        value["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    for (key, text) in [("tool_call_id", &message.tool_call_id), ("name", &message.name)] {
        if let Some(text) = text {
            value[key] = text.as_str().into();
        }
    }
    value
}

fn from_json(value: &Value) -> Result<Message> {
    let Some(role) = value["role"].as_str().and_then(Role::from_name) else {
        bail!("it needs a `role`: system, user, assistant or tool");
    };
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let calls = value["tool_calls"].as_array();
    let content = match &value["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(part_text).collect::<Result<Vec<_>>>()?.join("\n"),
        Value::Null if calls.is_some() => String::new(),
        _ => bail!("it needs a `content`, a string or a list of texts"),
    };
    let call = |call: &Value| {
        let part = |value: &Value| value.as_str().map(str::to_owned);
        let function = &call["function"];
        let arguments = match &function["arguments"] {
            Value::Object(arguments) => Some(Value::Object(arguments.clone()).to_string()),
            other => part(other),
        };
        let Some((name, arguments)) = part(&function["name"]).zip(arguments) else {
            bail!("a tool call needs a `function` with `name` and `arguments`, a string and JSON");
        };
        Ok(ToolCall { id: part(&call["id"]).unwrap_or_default(), name, arguments })
    };
    Ok(Message {
        reasoning: text("reasoning_content"),
        tool_calls: calls.into_iter().flatten().map(call).collect::<Result<_>>()?,
        tool_call_id: text("tool_call_id"),
        name: text("name"),
        ..Message::new(role, content)
    })
}

/// The text of `{"type": "text", "text": ..}`.
fn part_text(part: &Value) -> Result<String> {
    match part["text"].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("its `content` has a part of type {}; only texts can be read", part["type"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        let call =
            ToolCall { id: "1".to_owned(), name: "add".to_owned(), arguments: "{\"a\": 1}".to_owned() };
        for message in [
            Message::new(Role::User, "Hi\n\"there\""),
            Message {
                reasoning: Some("Hm.".to_owned()),
                tool_calls: vec![call],
                ..Message::new(Role::Assistant, "")
            },
            Message {
                tool_call_id: Some("1".to_owned()),
                name: Some("add".to_owned()),
                ..Message::new(Role::Tool, "3")
            },
        ] {
            assert_eq!(from_json(&to_json(&message)).expect("it was written so"), message);
        }
    }

    #[test]
    fn what_others_write_is_read() {
        let parts = json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }]);
        let read = |value: &Value| from_json(value).expect("a message");
        assert_eq!(read(&json!({ "role": "user", "content": parts })).text(), "a\nb");
        let call = json!({ "function": { "name": "add", "arguments": { "a": 1 } } });
        let calling = read(&json!({ "role": "assistant", "content": null, "tool_calls": [call] }));
        assert_eq!((calling.text().as_str(), calling.tool_calls[0].arguments.as_str()), ("", "{\"a\":1}"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for wrong in [
            json!({}),
            json!({ "role": "user" }),
            json!({ "role": "king", "content": "x" }),
            json!({ "role": "user", "content": [{ "type": "image_url" }] }),
            json!({ "role": "assistant", "tool_calls": [{ "function": {} }] }),
        ] {
            assert!(from_json(&wrong).is_err(), "{wrong}");
        }
    }
}
