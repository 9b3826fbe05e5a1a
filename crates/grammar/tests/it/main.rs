//! The crate as others use it.

mod gbnf;
mod oracle;
mod support;
