//! Slices, joins, choices, reductions, output rows.

use tensor::DType;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("slice, reshape of a slice", 3, |b| {
            let x = b.input(&[20, 4]);
            x.slice(0, 3, 12).reshape(&[24, 2]).slice(1, 1, 1)
        }),
        case("slice of a weight", 3, |b| {
            let weight = b.weight(&[9], DType::F32);
            let part = |i, n| b.graph.weight(weight).slice(0, i, n);
            let (scale, shift) = (part(4, 1), part(6, 3));
            b.input(&[3, 2]) * scale + shift
        }),
        case("concat along 0", 3, |b| b.input(&[7, 2]).concat(b.input(&[5, 2]), 0)),
        case("concat along 1", 3, |b| b.input(&[7, 2]).concat(b.input(&[7, 3]), 1)),
        case("repeat", 3, |b| b.input(&[6, 1]).repeat(&[6, 4])),
        case("repeat of one element", 3, |b| b.input(&[1, 3]).repeat(&[5, 3])),
        case("top k and gather", 6, |b| {
            let x = b.input(&[31]);
            x.gather(x.top_k(7))
        }),
        case("groups of top k", 6, |b| {
            let x = b.input(&[30]);
            x.gather(x.groups_of_top_k(7, 3))
        }),
        case("remap", 6, |b| {
            let (x, ids) = (b.input(&[9]), b.ids(&[5], 9));
            let renamed = ids.remap(vec![(2, 7), (5, 0), (2, 1)], None);
            let sorted = ids.remap(vec![(8, 3), (0, 4)], Some(6));
            x.gather(renamed) + x.gather(sorted)
        }),
        case("keep groups", 6, |b| {
            let x = b.input(&[24]);
            x.gather(x.keep_groups(6, 2).top_k(4))
        }),
        case("reduce", 3, |b| {
            let x = b.input(&[9, 5]);
            x.sum(0).concat(x.mean(0), 0).sum(1)
        }),
        case("select outputs", 9, |b| b.input(&[11]).silu().select_outputs().scale(2.0)),
    ]
}
