//! Memory that several threads write at once, each its own part.
//!
//! The compiler cannot see that the chunks of a step are disjoint; the plan guarantees it. Everything that relies on
//! that guarantee goes through [`Shared`].
#![expect(unsafe_code, reason = "threads write disjoint parts of one allocation")]

/// One cache line of float32, so that every buffer starts on a line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Elements in a cache line.
pub(crate) const LINE: usize = 16;

/// Zeroed float32 memory aligned to cache lines. Other element types are stored by their bits.
#[derive(Debug, Default)]
pub(crate) struct Floats {
    lines: Vec<Line>,
}

impl Floats {
    pub(crate) fn zeroed(n: usize) -> Self {
        let mut floats = Self::default();
        floats.grow(n);
        floats
    }

    /// Makes room for at least `n` elements; what was there is lost.
    pub(crate) fn grow(&mut self, n: usize) {
        if n > self.len() {
            self.lines = Vec::new();
            self.lines = zeroed_lines(n.div_ceil(LINE));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len() * LINE
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: a `Line` is exactly `LINE` floats without padding.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len()) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as for `as_slice`; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len()) }
    }

    pub(crate) fn share(&mut self) -> Shared {
        let len = self.len();
        Shared { start: self.lines.as_mut_ptr().cast(), len }
    }
}

/// Zeroed lines straight from the allocator: large regions cost nothing until they are touched.
fn zeroed_lines(n: usize) -> Vec<Line> {
    if n == 0 {
        return Vec::new();
    }
    let layout = std::alloc::Layout::array::<Line>(n).expect("a size that was checked before");
    // SAFETY: the layout is not empty; all-zero bits are a valid `Line`; the vector takes over exactly this
    // allocation with this layout.
    unsafe {
        let start = std::alloc::alloc_zeroed(layout).cast::<Line>();
        if start.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        Vec::from_raw_parts(start, n, n)
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
