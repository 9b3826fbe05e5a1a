//! Kimi K3: everything is in sections `<|open|>name<|sep|>..<|close|>name<|sep|>`; an argument has its name and its
//! type in the opening tag.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Middle, Named, Shape, Tagged, Tags, Thinking};

pub(super) const ENTRY: Entry = Entry {
    name: "kimi-k3",
    fits: |template| has(template, &["<|open|>", "<|close|>", "<|sep|>"]),
    form: |_| Form::Layout(layout()),
};

fn layout() -> Layout {
    let tagged = Tagged {
        start: "<|open|>argument key=\"".to_owned(),
        middle: Middle::Span("\"".to_owned(), "<|sep|>".to_owned()),
        end: list(&["<|close|>argument<|sep|>"]),
        has_cdata: false,
    };
    let named = Named {
        after_name: list(&["\""]),
        // The other attributes of the opening tag.
        skip_until: "<|sep|>".to_owned(),
        arguments: Arguments::Tagged(tagged),
        ..Named::default()
    };
    Layout {
        thinking: Some(
            Thinking::new("<|open|>think<|sep|>", "<|close|>think<|sep|>")
                .cut_by(&["<|open|>response<|sep|>"]),
        ),
        dropped: list(&[
            "<|open|>message role=\"assistant\"<|sep|>",
            "<|open|>response<|sep|>",
            "<|close|>response<|sep|>",
            "<|close|>message<|sep|>",
            "<|end_of_msg|>",
        ]),
        calls: Some(Calls {
            section: Tags::new("<|open|>tools<|sep|>", "<|close|>tools<|sep|>"),
            call: Tags::new("<|open|>call tool=\"", "<|close|>call<|sep|>"),
            shape: Shape::Named(named),
        }),
    }
}
