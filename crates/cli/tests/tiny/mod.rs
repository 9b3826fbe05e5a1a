//! A model file of a few kilobytes with random weights: all bytes are its tokens. Says nothing sensible.

use std::iter;

use gguf::write::{Builder, OwnedValue};
use gguf::{TensorType, ValueType};

const N_EMBD: u64 = 32;
const N_FF: u64 = 64;
/// `<unk> <s> </s>`, all bytes, and the visible space.
pub(crate) const N_VOCAB: u64 = 260;

const TEMPLATE: &str = r#"{% for m in messages %}<|{{ m.role }}|>{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content or '' }}{% for c in m.tool_calls or [] %}<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>{% endfor %}
{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}{% if add_generation_prompt %}<|assistant|>{% if enable_thinking is defined and enable_thinking %}<think>{% endif %}{% endif %}"#;

/// With `more` metadata.
pub(crate) fn model(more: &[(&str, OwnedValue)]) -> Vec<u8> {
    let mut file = Builder::new();
    let text = |text: &str| OwnedValue::String(text.into());
    for (key, n) in [
        ("context_length", 512),
        ("embedding_length", N_EMBD as u32),
        ("block_count", 1),
        ("feed_forward_length", N_FF as u32),
        ("attention.head_count", 2),
        ("rope.dimension_count", 16),
    ] {
        file.value(&format!("llama.{key}"), OwnedValue::U32(n));
    }
    file.value("general.architecture", text("llama")).value("tokenizer.ggml.model", text("llama"));
    file.value("llama.attention.layer_norm_rms_epsilon", OwnedValue::F32(1e-5));
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let tokens = ["<unk>", "<s>", "</s>"].map(str::to_owned).into_iter().chain(bytes).chain(["▁".to_owned()]);
    let tokens = tokens.map(|token| OwnedValue::String(token.into_bytes())).collect();
    let types = [2, 3, 3].into_iter().chain([6; 256]).chain([1]).map(OwnedValue::I32).collect();
    file.value("tokenizer.ggml.tokens", OwnedValue::Array(ValueType::String, tokens));
    file.value("tokenizer.ggml.token_type", OwnedValue::Array(ValueType::I32, types));
    let scores = iter::repeat_n(OwnedValue::F32(0.0), N_VOCAB as usize).collect();
    file.value("tokenizer.ggml.scores", OwnedValue::Array(ValueType::F32, scores));
    file.value("tokenizer.ggml.add_space_prefix", OwnedValue::Bool(false));
    file.value("tokenizer.chat_template", text(TEMPLATE));
    for (key, value) in more {
        file.value(key, value.clone());
    }
    let f32 = TensorType::all().find(|ty| ty.name() == "F32").expect("a type");
    let mut seed = 1u32;
    let mut tensor = |name: &str, dims: &[u64]| {
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as f32 / 65_536.0 - 0.5
        };
        let n: u64 = dims.iter().product();
        let is_norm = name.ends_with("norm.weight");
        let value = |_| if is_norm { 1.0 } else { next() };
        let data = (0..n).map(value).flat_map(f32::to_le_bytes).collect();
        file.tensor(name, dims, f32, data);
    };
    tensor("token_embd.weight", &[N_EMBD, N_VOCAB]);
    for name in ["attn_norm", "ffn_norm"] {
        tensor(&format!("blk.0.{name}.weight"), &[N_EMBD]);
    }
    for name in ["attn_q", "attn_k", "attn_v", "attn_output"] {
        tensor(&format!("blk.0.{name}.weight"), &[N_EMBD, N_EMBD]);
    }
    tensor("blk.0.ffn_gate.weight", &[N_EMBD, N_FF]);
    tensor("blk.0.ffn_up.weight", &[N_EMBD, N_FF]);
    tensor("blk.0.ffn_down.weight", &[N_FF, N_EMBD]);
    tensor("output_norm.weight", &[N_EMBD]);
    file.to_bytes().expect("a valid file")
}
