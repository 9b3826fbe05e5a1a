//! Codebooks made searchable: for every combination of levels, the point it is or the points nearest to it.

use std::sync::OnceLock;

use crate::tables::{iq1, iq2, iq3};

/// Points of `K` coordinates, each a level of `BITS` bits.
#[derive(Debug)]
pub(crate) struct Codebook<const K: usize, const BITS: usize> {
    points: Vec<[u8; K]>,
    /// By the code of the levels, first coordinate in the lowest bits.
    slots: Vec<Slot>,
    neighbours: Vec<u16>,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    /// The index of the point with these levels.
    Point(u16),
    /// A range of `neighbours`, by distance, then by index.
    Near { start: u32, len: u32 },
}

/// The point chosen for some levels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snap {
    pub(crate) index: u16,
    /// Whether the levels were themselves a point.
    pub(crate) exact: bool,
}

/// What a snap minimizes: the weighted square distance of `scale * values[level]` to `x`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a, const K: usize> {
    pub(crate) x: &'a [f32; K],
    pub(crate) weights: &'a [f32; K],
    pub(crate) scale: f32,
    pub(crate) values: &'a [f32],
}

macro_rules! codebooks {
    ($($name:ident = $k:literal, $bits:literal, $codes:expr, $n_levels:literal, $n_shells:literal;)*) => {$(
        pub(crate) fn $name() -> &'static Codebook<$k, $bits> {
            static CODEBOOK: OnceLock<Codebook<$k, $bits>> = OnceLock::new();
            CODEBOOK.get_or_init(|| Codebook::new(&$codes, $n_levels, $n_shells))
        }
    )*};
}

// Name = coordinates, bits, codes, levels, distances that count as near.
codebooks! {
    iq2_xxs = 8, 2, iq2::IQ2XXS, 3, 2;
    iq2_xs = 8, 2, iq2::IQ2XS, 3, 2;
    iq2_s = 8, 2, iq2::IQ2S, 3, 1;
    iq3_xxs = 4, 3, iq3::IQ3XXS, 8, 2;
    iq3_s = 4, 3, iq3::IQ3S, 8, 3;
    iq1 = 8, 2, iq1::IQ1S, 3, 3;
}

impl<const K: usize, const BITS: usize> Codebook<K, BITS> {
    /// The levels of a point.
    #[inline(always)]
    pub(crate) fn point(&self, index: u16) -> &[u8; K] {
        &self.points[usize::from(index)]
    }

    /// The point for `levels`: itself, or of those near it the one closest to the target, the first of equals.
    #[inline(always)]
    pub(crate) fn snap(&self, levels: &[u8; K], target: &Target<'_, K>) -> Snap {
        let (start, len) = match self.slots[pack_levels::<K, BITS>(levels)] {
            Slot::Point(index) => return Snap { index, exact: true },
            Slot::Near { start, len } => (start as usize, len as usize),
        };
        let near = &self.neighbours[start..start + len];
        let (mut best, mut best_distance) = (near[0], f32::MAX);
        for &index in near {
            let distance = target.distance(self.point(index));
            if distance < best_distance {
                (best, best_distance) = (index, distance);
            }
        }
        Snap { index: best, exact: false }
    }

    fn new(codes: &[u16], n_levels: u8, n_shells: usize) -> Self {
        let unpack = |code: u16| std::array::from_fn(|k| (code >> (BITS * k)) as u8 & ((1 << BITS) - 1));
        let points: Vec<[u8; K]> = codes.iter().map(|&code| unpack(code)).collect();
        let mut slots = vec![Slot::Near { start: 0, len: 0 }; 1 << (BITS * K)];
        for (index, &code) in (0..).zip(codes) {
            slots[usize::from(code)] = Slot::Point(index);
        }
        let mut neighbours = Vec::new();
        let mut distances = vec![0; points.len()];
        for (slot, code) in slots.iter_mut().zip(0..=u16::MAX) {
            let levels = unpack(code);
            if matches!(slot, Slot::Point(_)) || levels.iter().any(|&level| level >= n_levels) {
                continue;
            }
            for (distance, point) in distances.iter_mut().zip(&points) {
                *distance = square_distance(&levels, point);
            }
            let start = neighbours.len();
            for shell in nearest_shells(&distances, n_shells) {
                let on_shell = (0..).zip(&distances).filter(|&(_, &distance)| distance == shell);
                neighbours.extend(on_shell.map(|(index, _): (u16, _)| index));
            }
            *slot = Slot::Near { start: start as u32, len: (neighbours.len() - start) as u32 };
        }
        Self { points, slots, neighbours }
    }
}

impl<const K: usize> Target<'_, K> {
    #[inline(always)]
    fn distance(&self, point: &[u8; K]) -> f32 {
        let mut sum = 0.0;
        for ((&level, &x), &w) in point.iter().zip(self.x).zip(self.weights) {
            let diff = self.scale * self.values[usize::from(level)] - x;
            sum += w * diff * diff;
        }
        sum
    }
}

#[inline(always)]
fn pack_levels<const K: usize, const BITS: usize>(levels: &[u8; K]) -> usize {
    levels.iter().rev().fold(0, |code, &level| code << BITS | usize::from(level))
}

fn square_distance<const K: usize>(a: &[u8; K], b: &[u8; K]) -> u16 {
    a.iter().zip(b).map(|(&a, &b)| u16::from(a.abs_diff(b)).pow(2)).sum()
}

/// The `n` smallest values that occur.
fn nearest_shells(distances: &[u16], n: usize) -> impl Iterator<Item = u16> {
    let mut occurs = [false; 256];
    for &distance in distances {
        occurs[usize::from(distance)] = true;
    }
    (0..256).filter(move |&distance| occurs[usize::from(distance)]).take(n)
}
