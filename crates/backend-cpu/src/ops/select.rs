//! Choosing and reducing.

use tensor::Reduce;

use crate::value::{Vectors, index};

/// Indices of the largest elements, largest first, divided by `n_per_group`; of equal elements the first. NaN counts as
/// the smallest.
pub(crate) fn top_k(x: &[f32], n_per_group: usize, ids: &mut [i32]) {
    let k = ids.len();
    let above = |a: f32, b: f32| a > b || (b.is_nan() && !a.is_nan());
    let mut n = 0;
    for (i, &value) in x.iter().enumerate() {
        if n == k && (k == 0 || !above(value, x[ids[k - 1] as usize])) {
            continue;
        }
        n = (n + 1).min(k);
        let mut at = n - 1;
        while at > 0 && above(value, x[ids[at - 1] as usize]) {
            ids[at] = ids[at - 1];
            at -= 1;
        }
        ids[at] = i as i32;
    }
    if n_per_group > 1 {
        ids.iter_mut().for_each(|id| *id /= n_per_group as i32);
    }
}

/// The first pair of an id counts.
pub(crate) fn remap(pairs: &[(i32, i32)], otherwise: Option<i32>, ids: &[i32], y: &mut [i32]) {
    for (y, &id) in y.iter_mut().zip(ids) {
        let found = pairs.iter().find(|(from, _)| *from == id).map(|(_, to)| *to);
        *y = found.or(otherwise).unwrap_or(id);
    }
}

pub(crate) fn gather(x: &[f32], ids: &[i32], y: &mut [f32]) {
    for (y, id) in y.iter_mut().zip(ids) {
        *y = x[*id as usize];
    }
}

/// Keeps the `n_used` groups with the greatest sum of their two largest elements; of equal groups the first.
pub(crate) fn keep_groups(n_group: usize, n_used: usize, x: &[f32], y: &mut [f32]) {
    let size = x.len() / n_group;
    let score = |g: usize| {
        let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for &v in &x[g * size..(g + 1) * size] {
            if v > first {
                (first, second) = (v, first);
            } else if v > second {
                second = v;
            }
        }
        if size == 1 { first } else { first + second }
    };
    for g in 0..n_group {
        let own = score(g);
        let better =
            (0..n_group).filter(|&o| o != g && (score(o) > own || (score(o) == own && o < g))).count();
        let range = g * size..(g + 1) * size;
        if better < n_used {
            y[range.clone()].copy_from_slice(&x[range]);
        } else {
            y[range].fill(f32::NEG_INFINITY);
        }
    }
}

pub(crate) fn reduce(kind: Reduce, dim: usize, x: &Vectors<'_>, dims: &[usize; 4], out: &mut [f32]) {
    let n = x.dims[dim];
    let scale = if kind == Reduce::Mean { 1.0 / n as f32 } else { 1.0 };
    if dim == 0 {
        for (i, y) in out.iter_mut().enumerate() {
            *y = scale * x.vector(i).iter().sum::<f32>();
        }
        return;
    }
    for (v, y) in out.chunks_exact_mut(dims[0].max(1)).enumerate() {
        let mut at = index(dims, v);
        y.fill(0.0);
        for i in 0..n {
            at[dim - 1] = i;
            for (y, x) in y.iter_mut().zip(x.at(at)) {
                *y += scale * x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_k_is_sorted_and_stable() {
        let check = |x: &[f32], k: usize, want: &[i32]| {
            let mut ids = vec![-1; k];
            top_k(x, 1, &mut ids);
            assert_eq!(ids, want, "{x:?}");
        };
        check(&[1.0, 3.0, 2.0, 3.0], 3, &[1, 3, 2]);
        check(&[1.0, 1.0, 1.0], 2, &[0, 1]);
        check(&[f32::NAN, 1.0, f32::NEG_INFINITY], 3, &[1, 2, 0]);
        check(&[], 0, &[]);
    }

    #[test]
    fn groups_are_kept_by_their_best_two() {
        let mut y = [0.0; 6];
        keep_groups(3, 2, &[5.0, 0.0, 3.0, 3.0, 4.0, 0.5], &mut y);
        assert_eq!(y, [5.0, 0.0, 3.0, 3.0, f32::NEG_INFINITY, f32::NEG_INFINITY]);
    }
}
