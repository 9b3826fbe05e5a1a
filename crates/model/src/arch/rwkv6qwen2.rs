//! `rwkv6qwen2`: QRWKV-6: Qwen 2 whose attention has been replaced by RWKV-6's recurrence, with fewer keys and values than
//! heads and without norms of heads.

use super::rwkv6::{Decay, Mixtures};
use super::rwkv7::heads;
use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("rwkv6qwen2", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, norm), TimeMix::load(at, hp)?, Dense::load(at, FfnSpec::swiglu(at, hp)?)?)
});

/// The recurrence over time: `S = w S + ((1 - w) k) (x) v; y = r S / sqrt(head_size)`.
#[derive(Debug)]
struct TimeMix {
    mixtures: Mixtures,
    key: Linear,
    value: Linear,
    receptance: Linear,
    gate: Linear,
    decay: Decay,
    output: Linear,
    state: MemoryId,
    /// `[head_size, n_head]`.
    heads: [usize; 2],
    /// Consecutive heads share keys and values.
    n_head_kv: usize,
}

impl TimeMix {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let n = hp.n_embd;
        let heads = heads(at, n)?;
        let n_head_kv = match hp.layer(at.index()).n_head_kv {
            0 => heads[1],
            n_head_kv => n_head_kv,
        };
        if !heads[1].is_multiple_of(n_head_kv) {
            let problem = format!("does not divide {} heads", heads[1]);
            return Err(Error::value(&at.full_key("attention.head_count_kv"), n_head_kv, problem));
        }
        let linear = |part: &str, n_out| Linear::load(at, &format!("time_mix_{part}"), n, n_out);
        Ok(Self {
            mixtures: Mixtures::load(at, n)?,
            key: linear("key", n_head_kv * heads[0])?,
            value: linear("value", n_head_kv * heads[0])?,
            receptance: linear("receptance", n)?,
            gate: linear("gate", n)?,
            decay: Decay::load(at, n)?,
            output: linear("output", n)?,
            state: at.remember(MemorySpec::State { len: n * heads[0] }),
            heads,
            n_head_kv,
        })
    }

    /// `[head_size, n_head]`.
    fn shared<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let ([size, n_head], n) = (self.heads, self.n_head_kv);
        x.reshape(&[size, 1, n]).repeat(&[size, n_head / n, n]).reshape(&self.heads)
    }
}

impl Block for TimeMix {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [w, k, v, r, g] = self.mixtures.forward(x);
        let w = self.decay.forward(w).reshape(&self.heads);
        let [k, v] = [self.key.forward(k), self.value.forward(v)].map(|x| self.shared(x));
        let k = k - k * w;
        let r = self.receptance.forward(r).reshape(&self.heads);
        let nothing = k.scale(0.0);
        let y = r.wkv7(self.state, [w, k, v, nothing, nothing]).scale(1.0 / (self.heads[0] as f32).sqrt());
        self.output.forward(self.gate.forward(g).glu(Unary::Sigmoid, y.reshape(&[x.dim(0)])))
    }
}
