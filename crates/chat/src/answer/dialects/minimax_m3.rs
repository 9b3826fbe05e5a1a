//! MiniMax M3: calls as nested tags, each after the token `]<]minimax[>[`; an argument's tag is its name.

use super::{Entry, has, list};
use crate::answer::Form;
use crate::answer::layout::{Arguments, Calls, Layout, Named, Shape, Tags, Thinking};

pub(super) const ENTRY: Entry =
    Entry { name: "minimax-m3", fits: |template| has(template, &[MARK]), form: |_| Form::Layout(layout()) };

const MARK: &str = "]<]minimax[>[";

fn layout() -> Layout {
    let tag = |text: &str| format!("{MARK}{text}");
    let named = Named {
        after_name: list(&["\">"]),
        arguments: Arguments::Nested(MARK.to_owned()),
        ..Named::default()
    };
    Layout {
        thinking: Some(Thinking::new("<mm:think>", "</mm:think>")),
        calls: Some(Calls {
            section: Tags { start: tag("<tool_call>"), end: tag("</tool_call>") },
            call: Tags { start: tag("<invoke name=\""), end: tag("</invoke>") },
            shape: Shape::Named(named),
        }),
        ..Layout::default()
    }
}
