//! Cohere's Command A and R7B: thinking, text and actions between tags of their own; actions are a JSON list.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::json::Keys;
use crate::answer::layout::{Calls, Layout, Shape, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "command-a",
    fits: |template| has(template, &["<|START_ACTION|>"]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let keys = Keys { name: list(&["tool_name"]), arguments: list(&["parameters"]), ..Keys::default() };
    Layout {
        thinking: Some(
            Thinking::new("<|START_THINKING|>", "<|END_THINKING|>")
                .cut_by(&["<|START_TEXT|>", "<|START_ACTION|>"]),
        ),
        dropped: list(&[
            "<|START_TEXT|>",
            "<|END_TEXT|>",
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|END_OF_TURN_TOKEN|>",
        ]),
        calls: Some(Calls {
            section: Tags::new("<|START_ACTION|>", "<|END_ACTION|>"),
            shape: Shape::Object(keys),
            ..Calls::default()
        }),
    }
}
