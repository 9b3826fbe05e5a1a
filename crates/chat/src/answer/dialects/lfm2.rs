//! LFM2: a Python list of calls, `<|tool_call_start|>[name(key="value")]<|tool_call_end|>`.

use super::{Entry, has};
use crate::answer::Form;
use crate::answer::layout::{Calls, Layout, Shape, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "lfm2",
    fits: |template| has(template, &["<|tool_list_start|>"]) || has(template, &["List of tools: ["]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    Layout {
        thinking: Some(Thinking::new("<think>", "</think>")),
        calls: Some(Calls {
            call: Tags::new("<|tool_call_start|>", "<|tool_call_end|>"),
            shape: Shape::Python,
            ..Calls::default()
        }),
        ..Layout::default()
    }
}
