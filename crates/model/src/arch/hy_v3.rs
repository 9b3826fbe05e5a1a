//! `hy_v3`: Hunyuan 3: Qwen 3's attention, experts by sigmoid scores with one that is shared.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("hy_v3", |at, hp| {
    let attention = Attention::load(at, super::qwen3::attention(at, hp)?)?;
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let n_ff_shared = if moe.n_ff_shared == 0 { moe.n_ff } else { moe.n_ff_shared };
    let ffn = MoeSpec { n_ff_shared, ..moe }.where_routed(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, ffn)
})
.scales(Scales::ALL);
