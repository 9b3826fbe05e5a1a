//! Leaving out layers, and renumbering those that stay.

use std::collections::BTreeMap;

use crate::recipe::layer_of;
use crate::{Error, Result};

/// New numbers of the layers that stay.
#[derive(Debug)]
pub(super) struct Renumbering {
    /// By old number; `None` for a layer that goes.
    new: BTreeMap<usize, Option<usize>>,
    pub(super) n_layer: usize,
}

impl Renumbering {
    /// `names` are all tensors of the model.
    pub(super) fn new<'a>(prune: &[usize], names: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut new: BTreeMap<usize, Option<usize>> = names.filter_map(layer_of).map(|l| (l, None)).collect();
        let found = new.last_key_value().map_or(0, |(last, _)| last + 1);
        if let Some(layer) = prune.iter().copied().find(|layer| !new.contains_key(layer)) {
            return Err(Error::NoSuchLayer { layer, n_layer: found });
        }
        let mut n_layer = 0;
        for (_, number) in new.iter_mut().filter(|(old, _)| !prune.contains(old)) {
            *number = Some(n_layer);
            n_layer += 1;
        }
        Ok(Self { new, n_layer })
    }

    /// The new name of a tensor; `None` if its layer goes.
    pub(super) fn rename(&self, name: &str) -> Option<String> {
        let Some(old) = layer_of(name) else { return Some(name.into()) };
        let rest = name.strip_prefix(&format!("blk.{old}."))?;
        let new = (*self.new.get(&old)?)?;
        Some(format!("blk.{new}.{rest}"))
    }
}
