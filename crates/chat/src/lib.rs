//! Conversations: messages become a prompt by the model's template, and answers become messages again by its
//! dialect. Knows neither tokens nor models; reads and prints nothing.

mod answer;
mod error;
mod marks;
mod message;
mod template;

pub use answer::{Answer, AnswerOptions, AnswerParser, Delta, Dialect, ThinkingTags};
pub use error::Error;
pub use message::{Media, Message, Part, Role, Tool, ToolCall};
pub use template::{
    Appending, Capabilities, Limits, Moment, RenderOptions, Rendered, Specials, Template, builtin,
};
