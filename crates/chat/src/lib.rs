//! Conversations: messages become a prompt by the model's template, and answers become messages again by its
//! dialect. Knows neither tokens nor models; reads and prints nothing.

mod error;
mod marks;
mod template;

pub use error::Error;
pub use template::{Appending, Limits, Moment, Template};
