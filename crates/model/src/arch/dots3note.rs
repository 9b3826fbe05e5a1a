//! `dots3note`: dots3: gated latent attention, in windows of ranks and lengths of their own or to what an indexer chooses,
//! DeepSeek-V3's experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("dots3note", |at, hp| {
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 0, Full::Last)?;
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention(at, hp, &window)?, moe)
})
.scales(Scales::ALL);

fn attention(at: &Source<'_>, hp: &Hparams, window: &Window) -> Result<Mla> {
    let rope = Rope::interleaved(at, hp)?;
    let full = MlaSpec { rope: Some(rope), gate: Some(Unary::Sigmoid), ..MlaSpec::load(at, hp)? };
    let Some(n) = window.width(at)? else {
        let choice = Choice::own(at, hp, &full, super::deepseek32::INDEXER)?;
        return Ok(Mla::load(at, full)?.choosing(choice));
    };
    let key_dim = at.extent_of("attention.key_length_mla_swa")?;
    let windowed = MlaSpec {
        kv_rank: at.extent_of("attention.kv_lora_rank_swa")?,
        key_dim,
        value_dim: at.extent_of("attention.value_length_mla_swa")?,
        scale: 1.0 / (key_dim as f32).sqrt(),
        rope: Some(window.freq_base.map_or(rope, |base| rope.based(base))),
        mask: Mask::Window(n),
        ..full
    };
    Mla::load(at, windowed)
}
