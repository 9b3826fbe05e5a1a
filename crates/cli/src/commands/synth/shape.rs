//! The sizes of synthetic models: those of well-known models of the Llama family.

use crate::args::ShapeName;

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) n_embd: usize,
    pub(super) n_layer: usize,
    pub(super) n_head: usize,
    pub(super) n_head_kv: usize,
    pub(super) head_dim: usize,
    /// Of an expert, where there are experts.
    pub(super) n_ff: usize,
    pub(super) n_vocab: usize,
    /// 0: dense.
    pub(super) n_expert: usize,
    pub(super) n_expert_used: usize,
}

impl Shape {
    pub(super) fn of(name: ShapeName) -> Self {
        let b1 = Self {
            name: "1b",
            n_embd: 2048,
            n_layer: 16,
            n_head: 32,
            n_head_kv: 8,
            head_dim: 64,
            n_ff: 8192,
            n_vocab: 49_152,
            n_expert: 0,
            n_expert_used: 0,
        };
        match name {
            ShapeName::B1 => b1,
            ShapeName::B3 => Self { name: "3b", n_embd: 3072, n_layer: 28, n_head: 24, head_dim: 128, ..b1 },
            ShapeName::B8 => {
                Self { name: "8b", n_embd: 4096, n_layer: 32, head_dim: 128, n_ff: 14_336, ..b1 }
            }
            ShapeName::Moe => Self { name: "moe", n_ff: 1024, n_expert: 32, n_expert_used: 4, ..b1 },
        }
    }
}
