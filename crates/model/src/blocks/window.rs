//! Which layers see only a window of the tokens before them.

use super::{AttentionSpec, Error, Hparams, Mask, Result, Source};

/// Where the full layer is among the layers of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    First,
    Last,
}

/// A model's sliding window.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Tokens that a window layer sees.
    n: usize,
    is_window: Vec<bool>,
    /// Rotary base of window layers, if the file gives one.
    pub(crate) freq_base: Option<f32>,
}

impl Window {
    /// The file's window, if it has one: layers by its pattern, or else one full layer in `period`.
    pub(crate) fn load(at: &Source<'_>, hp: &Hparams, period: usize, full: Full) -> Result<Option<Self>> {
        match at.get("attention.sliding_window")? {
            None | Some(0) => Ok(None),
            Some(n) => Self::of(at, hp, n, period, full).map(Some),
        }
    }

    /// A window of `n` tokens.
    pub(crate) fn of(at: &Source<'_>, hp: &Hparams, n: usize, period: usize, full: Full) -> Result<Self> {
        let is_window = match pattern(at, hp.n_layer)? {
            Some(Pattern::Layers(layers)) => layers,
            Some(Pattern::Period(period)) => every(hp.n_layer, period, full),
            None => every(hp.n_layer, period, full),
        };
        Ok(Self { n, is_window, freq_base: at.get("rope.freq_base_swa")? })
    }

    /// Whether layer `at` is one of the window's.
    pub(crate) fn covers(&self, at: &Source<'_>) -> bool {
        self.is_window.get(at.index()).copied().unwrap_or(false)
    }

    /// Tokens that layer `at` sees, if it is one of the window's.
    pub(crate) fn width(&self, at: &Source<'_>) -> Result<Option<usize>> {
        match (self.covers(at), self.n) {
            (false, _) => Ok(None),
            (true, 0) => Err(Error::value(&at.full_key("attention.sliding_window"), 0, "must be positive")),
            (true, n) => Ok(Some(n)),
        }
    }

    /// The attention of a layer, seeing less if the window covers it, with the positions of other layers. Where tokens
    /// see both ways, half of the window is on either side.
    pub(crate) fn mask(&self, at: &Source<'_>, spec: AttentionSpec) -> AttentionSpec {
        let mask = match spec.mask {
            mask if !self.covers(at) => mask,
            Mask::All => Mask::Symmetric(self.n),
            _ => Mask::Window(self.n),
        };
        AttentionSpec { mask, ..spec }
    }

    /// The same, with positions from the window's rotary base.
    pub(crate) fn narrow(&self, at: &Source<'_>, spec: AttentionSpec) -> AttentionSpec {
        let spec = self.mask(at, spec);
        let base = self.freq_base.filter(|_| self.covers(at));
        AttentionSpec { rope: spec.rope.map(|rope| base.map_or(rope, |base| rope.based(base))), ..spec }
    }

    /// The same, with the window's positions neither scaled nor stretched, by default from the base 10000 (Gemma 3).
    pub(crate) fn narrow_unscaled(&self, at: &Source<'_>, spec: AttentionSpec) -> AttentionSpec {
        let spec = self.narrow(at, spec);
        if !self.covers(at) {
            return spec;
        }
        let base = self.freq_base.unwrap_or(10000.0);
        AttentionSpec { rope: spec.rope.map(|rope| rope.unscaled(base)), ..spec }
    }
}

enum Pattern {
    Layers(Vec<bool>),
    Period(usize),
}

fn pattern(at: &Source<'_>, n_layer: usize) -> Result<Option<Pattern>> {
    let key = "attention.sliding_window_pattern";
    if let Ok(Some(period)) = at.get::<u32>(key) {
        return Ok(Some(Pattern::Period(period as usize)));
    }
    let layers = at.flags(key)?;
    let Some(layers) = layers else {
        return Ok(None);
    };
    if layers.len() < n_layer {
        let found = format!("an array of {}", layers.len());
        return Err(Error::value(&at.full_key(key), found, format!("but there are {n_layer} layers")));
    }
    Ok(Some(Pattern::Layers(layers)))
}

/// All layers but one in `period`; all of them for a period of 0.
fn every(n_layer: usize, period: usize, full: Full) -> Vec<bool> {
    let is_full = |i: usize| match (period, full) {
        (0, _) => false,
        (_, Full::First) => i.is_multiple_of(period),
        (_, Full::Last) => i % period == period - 1,
    };
    (0..n_layer).map(|i| !is_full(i)).collect()
}
