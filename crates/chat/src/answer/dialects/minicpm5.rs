//! MiniCPM 5: `<function name="f"><param name="key">value</param></function>`.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "minicpm-5",
    fits: |template| has(template, &["<function name=\"", "<param name=\""]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let tagged = Tagged {
        start: "<param name=\"".to_owned(),
        middle: Middle::Text("\">".to_owned()),
        end: list(&["</param>"]),
        has_cdata: true,
    };
    let named =
        Named { after_name: list(&["\">"]), arguments: Arguments::Tagged(tagged), ..Named::default() };
    Layout {
        thinking: Some(Thinking::new("<think>", "</think>")),
        calls: Some(Calls {
            call: Tags::new("<function name=\"", "</function>"),
            shape: Shape::Named(named),
            ..Calls::default()
        }),
        ..Layout::default()
    }
}
