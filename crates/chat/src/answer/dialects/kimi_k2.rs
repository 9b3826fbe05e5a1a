//! Kimi K2: a section of calls, `<|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{..}<|tool_call_end|>`.
//! The model may call before it closes its thinking, and leave out the section.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Calls, Layout, Named, Shape, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "kimi-k2",
    fits: |template| has(template, &["<|tool_calls_section_begin|>", "<|tool_call_begin|>"]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let named =
        Named { after_name: list(&["<|tool_call_argument_begin|>"]), name_in_id: true, ..Named::default() };
    Layout {
        thinking: Some(
            Thinking::new("<think>", "</think>")
                .cut_by(&["<|tool_calls_section_begin|>", "<|tool_call_begin|>"]),
        ),
        dropped: list(&["<|tool_calls_section_end|>"]),
        calls: Some(Calls {
            section: Tags::new("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
            call: Tags::new("<|tool_call_begin|>", "<|tool_call_end|>"),
            shape: Shape::Named(named),
        }),
    }
}
