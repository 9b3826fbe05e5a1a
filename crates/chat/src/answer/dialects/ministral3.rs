//! Ministral 3 and Magistral: `[THINK]..[/THINK]`, then text and `[TOOL_CALLS]name[ARGS]{..}` for each call.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Calls, Layout, Named, Shape, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "ministral-3",
    fits: |template| {
        has(template, &["[SYSTEM_PROMPT]", "[TOOL_CALLS]", "[ARGS]"]) && !has(template, &["[CALL_ID]"])
    },
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let named = Named { after_name: list(&["[ARGS]"]), ..Named::default() };
    Layout {
        thinking: Some(Thinking::new("[THINK]", "[/THINK]")),
        calls: Some(Calls {
            call: Tags::new("[TOOL_CALLS]", ""),
            shape: Shape::Named(named),
            ..Calls::default()
        }),
        ..Layout::default()
    }
}
