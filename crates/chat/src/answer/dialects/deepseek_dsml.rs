//! DeepSeek V3.2 and V4: tags after the token `｜DSML｜`; an argument says whether it is a string.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "deepseek-dsml",
    fits: |template| has(template, &["｜DSML｜"]),
    form: |template| {
        let block = if has(template, &["function_calls"]) { "function_calls" } else { "tool_calls" };
        Form::Layout(layout(block))
    },
};

fn layout(block: &str) -> Layout {
    let tagged = Tagged {
        start: "<｜DSML｜parameter name=\"".to_owned(),
        middle: Middle::Span("\"".to_owned(), ">".to_owned()),
        end: list(&["</｜DSML｜parameter>"]),
        has_cdata: false,
    };
    let named =
        Named { after_name: list(&["\">"]), arguments: Arguments::Tagged(tagged), ..Named::default() };
    Layout {
        thinking: Some(Thinking::new("<think>", "</think>").cut_by(&[&format!("<｜DSML｜{block}>")])),
        calls: Some(Calls {
            section: Tags { start: format!("<｜DSML｜{block}>"), end: format!("</｜DSML｜{block}>") },
            call: Tags::new("<｜DSML｜invoke name=\"", "</｜DSML｜invoke>"),
            shape: Shape::Named(named),
        }),
        ..Layout::default()
    }
}
