//! gpt-oss (Harmony): messages with a channel, `<|channel|>analysis<|message|>..<|end|>`; a call names its recipient in
//! the header, before the channel or after it.

use super::{Entry, has};
use crate::answer::Form;
use crate::answer::channels::{Headers, Role};

pub(super) const ENTRY: Entry = Entry {
    name: "gpt-oss",
    fits: |template| has(template, &["<|channel|>", "<|message|>"]),
    form: |_| {
        Form::Headers(Headers {
            start: "<|start|>assistant",
            first: &["<|channel|>", " to=", "<|message|>"],
            message: "<|message|>",
            ends: &["<|end|>", "<|call|>", "<|return|>"],
            role,
            inner: None,
        })
    },
};

fn role(header: &str) -> Role {
    // The model at times begins a second header within the first: the last channel counts.
    let channel = header.rsplit_once("<|channel|>").map_or("", |(_, channel)| channel);
    let recipient =
        header.rsplit_once("to=").map(|(_, name)| name.split(['<', ' ']).next().unwrap_or_default().trim());
    match recipient {
        Some(name) if name.starts_with("functions.") => Role::Call(name["functions.".len()..].to_owned()),
        Some(name) if !matches!(name, "assistant" | "user" | "") => Role::Unknown,
        _ if channel.starts_with("analysis") => Role::Reasoning,
        _ => Role::Content,
    }
}
