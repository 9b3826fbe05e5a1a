//! `lfm2moe`: LFM2 with experts behind the first dense layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("lfm2moe", |file, hp| super::lfm2::load(file, hp, |at, hp| {
    MoeSpec { score: Score::of(at, Score::Sigmoid)?, ..MoeSpec::softmax(at, hp)? }.behind_dense(at, hp)
}));
