//! What each op computes: the scalar definitions, on rows and sequences. No threads, no plan, no memory layout beyond
//! strides.

pub(crate) mod attention;
pub(crate) mod elementwise;
pub(crate) mod norm;
pub(crate) mod recurrent;
pub(crate) mod rope;
pub(crate) mod row;
pub(crate) mod select;
