//! Brings a conversation into the form that a template understands: text or parts, objects or JSON text, a system
//! message or none.

use serde_json::{Map, Value as Json, json};

use super::{Capabilities, RenderOptions};
use crate::Error;
use crate::marks::Marker;
use crate::message::{Message, Part, Role, Tool, ToolCall};

/// The messages as the template shall see them.
pub(super) fn messages(
    messages: &[Message],
    capabilities: &Capabilities,
    options: &RenderOptions,
    marker: &Marker,
) -> Result<Json, Error> {
    let mut out = Vec::with_capacity(messages.len());
    // The system text of a template without system messages, for the next message of the user.
    let mut held: Vec<Part> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let is_system = matches!(message.role, Role::System | Role::Developer);
        if is_system && !capabilities.system {
            held.extend(message.content.iter().cloned());
            continue;
        }
        let form = Form { capabilities, options, marker, by_assistant: message.role == Role::Assistant };
        let mut fields = Map::new();
        let role = if is_system { Role::System } else { message.role };
        fields.insert("role".to_owned(), role.name().into());
        let content = match message.role {
            Role::User if !held.is_empty() => {
                form.content(&[std::mem::take(&mut held), message.content.clone()].concat())
            }
            _ => form.content(&message.content),
        };
        fields.insert("content".to_owned(), content);
        if let Some(reasoning) = message.reasoning.as_ref().filter(|text| !text.is_empty()) {
            let text = marker.mark(reasoning, true);
            // The first that is shown: a template that reads several may refuse more than one.
            let field = capabilities.reasoning_fields.first().unwrap_or(&"reasoning_content");
            fields.insert((*field).to_owned(), text.into());
        }
        if !message.tool_calls.is_empty() {
            let calls = message.tool_calls.iter().map(|call| form.call(index, call));
            fields.insert("tool_calls".to_owned(), calls.collect::<Result<Vec<_>, _>>()?.into());
        }
        for (name, value) in [("tool_call_id", &message.tool_call_id), ("name", &message.name)] {
            if let Some(value) = value {
                fields.insert(name.to_owned(), marker.mark(value, false).into());
            }
        }
        out.push(Json::Object(fields));
    }
    if !held.is_empty() {
        let form = Form { capabilities, options, marker, by_assistant: false };
        out.insert(0, json!({ "role": "user", "content": form.content(&held) }));
    }
    Ok(Json::Array(out))
}

/// The declarations of tools.
pub(super) fn tools(tools: &[Tool], marker: &Marker) -> Json {
    let mut list: Json = tools.iter().map(super::tools::declare).collect::<Vec<_>>().into();
    for tool in list.as_array_mut().into_iter().flatten() {
        marker.mark_json(&mut tool["function"]);
    }
    list
}

/// The arguments of a call, which must be an object.
pub(super) fn arguments(index: usize, call: &ToolCall) -> Result<Json, Error> {
    let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    match serde_json::from_str(text) {
        Ok(arguments @ Json::Object(_)) => Ok(arguments),
        Ok(_) => Err(wrong_call(index, &call.name, "its arguments are not a JSON object")),
        Err(error) => Err(wrong_call(index, &call.name, &format!("its arguments are not JSON: {error}"))),
    }
}

struct Form<'a> {
    capabilities: &'a Capabilities,
    options: &'a RenderOptions,
    marker: &'a Marker,
    by_assistant: bool,
}

impl Form<'_> {
    fn content(&self, parts: &[Part]) -> Json {
        let has_media = parts.iter().any(|part| matches!(part, Part::Media(_)));
        let can_be_typed = self.capabilities.typed_content;
        if can_be_typed && (has_media || !self.capabilities.string_content) {
            return parts.iter().map(|part| self.typed(part)).collect::<Vec<_>>().into();
        }
        let texts = parts.iter().map(|part| match part {
            Part::Text(text) => self.marker.mark(text, self.by_assistant),
            Part::Media(_) => self.options.media_marker.clone(),
        });
        texts.collect::<Vec<_>>().join("\n").into()
    }

    fn typed(&self, part: &Part) -> Json {
        match part {
            Part::Text(text) => json!({ "type": "text", "text": self.marker.mark(text, self.by_assistant) }),
            Part::Media(media) => json!({ "type": media.name() }),
        }
    }

    fn call(&self, index: usize, call: &ToolCall) -> Result<Json, Error> {
        let mut arguments = arguments(index, call)?;
        self.marker.mark_json(&mut arguments);
        if !self.capabilities.object_arguments {
            let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
            arguments = self.marker.mark(text, false).into();
        }
        let name = self.marker.mark(&call.name, false);
        let id = self.marker.mark(&call.id, false);
        Ok(json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }))
    }
}

fn wrong_call(index: usize, name: &str, what: &str) -> Error {
    Error::Message { index, what: format!("the call of `{name}` cannot be shown: {what}") }
}
