//! Rewrites of a finished graph. Each pass keeps the results and is a file with its own before/after tests.

mod dead;
mod hoist_outputs;
mod tap_products;

pub use dead::remove_dead;
pub use hoist_outputs::hoist_outputs;
pub use tap_products::{ProductTap, tap_products};

use crate::Graph;

/// The passes every graph goes through, in their order.
pub fn optimize(graph: Graph) -> Graph {
    remove_dead(hoist_outputs(graph))
}
