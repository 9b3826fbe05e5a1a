//! Functionary 3.2: `>>>recipient`, a line break, and the message; `all` is the user, every other recipient a tool.

use super::{Entry, has};
use crate::answer::Form;
use crate::answer::channels::{Headers, Role};

pub(super) const ENTRY: Entry = Entry {
    name: "functionary-v3.2",
    fits: |template| has(template, &[">>>all"]),
    form: |_| {
        Form::Headers(Headers {
            start: ">>>",
            first: &[],
            message: "\n",
            ends: &["<|eot_id|>"],
            role,
            inner: None,
        })
    },
};

fn role(header: &str) -> Role {
    match header.trim() {
        "all" => Role::Content,
        name if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) => {
            Role::Call(name.to_owned())
        }
        _ => Role::Unknown,
    }
}
