//! The crate as others use it.

mod gbnf;
mod limits;
mod oracle;
mod published;
mod recursion;
mod reference;
mod schema;
mod state;
mod suite;
mod support;
mod thinking;
