//! What depends on positions: the table of rotary embedding, the rotation of a vector by it, temperatures.

use std::f32::consts::PI;

use tensor::{Rope, RopeOrder, RopeTable, Temperature};

/// The angles of one table, without the position.
#[derive(Clone, Debug)]
pub(crate) struct Angles {
    /// Per pair: the angle a position adds.
    step: Vec<f32>,
    /// What cosine and sine are multiplied by.
    magnitude: f32,
    back: i32,
}

impl Angles {
    pub(crate) fn new(table: &RopeTable, factors: Option<&[f32]>) -> Self {
        let n = table.n_rot;
        let (low, high) = correction_range(table);
        let step = (0..n / 2)
            .map(|i| {
                let factor = factors.map_or(1.0, |f| f[i]);
                let full = table.freq_base.powf(-2.0 * i as f32 / n as f32) / factor;
                let scaled = table.freq_scale * full;
                if table.ext_factor == 0.0 {
                    return scaled;
                }
                let ramp = 1.0 - ((i as f32 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
                let mix = ramp * table.ext_factor;
                scaled * (1.0 - mix) + full * mix
            })
            .collect();
        let yarn = if table.ext_factor == 0.0 { 1.0 } else { 1.0 + 0.1 * (1.0 / table.freq_scale).ln() };
        Self { step, magnitude: table.attn_factor * yarn, back: table.back as i32 }
    }

    /// Cosines and sines in pairs.
    pub(crate) fn table(&self, position: i32, out: &mut [f32]) {
        for (pair, step) in out.chunks_exact_mut(2).zip(&self.step) {
            let (sin, cos) = ((position - self.back) as f32 * step).sin_cos();
            pair[0] = cos * self.magnitude;
            pair[1] = sin * self.magnitude;
        }
    }
}

/// Pairs below the range rotate fast enough to keep their frequency; pairs above are interpolated.
fn correction_range(table: &RopeTable) -> (f32, f32) {
    let n = table.n_rot as f32;
    let pair = |rotations: f32| {
        n * (table.n_ctx_orig as f32 / (rotations * 2.0 * PI)).ln() / (2.0 * table.freq_base.ln())
    };
    let low = pair(table.beta_fast).floor().max(0.0);
    let high = pair(table.beta_slow).ceil().min(n - 1.0);
    (low, high)
}

pub(crate) fn rotate(rope: &Rope, x: &[f32], table: &[f32], y: &mut [f32]) {
    let half = rope.n_rot / 2;
    let turned = |sin: f32| if rope.inverse { -sin } else { sin };
    match rope.order {
        RopeOrder::Interleaved => {
            let pairs = x.chunks_exact(2).zip(y.chunks_exact_mut(2)).zip(table.chunks_exact(2));
            for ((x, y), t) in pairs.take(half) {
                let (cos, sin) = (t[0], turned(t[1]));
                y[0] = x[0] * cos - x[1] * sin;
                y[1] = x[0] * sin + x[1] * cos;
            }
        }
        RopeOrder::Neox => {
            let (low, high) = y[..rope.n_rot].split_at_mut(half);
            for i in 0..half {
                let (cos, sin) = (table[2 * i], turned(table[2 * i + 1]));
                low[i] = x[i] * cos - x[half + i] * sin;
                high[i] = x[i] * sin + x[half + i] * cos;
            }
        }
    }
    y[rope.n_rot..].copy_from_slice(&x[rope.n_rot..]);
}

pub(crate) fn temperature(t: &Temperature, positions: &[i32], y: &mut [f32]) {
    for (y, position) in y.iter_mut().zip(positions) {
        let periods = ((*position as f32 + t.offset) / t.period).floor();
        *y = 1.0 + t.scale * (periods + 1.0).ln();
    }
}
