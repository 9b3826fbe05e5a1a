//! What each op computes, on rows and sequences: the scalar definitions, and forms of them by vector kernels. No
//! threads, no plan, no memory layout beyond strides.

pub(crate) mod attention;
pub(crate) mod choose;
pub(crate) mod compress;
pub(crate) mod elementwise;
pub(crate) mod norm;
pub(crate) mod recurrent;
pub(crate) mod rope;
pub(crate) mod row;
pub(crate) mod select;
mod vector;
