//! Muse Glimmer: messages with a recipient, ` to=self<|message|>..<|eom|>` for thinking; calls are tags in a message
//! to a tool.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::channels::{Headers, Role};
use crate::answer::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags};

pub(super) const ENTRY: Entry = Entry {
    name: "muse-glimmer",
    fits: |template| has(template, &["<atem:function_calls>"]),
    form: |_| {
        Form::Headers(Headers {
            start: "<|start|>assistant",
            first: &[" to=", "<|message|>"],
            message: "<|message|>",
            ends: &["<|eom|>", "<|eot|>"],
            role,
            inner: Some(layout()),
        })
    },
};

fn role(header: &str) -> Role {
    match header.rsplit_once("to=").map(|(_, name)| name.trim()) {
        Some("self") => Role::Reasoning,
        _ => Role::Inner,
    }
}

fn layout() -> Layout {
    let tagged = Tagged {
        start: "<atem:parameter name=\"".to_owned(),
        middle: Middle::Text("\">".to_owned()),
        end: list(&["</atem:parameter>"]),
        has_cdata: false,
    };
    let named =
        Named { after_name: list(&["\">"]), arguments: Arguments::Tagged(tagged), ..Named::default() };
    Layout {
        calls: Some(Calls {
            section: Tags::new("<atem:function_calls>", "</atem:function_calls>"),
            call: Tags::new("<atem:invoke name=\"", "</atem:invoke>"),
            shape: Shape::Named(named),
        }),
        ..Layout::default()
    }
}
