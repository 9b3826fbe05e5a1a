//! The crate as others use it.

mod gbnf;
mod limits;
mod oracle;
mod schema;
mod state;
mod support;
