//! GigaChat 3: a call is a further message with the role `function call`.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::json::Keys;
use crate::answer::layout::{Calls, Layout, Shape, Tags};

pub(super) const ENTRY: Entry = Entry {
    name: "gigachat-v3",
    fits: |template| {
        has(template, &["<|role_sep|>", "<|message_sep|>"]) && !has(template, &["<|function_call|>"])
    },
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    Layout {
        dropped: list(&["assistant<|role_sep|>\n", "<|message_sep|>"]),
        calls: Some(Calls {
            call: Tags::new("<|message_sep|>\n\nfunction call<|role_sep|>\n", "<|message_sep|>"),
            shape: Shape::Object(Keys::default()),
            ..Calls::default()
        }),
        ..Layout::default()
    }
}
