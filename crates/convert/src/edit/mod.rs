//! Files of the same tensors with another outside: split, merged, with other metadata. And what differs between two.

mod copy;
mod diff;
mod set;
mod split;

pub use copy::{CopyProgress, merge};
pub use diff::{Difference, diff};
pub use set::{parse_value, set_in_place, set_values};
pub use split::{PartPlan, SplitBy, parse_size, plan_split, split};
