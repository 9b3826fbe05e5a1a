//! Which type a tensor gets in a mix. The order of the rules matters; where they look odd, the numbers of bits were
//! found by trial on the models of their time.

use gguf::write::{Header, OwnedValue};
use quant::DType;

use super::architectures::Traits;
use super::{Category, Mix, layer_of};
use crate::{Error, Result};

use DType as T;
use Mix as M;

/// What the rules need to know of a model.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) arch: Traits,
    pub(crate) n_layer: usize,
    pub(crate) n_expert: usize,
    /// Query heads that share a key-value head.
    pub(crate) n_gqa: usize,
    /// See [`Traits::wide_values`].
    pub(crate) has_wide_values: bool,
}

impl Facts {
    /// Absent keys count as 0: not every file that can be quantized is a language model.
    pub(crate) fn of(header: &Header) -> Self {
        let name = match header.get("general.architecture") {
            Some(OwnedValue::String(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        };
        let number = |key: &str| header.get(&format!("{name}.{key}")).and_then(first_number);
        let n_layer = number("block_count").unwrap_or(0);
        let n_expert = number("expert_count").unwrap_or(0);
        let n_head = number("attention.head_count").unwrap_or(0);
        let n_head_kv = number("attention.head_count_kv").unwrap_or(n_head);
        let n_gqa = n_head.checked_div(n_head_kv).unwrap_or(0);
        let n_nextn = number("nextn_predict_layers").unwrap_or(0);
        let arch = Traits::of(&name);
        let has_wide_values = arch.wide_values.is_some_and(|wide| {
            n_layer.saturating_sub(n_nextn) == wide.n_layer && (!wide.grouped_only || n_head != n_head_kv)
        });
        Self { arch, n_layer, n_expert, n_gqa, has_wide_values }
    }
}

/// A number, or the first of a list with one for each layer.
fn first_number(value: &OwnedValue) -> Option<usize> {
    match value {
        OwnedValue::U32(n) => usize::try_from(*n).ok(),
        OwnedValue::I32(n) => usize::try_from(*n).ok(),
        OwnedValue::U64(n) => usize::try_from(*n).ok(),
        OwnedValue::I64(n) => usize::try_from(*n).ok(),
        OwnedValue::U16(n) => Some((*n).into()),
        OwnedValue::Array(_, values) => values.first().and_then(first_number),
        _ => None,
    }
}

/// The rules of one mix for one model. Tensors must come in the order of the new file: some rules count them.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) mix: Mix,
    pub(crate) facts: &'a Facts,
    pub(crate) has_imatrix: bool,
    /// Whether the output multiplies with the token embedding.
    pub(crate) is_tied: bool,
    /// What a tied embedding becomes, if the user said it.
    pub(crate) output_type: Option<DType>,
    /// How many tensors of [`Category::AttentionV`] there are.
    pub(crate) n_v: usize,
    pub(crate) seen: Seen,
}

/// Tensors that the rules saw, by category.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    v: usize,
    down: usize,
    gate: usize,
    up: usize,
}

impl Rules<'_> {
    /// The type of a tensor, before rows that are no whole blocks are looked at.
    pub(crate) fn pick(&mut self, name: &str, dims: &[u64]) -> Result<DType> {
        let base = self.mix.base();
        let is_delicate = self.facts.arch.at_least_q8_0.iter().any(|part| name.contains(part));
        if is_delicate && base.is_quantized() {
            return Ok(T::Q8_0);
        }
        let category = Category::of(name);
        match category {
            Category::Output => return Ok(self.output(dims)),
            Category::TokenEmbedding if self.is_tied => return Ok(self.output(dims)),
            _ if self.mix == M::MXFP4_MOE => return Ok(self.expert_or_not(category, dims)),
            Category::TokenEmbedding => return Ok(self.token_embedding()),
            _ => {}
        }
        if matches!(self.mix, M::IQ1_S | M::IQ1_M | M::IQ2_XXS | M::IQ2_XS | M::IQ2_S | M::IQ2_M) {
            return Ok(self.coarse(category));
        }
        Ok(match category {
            Category::AttentionV => self.attention_v(),
            Category::AttentionK if self.has_eight_experts() => T::Q8_0,
            Category::AttentionK | Category::AttentionQ => match self.mix {
                M::IQ3_XS => T::IQ3_XXS,
                M::IQ3_XXS => T::IQ2_S,
                _ => base,
            },
            Category::AttentionOutput => self.attention_output(),
            Category::FfnDown => {
                let layer = self.layer(name, self.seen.down)?;
                self.seen.down += 1;
                self.ffn_down(layer)
            }
            Category::FfnGate => {
                let layer = self.layer(name, self.seen.gate)?;
                self.seen.gate += 1;
                self.ffn_gate_or_up(layer)
            }
            Category::FfnUp => {
                let layer = self.layer(name, self.seen.up)?;
                self.seen.up += 1;
                self.ffn_gate_or_up(layer)
            }
            Category::Output | Category::TokenEmbedding | Category::Other => base,
        })
    }

    fn has_eight_experts(&self) -> bool {
        self.facts.n_expert == 8
    }

    fn has_grouped_heads(&self) -> bool {
        self.facts.n_gqa >= 4
    }

    /// The layer that counts for a rule: tensors come layer by layer, but not the experts of old files.
    fn layer(&self, name: &str, n_seen: usize) -> Result<usize> {
        let n_layer = self.facts.n_layer;
        if self.facts.n_expert <= 1 {
            return Ok(n_seen);
        }
        let layer = layer_of(name).filter(|layer| *layer < n_layer);
        layer.ok_or_else(|| Error::NoLayer { name: name.into(), n_layer })
    }

    fn output(&self, dims: &[u64]) -> DType {
        let base = self.mix.base();
        let is_ragged = !dims[0].is_multiple_of(base.block_len() as u64);
        match self.mix {
            _ if self.output_type.is_some() => self.output_type.unwrap_or(base),
            M::MXFP4_MOE => T::Q8_0,
            _ if self.facts.arch.has_frugal_mixes || is_ragged => T::Q8_0,
            M::IQ1_S | M::IQ1_M | M::IQ2_XXS | M::IQ2_XS | M::IQ2_S | M::IQ2_M | M::IQ3_XXS => T::Q5_K,
            M::Q8_0 => T::Q8_0,
            _ => T::Q6_K,
        }
    }

    fn expert_or_not(&self, category: Category, dims: &[u64]) -> DType {
        let is_ffn = matches!(category, Category::FfnUp | Category::FfnGate | Category::FfnDown);
        let is_expert =
            dims.get(2).is_some_and(|n| *n > 1) && (is_ffn || !self.facts.arch.has_3d_projections);
        if is_expert { T::MXFP4 } else { T::Q8_0 }
    }

    fn token_embedding(&self) -> DType {
        match self.mix {
            M::IQ1_S | M::IQ1_M | M::IQ2_XXS | M::IQ2_XS => T::Q2_K,
            M::IQ2_S | M::IQ2_M | M::IQ3_XXS => T::IQ3_S,
            M::TQ1_0 | M::TQ2_0 | M::Q2_0 => T::Q4_K,
            mix => mix.base(),
        }
    }

    /// The mixes below three bits have rules of their own.
    fn coarse(&mut self, category: Category) -> DType {
        let base = self.mix.base();
        let better = if matches!(self.mix, M::IQ2_S | M::IQ2_M) { T::IQ3_S } else { T::Q2_K };
        match category {
            Category::AttentionV if self.has_grouped_heads() || self.facts.n_expert >= 4 => T::Q4_K,
            Category::AttentionV => better,
            Category::AttentionK if self.has_eight_experts() => T::Q4_K,
            Category::FfnDown => {
                self.seen.down += 1;
                if self.seen.down <= self.facts.n_layer / 8 { better } else { base }
            }
            Category::AttentionOutput if self.has_eight_experts() => T::Q5_K,
            Category::AttentionOutput => match self.mix {
                M::IQ1_S | M::IQ1_M => T::IQ2_XXS,
                M::IQ2_S | M::IQ2_M => T::IQ3_S,
                _ => base,
            },
            _ => base,
        }
    }

    fn attention_v(&mut self) -> DType {
        let i = self.seen.v;
        self.seen.v += 1;
        let grouped = self.has_grouped_heads();
        let ty = match self.mix {
            M::Q2_K if !grouped => T::Q3_K,
            M::IQ3_XXS if !grouped && !self.has_imatrix => T::IQ3_S,
            M::Q2_K | M::Q2_K_S | M::IQ3_XXS | M::IQ3_XS | M::IQ3_S if grouped => T::Q4_K,
            M::IQ3_M => T::Q4_K,
            M::Q3_K_M if i < 2 => T::Q5_K,
            M::Q3_K_M => T::Q4_K,
            M::Q3_K_L => T::Q5_K,
            M::IQ4_NL | M::IQ4_XS if grouped => T::Q5_K,
            M::Q4_K_M | M::Q5_K_M if deserves_more(i, self.n_v) => T::Q6_K,
            M::Q4_K_S if i < 4 => T::Q5_K,
            mix => mix.base(),
        };
        match ty {
            _ if self.has_eight_experts() => T::Q8_0,
            T::Q3_K | T::Q4_K if self.facts.has_wide_values => T::Q5_K,
            ty => ty,
        }
    }

    fn attention_output(&self) -> DType {
        let base = self.mix.base();
        if self.facts.arch.has_frugal_mixes {
            return if self.mix == M::Q3_K_L { T::Q4_K } else { base };
        }
        if self.has_eight_experts() {
            return match self.mix {
                M::Q2_K | M::Q3_K_S | M::Q3_K_M | M::Q4_K_S | M::Q4_K_M => T::Q5_K,
                M::IQ3_XXS | M::IQ3_XS | M::IQ3_S | M::IQ3_M | M::IQ4_NL | M::IQ4_XS => T::Q5_K,
                _ => base,
            };
        }
        match self.mix {
            M::Q2_K => T::Q3_K,
            M::IQ3_XXS => T::IQ3_S,
            M::Q3_K_M | M::IQ3_M => T::Q4_K,
            M::Q3_K_L => T::Q5_K,
            _ => base,
        }
    }

    fn ffn_down(&self, i: usize) -> DType {
        let n = self.facts.n_layer;
        let is_early = i < n / 8;
        let is_frugal = self.facts.arch.has_frugal_mixes;
        match self.mix {
            M::Q2_K => T::Q3_K,
            M::Q2_K_S if is_early => T::Q4_K,
            M::IQ3_XXS if !self.has_imatrix && is_early => T::Q4_K,
            M::IQ3_XXS if !self.has_imatrix => T::Q3_K,
            M::Q3_K_M if i < n / 16 => T::Q5_K,
            M::Q3_K_M if !is_frugal || deserves_more(i, n) => T::Q4_K,
            M::Q3_K_M => T::Q3_K,
            M::IQ3_M if is_early || (self.has_eight_experts() && deserves_more(i, n)) => T::Q4_K,
            M::Q3_K_L if is_frugal => T::Q4_K,
            M::Q3_K_L => T::Q5_K,
            M::Q4_K_M if is_frugal && i < n / 16 => T::Q6_K,
            M::Q4_K_M if is_frugal && deserves_more(i, n) => T::Q5_K,
            M::Q4_K_M if is_frugal => T::Q4_K,
            M::Q4_K_M | M::Q5_K_M if deserves_more(i, n) => T::Q6_K,
            M::IQ4_NL | M::IQ4_XS if is_early && !self.has_imatrix => T::Q5_K,
            M::Q4_K_S if is_early && !is_frugal => T::Q5_K,
            // With importance the first layers can go astray, and an offset holds them. Without it stays as it
            // always was.
            M::Q4_0 if is_early && self.has_imatrix => T::Q4_1,
            M::Q5_0 if is_early && self.has_imatrix => T::Q5_1,
            mix => mix.base(),
        }
    }

    fn ffn_gate_or_up(&self, i: usize) -> DType {
        let n = self.facts.n_layer;
        let is_inner = i >= n / 8 && i < 7 * n / 8;
        if self.mix == M::IQ3_XS && is_inner { T::IQ3_XXS } else { self.mix.base() }
    }
}

/// Layers that matter more: the first and the last, and every third between.
fn deserves_more(i: usize, n: usize) -> bool {
    i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2
}
