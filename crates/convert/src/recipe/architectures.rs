//! What the recipes must know of single architectures: the few that differ from the rest. Any file can be quantized, so
//! these are not only the architectures that run.

/// What is particular about an architecture when its weights are quantized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Tensors with these parts in their names keep their type.
    pub(crate) kept: &'static [&'static str],
    /// Tensors with these parts in their names get no less than `Q8_0`.
    pub(crate) at_least_q8_0: &'static [&'static str],
    /// Whether the K mixes spend fewer bits on `ffn_down` and `attn_output`, and more on the output.
    pub(crate) has_frugal_mixes: bool,
    /// Whether projections of attention have three dimensions, as else only experts have.
    pub(crate) has_3d_projections: bool,
    /// The models whose values are so small a part, shared by many heads, that they get more bits.
    pub(crate) wide_values: Option<WideValues>,
}

/// Tells the largest models of a family, by their depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WideValues {
    pub(crate) n_layer: usize,
    /// Only if several query heads share a key-value head.
    pub(crate) grouped_only: bool,
}

impl Traits {
    /// The traits of the architecture of this name; for most names, no particular ones.
    pub(crate) fn of(name: &str) -> Self {
        let wide = |n_layer| Some(WideValues { n_layer, grouped_only: false });
        let grouped = |n_layer| Some(WideValues { n_layer, grouped_only: true });
        match name {
            "llama" | "llama-embed" => Self { wide_values: grouped(80), ..Self::default() },
            "qwen2" | "deci" | "olmo" => Self { wide_values: wide(80), ..Self::default() },
            "jais2" => Self { wide_values: wide(68), ..Self::default() },
            "falcon" => Self { has_frugal_mixes: true, ..Self::default() },
            "bailingmoe3" => Self { has_3d_projections: true, ..Self::default() },
            "glm5-next" => Self {
                kept: &[
                    "hc_",
                    "indexer.attn_q_b",
                    "indexer.attn_k",
                    "indexer.proj",
                    "indexer_compressor_gate",
                    "indexer_compressor_ape",
                    "ssm_f_a.weight",
                    "ssm_f_b.weight",
                    "ssm_g_a.weight",
                    "ssm_g_b.weight",
                    "ssm_beta.weight",
                    "attn_kv_a_mqa.weight",
                    "attn_k_b.weight",
                    "attn_v_b.weight",
                ],
                at_least_q8_0: &["attn_q_a", "attn_q_b", "nextn.eh_proj"],
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}
