//! What a feed-forward does between its two matrices.

use super::{Hparams, Result, Source, Tensor, Unary};

/// The nonlinearity of a feed-forward.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation {
    /// `f(gate) * up`, or `f(up)` without a gate.
    Unary(Unary),
    /// `min(silu(gate), limit) * clamp(up, -limit, limit)` (Step 3.5).
    SiluClamped { limit: f32 },
    /// `silu(min(gate, limit)) * clamp(up, -limit, limit)` (DeepSeek-V4).
    ClampedSilu { limit: f32 },
    /// `g * sigmoid(1.702 g) * (clamp(up, -7, 7) + 1)` with `g = min(gate, 7)` (gpt-oss).
    SwigluOai,
    /// `beta tanh(g / beta) sigmoid(g) * up_beta tanh(up / up_beta)`, `up` as it is for an `up_beta` of 0 (Kimi K3).
    Situ { beta: f32, up_beta: f32 },
    /// `beta up + positive up^2` above 0, `beta up + negative (exp(up) - 1 - up)` below (xIELU, Huang and Schlag 2024).
    Xielu { positive: f32, negative: f32, beta: f32 },
}

impl Activation {
    /// `ClampedSilu` by the layer's limit under `key`, if it has one.
    pub(crate) fn clamped_silu(at: &Source<'_>, hp: &Hparams, key: &str) -> Result<Option<Self>> {
        let limits = at.per_layer::<f32>(key, hp.n_layer_all())?.unwrap_or_default();
        let limit = limits.get(at.index()).copied().filter(|&limit| limit > 1e-6);
        Ok(limit.map(|limit| Self::ClampedSilu { limit }))
    }

    pub(crate) const SILU: Self = Self::Unary(Unary::Silu);
    pub(crate) const GELU: Self = Self::Unary(Unary::Gelu);

    /// Without a gate, `up` is its own.
    pub(crate) fn forward<'g>(self, gate: Option<Tensor<'g>>, up: Tensor<'g>) -> Tensor<'g> {
        let g = gate.unwrap_or(up);
        match (self, gate) {
            (Self::Unary(f), Some(gate)) => gate.glu(f, up),
            (Self::Unary(f), None) => up.unary(f),
            (Self::SiluClamped { limit }, _) => {
                g.silu().clamp(f32::NEG_INFINITY, limit) * up.clamp(-limit, limit)
            }
            (Self::ClampedSilu { limit }, _) => {
                g.clamp(f32::NEG_INFINITY, limit).glu(Unary::Silu, up.clamp(-limit, limit))
            }
            (Self::SwigluOai, _) => {
                // `GeluQuick` would round to half precision.
                const SHARPNESS: f32 = 1.702;
                let up = up.clamp(-7.0, 7.0).affine(1.0 / SHARPNESS, 1.0 / SHARPNESS);
                g.clamp(f32::NEG_INFINITY, 7.0).scale(SHARPNESS).glu(Unary::Silu, up)
            }
            (Self::Situ { beta, up_beta }, _) => {
                let bound = |x: Tensor<'g>, to: f32| x.scale(1.0 / to).tanh().scale(to);
                let up = if up_beta > 0.0 { bound(up, up_beta) } else { up };
                bound(g, beta) * g.sigmoid() * up
            }
            (Self::Xielu { positive, negative, beta }, _) => {
                let below = up.clamp(f32::NEG_INFINITY, 0.0);
                let bent = (below.unary(Unary::Exp) - below).affine(negative, -negative);
                up.unary(Unary::ReluSquared).scale(positive) + bent + up.scale(beta)
            }
        }
    }
}
