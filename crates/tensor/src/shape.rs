//! Shapes in GGUF order: `dims[0]` is contiguous, written `[n_embd, n_tokens]`. Only the slowest extent may be
//! symbolic, so one graph serves every batch.

use std::fmt;

/// What a tensor's rows are: the slowest extent, known only when a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// A tensor that does not depend on the batch: weights and what is computed from them alone.
    Fixed,
    /// One row a token of the step.
    Tokens,
    /// One row a token whose result is wanted.
    Outputs,
}

/// The row counts of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extents {
    pub n_tokens: usize,
    pub n_outputs: usize,
}

impl Extents {
    /// How many rows a tensor of this kind has in the step.
    pub fn rows(&self, rows: Rows) -> usize {
        match rows {
            Rows::Fixed => 1,
            Rows::Tokens => self.n_tokens,
            Rows::Outputs => self.n_outputs,
        }
    }
}

/// Element type of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elem {
    F32,
    I32,
    /// A handle that orders a read of memory behind a write to it; holds no elements.
    Token,
}

/// Up to four fixed extents, and the rows they repeat over.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; 4],
    n_dims: u8,
    rows: Rows,
}

impl Shape {
    /// `dims` fastest first; `rows` is the slowest extent.
    ///
    /// # Panics
    /// With more than four dims: a bug of the caller.
    #[track_caller]
    pub fn new(dims: &[usize], rows: Rows) -> Self {
        assert!(dims.len() <= 4, "a shape has at most 4 fixed dims, got {dims:?}");
        let mut all = [1; 4];
        all[..dims.len()].copy_from_slice(dims);
        Self { dims: all, n_dims: dims.len() as u8, rows }
    }

    /// The fixed extents, without the rows.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..usize::from(self.n_dims)]
    }

    /// Fixed extent `i`; 1 beyond the last.
    pub fn dim(&self, i: usize) -> usize {
        self.dims.get(i).copied().unwrap_or(1)
    }

    pub fn rows(&self) -> Rows {
        self.rows
    }

    /// Elements in one row: the product of the fixed extents.
    pub fn row_len(&self) -> usize {
        self.dims().iter().product()
    }

    /// Vectors of `dims[0]` elements in one row.
    pub fn vectors(&self) -> usize {
        self.dims()[1.min(self.dims().len())..].iter().product()
    }

    /// The same rows with other fixed extents.
    #[track_caller]
    pub fn with_dims(&self, dims: &[usize]) -> Self {
        Self::new(dims, self.rows)
    }

    /// The same extents with extent `i` replaced.
    #[track_caller]
    pub fn with_dim(&self, i: usize, n: usize) -> Self {
        let mut other = *self;
        assert!(i < usize::from(self.n_dims), "{self:?} has no dim {i}");
        other.dims[i] = n;
        other
    }

    /// The same extents over other rows.
    pub fn with_rows(&self, rows: Rows) -> Self {
        Self { rows, ..*self }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.dims().iter().enumerate() {
            write!(f, "{}{d}", if i == 0 { "" } else { ", " })?;
        }
        match self.rows {
            Rows::Fixed => f.write_str("]"),
            Rows::Tokens => f.write_str(", n_tokens]"),
            Rows::Outputs => f.write_str(", n_outputs]"),
        }
    }
}
