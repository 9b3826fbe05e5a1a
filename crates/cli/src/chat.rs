//! Renders conversations for models whose template is ChatML or Gemma's. The template engine replaces this later.

use std::fmt::Write as _;

use anyhow::{Result, bail};

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    const ALL: [Self; 3] = [Self::System, Self::User, Self::Assistant];

    /// As ChatML and the chat APIs call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) text: String,
}

/// A family of templates this renderer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// With the system message the template itself supplies when a conversation has none.
    ChatMl {
        default_system: Option<String>,
    },
    Gemma,
}

impl Template {
    /// Recognises the template of a model file.
    pub(crate) fn detect(source: Option<&str>) -> Result<Self> {
        let Some(source) = source else {
            bail!("this model has no chat template; use --raw to continue the text as it is");
        };
        if source.contains("<|im_start|>") {
            return Ok(Self::ChatMl { default_system: default_system(source) });
        }
        if source.contains("<start_of_turn>") {
            return Ok(Self::Gemma);
        }
        bail!(
            "this model's chat template is neither ChatML nor Gemma's; use --raw to continue the text as it is"
        );
    }

    /// The text up to where the assistant speaks. Beginning-of-text tokens are the tokenizer's to add.
    pub(crate) fn render(&self, messages: &[Message]) -> String {
        match self {
            Self::ChatMl { default_system } => chat_ml(messages, default_system.as_deref()),
            Self::Gemma => gemma(messages),
        }
    }
}

/// The system message that a ChatML template contains as a literal.
fn default_system(source: &str) -> Option<String> {
    let start = ["<|im_start|>system\\n", "<|im_start|>system\n"]
        .iter()
        .filter_map(|mark| source.find(mark).map(|at| at + mark.len()))
        .find(|&at| !source[at..].starts_with(['\'', '"', '{']))?;
    let text = &source[start..start + source[start..].find("<|im_end|>")?];
    (!text.contains(['{', '}', '\'', '"'])).then(|| text.replace("\\n", "\n"))
}

fn chat_ml(messages: &[Message], default_system: Option<&str>) -> String {
    let mut out = String::new();
    let mut turn = |role: &str, text: &str| {
        write!(out, "<|im_start|>{role}\n{text}<|im_end|>\n").expect("a string takes any text");
    };
    if let (Some(system), false) = (default_system, messages.first().is_some_and(|m| m.role == Role::System))
    {
        turn("system", system);
    }
    for message in messages {
        turn(message.role.name(), &message.text);
    }
    out.push_str("<|im_start|>assistant\n");
    out
}

/// Gemma has no system role: the system message opens the first user turn.
fn gemma(messages: &[Message]) -> String {
    let mut out = String::new();
    let mut system = String::new();
    for message in messages {
        let role = match message.role {
            Role::System => {
                system = format!("{}\n\n", message.text.trim());
                continue;
            }
            Role::User => "user",
            Role::Assistant => "model",
        };
        let text = message.text.trim();
        write!(out, "<start_of_turn>{role}\n{}{text}<end_of_turn>\n", std::mem::take(&mut system))
            .expect("a string takes any text");
    }
    out.push_str("<start_of_turn>model\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: Role, text: &str) -> Message {
        Message { role, text: text.into() }
    }

    #[test]
    fn conversations_are_rendered() {
        let chat =
            [message(Role::User, "Hi"), message(Role::Assistant, "Hello"), message(Role::User, "Bye ")];
        let check = |template: &str, messages: &[Message], want: &str| {
            let template = Template::detect(Some(template)).expect("a known template");
            assert_eq!(template.render(messages), want);
        };
        check(
            "{{ '<|im_start|>system\\nBe kind<|im_end|>\\n' }}",
            &chat[..1],
            "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        );
        check(
            "{{'<|im_start|>' + message['role']}}",
            &[message(Role::System, "S"), message(Role::User, "U")],
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n",
        );
        check(
            "<start_of_turn>",
            &chat,
            "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n\
             <start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
        );
    }

    #[test]
    fn unknown_templates_are_refused() {
        for template in [None, Some("[INST] {{ x }} [/INST]")] {
            let error = Template::detect(template).expect_err("unknown").to_string();
            assert!(error.contains("--raw"), "{error}");
        }
    }
}
