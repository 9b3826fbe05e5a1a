//! Slots with reference counts.

/// A fixed number of slots, each free or held by one or more owners.
#[derive(Debug)]
pub(crate) struct Pool {
    owners: Vec<u32>,
    free: Vec<u32>,
}

impl Pool {
    pub(crate) fn new(n_slots: u32) -> Self {
        Self { owners: vec![0; n_slots as usize], free: (0..n_slots).rev().collect() }
    }

    pub(crate) fn n_slots(&self) -> usize {
        self.owners.len()
    }

    pub(crate) fn n_free(&self) -> usize {
        self.free.len()
    }

    /// A free slot, now with one owner.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let slot = self.free.pop()?;
        self.owners[slot as usize] = 1;
        Some(slot)
    }

    /// One more owner.
    pub(crate) fn share(&mut self, slot: u32) {
        debug_assert!(self.owners[slot as usize] > 0, "slot {slot} is free");
        self.owners[slot as usize] += 1;
    }

    pub(crate) fn is_shared(&self, slot: u32) -> bool {
        self.owners[slot as usize] > 1
    }

    /// One owner less; the last one frees the slot.
    pub(crate) fn release(&mut self, slot: u32) {
        let owners = &mut self.owners[slot as usize];
        debug_assert!(*owners > 0, "slot {slot} is free");
        *owners -= 1;
        if *owners == 0 {
            self.free.push(slot);
        }
    }
}
