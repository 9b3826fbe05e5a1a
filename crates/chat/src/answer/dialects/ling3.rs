//! Ling 3 (and GLM 4.5 on, whose calls are the same): `<tool_call>name`, then `<arg_key>` and `<arg_value>` in turn.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "ling-3",
    fits: |template| has(template, &["<arg_key>", "<arg_value>", "<tool_call>", "<think>"]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let tagged = Tagged {
        start: "<arg_key>".to_owned(),
        middle: Middle::Span("</arg_key>".to_owned(), "<arg_value>".to_owned()),
        end: list(&["</arg_value>"]),
        has_cdata: false,
    };
    let named = Named {
        after_name: list(&["<arg_key>", "</tool_call>", "\n"]),
        arguments: Arguments::Tagged(tagged),
        ..Named::default()
    };
    Layout {
        thinking: Some(Thinking::new("<think>", "</think>").cut_by(&["<tool_call>"])),
        dropped: list(&["<role>ASSISTANT</role>", "<|role_end|>"]),
        calls: Some(Calls {
            call: Tags::new("<tool_call>", "</tool_call>"),
            shape: Shape::Named(named),
            ..Calls::default()
        }),
    }
}
