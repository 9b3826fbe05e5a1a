//! Gemma 4: `<|channel>thought..<channel|>`, and calls `<|tool_call>call:name{key:<|"|>value<|"|>}<tool_call|>`.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Named, Shape, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "gemma-4",
    fits: |template| has(template, &["<|tool_call>call:"]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let named = Named { after_name: list(&["{"]), arguments: Arguments::Gemma, ..Named::default() };
    Layout {
        thinking: Some(Thinking { repeats: true, ..Thinking::new("<|channel>thought", "<channel|>") }),
        // The model leaves marks of empty thoughts behind.
        dropped: list(&["<|turn>model\n", "<|channel>", "<channel|>"]),
        calls: Some(Calls {
            call: Tags::new("<|tool_call>call:", "<tool_call|>"),
            shape: Shape::Named(named),
            ..Calls::default()
        }),
    }
}
