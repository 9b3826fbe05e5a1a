//! Tools for templates that have no place for them: they are declared in the system message, and earlier calls and
//! their results become text. The form is the one that most open models were trained on.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::Capabilities;
use crate::Error;
use crate::message::{Message, Part, Role, Tool};

/// The conversation with all about tools that the template cannot show written as text.
pub(super) fn as_text<'a>(
    messages: &'a [Message],
    tools: &[Tool],
    capabilities: &Capabilities,
) -> Result<Cow<'a, [Message]>, Error> {
    let declares = !tools.is_empty() && !capabilities.tools;
    let is_about_tools = |message: &Message| message.role == Role::Tool || !message.tool_calls.is_empty();
    let rewrites = !capabilities.tool_calls && messages.iter().any(is_about_tools);
    if !declares && !rewrites {
        return Ok(Cow::Borrowed(messages));
    }
    let mut out = messages.to_vec();
    if rewrites {
        out.iter_mut().enumerate().try_for_each(|(index, message)| rewrite(index, message))?;
    }
    if declares {
        let text = declaration(tools, !capabilities.tool_calls);
        match out.first_mut().filter(|first| matches!(first.role, Role::System | Role::Developer)) {
            Some(first) => first.content.push(Part::Text(format!("\n{text}"))),
            None => out.insert(0, Message::new(Role::System, text)),
        }
    }
    Ok(Cow::Owned(out))
}

fn declaration(tools: &[Tool], explains: bool) -> String {
    let list: Vec<String> = tools.iter().map(|tool| declare(tool).to_string()).collect();
    let mut text = format!("You may call these tools:\n<tools>\n{}\n</tools>", list.join("\n"));
    if explains {
        text.push_str(
            "\nTo call one, answer with a JSON object in <tool_call></tool_call> tags, once for each call:\n\
             <tool_call>\n{\"name\": \"the tool's name\", \"arguments\": {\"its\": \"arguments\"}}\n</tool_call>",
        );
    }
    text
}

/// As every API declares a tool.
pub(super) fn declare(tool: &Tool) -> Json {
    json!({ "type": "function", "function": {
        "name": tool.name,
        "description": tool.description.clone().unwrap_or_default(),
        "parameters": tool.parameters,
    } })
}

fn rewrite(index: usize, message: &mut Message) -> Result<(), Error> {
    if message.role == Role::Tool {
        message.role = Role::User;
        let text = format!("<tool_response>\n{}\n</tool_response>", message.text());
        message.content = vec![Part::Text(text)];
        (message.tool_call_id, message.name) = (None, None);
    }
    for call in std::mem::take(&mut message.tool_calls) {
        let arguments = super::normalize::arguments(index, &call)?;
        let json = json!({ "name": call.name, "arguments": arguments });
        message.content.push(Part::Text(format!("<tool_call>\n{json}\n</tool_call>")));
    }
    Ok(())
}
