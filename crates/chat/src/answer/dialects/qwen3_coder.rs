//! Qwen3-Coder, Qwen 3.5, Nemotron 3 Nano, Step 3.5: `<function=name>` with `<parameter=key>` in `<tool_call>`, which
//! Qwen3-Coder at times leaves out.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "qwen3-coder",
    fits: |template| has(template, &["<tool_call>", "<function=", "<parameter="]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let tagged = Tagged {
        start: "<parameter=".to_owned(),
        middle: Middle::Text(">".to_owned()),
        end: list(&["\n</parameter>", "</parameter>"]),
        has_cdata: false,
    };
    let named = Named { after_name: list(&[">"]), arguments: Arguments::Tagged(tagged), ..Named::default() };
    Layout {
        thinking: Some(Thinking::new("<think>", "</think>").cut_by(&["<tool_call>"])),
        dropped: list(&["</tool_call>"]),
        calls: Some(Calls {
            section: Tags::new("<tool_call>", "</tool_call>"),
            call: Tags::new("<function=", "</function>"),
            shape: Shape::Named(named),
        }),
    }
}
