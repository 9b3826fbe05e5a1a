//! What a tensor is for, by its name: all that the recipes know of a model's structure.

/// The part that a weight plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    Output,
    TokenEmbedding,
    AttentionQ,
    AttentionK,
    /// Values, alone or joined with others: the most delicate part of attention.
    AttentionV,
    AttentionOutput,
    FfnUp,
    FfnGate,
    FfnDown,
    Other,
}

impl Category {
    pub(crate) fn of(name: &str) -> Self {
        const BY_PART: [(&str, Category); 9] = [
            ("attn_qkv.weight", Category::AttentionV),
            ("attn_kv_b.weight", Category::AttentionV),
            ("attn_v.weight", Category::AttentionV),
            ("attn_k.weight", Category::AttentionK),
            ("attn_q.weight", Category::AttentionQ),
            ("attn_output.weight", Category::AttentionOutput),
            ("ffn_up", Category::FfnUp),
            ("ffn_gate", Category::FfnGate),
            ("ffn_down", Category::FfnDown),
        ];
        if name == "output.weight" {
            return Self::Output;
        }
        if is_token_embedding(name) {
            return Self::TokenEmbedding;
        }
        let found = BY_PART.iter().find(|(part, _)| name.contains(part));
        found.map_or(Self::Other, |(_, category)| *category)
    }
}

pub(crate) fn is_token_embedding(name: &str) -> bool {
    matches!(name, "token_embd.weight" | "per_layer_token_embd.weight")
}

/// The layer of `blk.N.`, with which the name begins.
pub(crate) fn layer_of(name: &str) -> Option<usize> {
    let (layer, _) = name.strip_prefix("blk.")?.split_once('.')?;
    layer.parse().ok()
}
