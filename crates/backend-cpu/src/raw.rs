//! Memory that several threads write at once, each its own part.
//!
//! The compiler cannot see that the chunks of a step are disjoint; the plan guarantees it. Everything that relies on
//! that guarantee goes through [`Shared`].
#![expect(unsafe_code, reason = "threads write disjoint parts of one allocation")]

/// Elements in a cache line.
pub(crate) const LINE: usize = 16;

/// Zeroed float32 memory aligned to cache lines. Other element types are stored by their bits.
#[derive(Debug, Default)]
pub(crate) struct Floats {
    /// Up to a line more than is used, as the allocator knows no lines.
    all: Vec<f32>,
    start: usize,
    len: usize,
}

impl Floats {
    /// Costs nothing until it is touched; `None` if there is not so much memory.
    pub(crate) fn zeroed(n: usize) -> Option<Self> {
        let len = n.next_multiple_of(LINE);
        let all = zeros(len + LINE - 1)?;
        let start = all.as_ptr().align_offset(LINE * size_of::<f32>());
        Some(Self { all, start, len })
    }

    /// Makes room for at least `n` elements; what was there is lost.
    pub(crate) fn grow(&mut self, n: usize) {
        if n > self.len() {
            *self = Self::default();
            *self = Self::zeroed(n).expect("memory for a step of the size that was planned");
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.all[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.all[self.start..self.start + self.len]
    }

    pub(crate) fn share(&mut self) -> Shared {
        let floats = self.as_mut_slice();
        Shared { start: floats.as_mut_ptr(), len: floats.len() }
    }
}

/// Zeros straight from the allocator. For more than their own alignment it would write them, every page of them.
fn zeros(n: usize) -> Option<Vec<f32>> {
    let layout = std::alloc::Layout::array::<f32>(n).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout is not empty; all-zero bits are a valid `f32`; the vector takes over exactly this
    // allocation with this layout.
    unsafe {
        let start = std::alloc::alloc_zeroed(layout).cast::<f32>();
        (!start.is_null()).then(|| Vec::from_raw_parts(start, n, n))
    }
}

/// A region that the threads of a step share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    start: *mut f32,
    len: usize,
}

// SAFETY: access is only through the unsafe methods below, whose callers promise not to race.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// # Safety
    /// No thread writes the range while the slice lives, and the region outlives it.
    pub(crate) unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a [f32] {
        assert!(start <= self.len && len <= self.len - start, "{start} + {len} in {}", self.len);
        // SAFETY: in bounds by the check; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start.add(start), len) }
    }

    /// # Safety
    /// No other thread reads or writes the range while the slice lives, and the region outlives it.
    pub(crate) unsafe fn slice_mut<'a>(self, start: usize, len: usize) -> &'a mut [f32] {
        assert!(start <= self.len && len <= self.len - start, "{start} + {len} in {}", self.len);
        // SAFETY: in bounds by the check; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_begins_on_a_line_and_is_zero() {
        for n in [0, 1, LINE, 1000] {
            let mut floats = Floats::zeroed(n).expect("memory");
            assert!(floats.len() >= n && floats.len().is_multiple_of(LINE), "{n}");
            assert!(
                (floats.share().start as usize).is_multiple_of(64)
                    && floats.as_slice().iter().all(|f| *f == 0.0)
            );
        }
        assert!(Floats::zeroed(isize::MAX as usize / 5).is_none(), "no machine has that much");
    }
}
