//! Where a node's value lies and how its elements are strided: a view of a region, a small weight, or the step.

use tensor::{Rows, Shape};

/// A node's value, resolved when a graph is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) place: Place,
    pub(crate) rows: Rows,
    /// Elements from the start of the row.
    pub(crate) offset: usize,
    pub(crate) dims: [usize; 4],
    /// Elements between neighbours along each extent.
    pub(crate) strides: [usize; 4],
    /// Elements between rows.
    pub(crate) row_stride: usize,
}

/// Which memory a value lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Buffer of the arena of the value's kind of rows.
    Arena(usize),
    /// A weight small enough to be kept decoded.
    Small(usize),
    /// A value set by `Executor::import`.
    Import(u32),
    Tokens,
    Positions,
    /// Order only, no elements.
    Handle,
}

impl Value {
    pub(crate) fn new(place: Place, shape: &Shape) -> Self {
        let mut dims = [1; 4];
        for (i, d) in dims.iter_mut().enumerate() {
            *d = shape.dim(i);
        }
        let strides = [1, dims[0], dims[0] * dims[1], dims[0] * dims[1] * dims[2]];
        let row_stride = shape.row_len();
        Self { place, rows: shape.rows(), offset: 0, dims, strides, row_stride }
    }

    pub(crate) fn row_len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether a row's elements follow one another.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.dims.iter().zip(self.strides).all(|(&dim, stride)| {
            let fits = dim == 1 || stride == expected;
            expected *= dim;
            fits
        })
    }

    /// Elements from the row's first to behind its last.
    pub(crate) fn extent(&self) -> usize {
        if self.dims.contains(&0) {
            return 0;
        }
        1 + self.dims.iter().zip(self.strides).map(|(d, s)| (d - 1) * s).sum::<usize>()
    }

    pub(crate) fn slice(&self, dim: usize, start: usize, len: usize) -> Self {
        let mut view = self.clone();
        view.offset += start * self.strides[dim];
        view.dims[dim] = len;
        view
    }

    /// The same elements under the extents of `shape`, if they are contiguous.
    pub(crate) fn reshape(&self, shape: &Shape) -> Option<Self> {
        self.is_contiguous().then(|| Self {
            offset: self.offset,
            row_stride: self.row_stride,
            ..Self::new(self.place, shape)
        })
    }
}

/// One row of a value: vectors of `dims[0]` elements, strided along the other extents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vectors<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) dims: [usize; 4],
    pub(crate) strides: [usize; 4],
}

impl<'a> Vectors<'a> {
    /// Vector `(i, j, k)` of extents 1 to 3; indices beyond an extent of 1 repeat it.
    pub(crate) fn at(&self, index: [usize; 3]) -> &'a [f32] {
        let start: usize = (0..3).map(|d| index[d].min(self.dims[d + 1] - 1) * self.strides[d + 1]).sum();
        &self.data[start..start + self.dims[0]]
    }

    /// Number of vectors.
    pub(crate) fn count(&self) -> usize {
        self.dims[1..].iter().product()
    }

    /// Vector number `n`, counting extent 1 fastest.
    pub(crate) fn vector(&self, n: usize) -> &'a [f32] {
        self.at(index(&self.dims, n))
    }
}

/// The indices of extents 1 to 3 of vector number `n`.
pub(crate) fn index(dims: &[usize; 4], n: usize) -> [usize; 3] {
    [n % dims[1], n / dims[1] % dims[2], n / (dims[1] * dims[2])]
}

/// A row's elements as the integers they hold.
pub(crate) fn as_i32(data: &[f32]) -> &[i32] {
    bytemuck::cast_slice(data)
}
