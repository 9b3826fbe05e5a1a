//! What a real model's template shows of an earlier answer is how that model answers: read back, it must be the same.

use chat::{
    AnswerOptions, AnswerParser, Dialect, Message, RenderOptions, Role, Specials, Template, Tool, ToolCall,
};
use serde_json::{Value, json};

/// Template, its dialect, and how many calls it shows in one message: 0 if it shows none.
#[rustfmt::skip]
const MODELS: &[(&str, &str, usize)] = &[
    ("Apertus-8B-Instruct.jinja", "derived", 2),
    ("Apriel-1.6-15b-Thinker-fixed.jinja", "derived", 2),
    ("Bielik-11B-v3.0-Instruct.jinja", "derived", 2),
    ("ByteDance-Seed-OSS.jinja", "derived", 2),
    ("Cohere2MoE.jinja", "command-a", 2),
    ("CohereForAI-c4ai-command-r-plus-tool_use.jinja", "derived", 0),
    ("CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja", "command-a", 2),
    ("GLM-4.6.jinja", "ling-3", 2),
    ("GLM-4.7-Flash.jinja", "ling-3", 2),
    ("GigaChat3-10B-A1.8B.jinja", "gigachat-v3", 1),
    ("GigaChat3.1-10B-A1.8B.jinja", "derived", 1),
    ("HuggingFaceTB-SmolLM3-3B.jinja", "derived", 0),
    ("Kimi-K2-Instruct.jinja", "kimi-k2", 2),
    ("Kimi-K2-Thinking.jinja", "kimi-k2", 2),
    ("Kimi-K3.jinja", "kimi-k3", 2),
    ("LFM2-8B-A1B.jinja", "lfm2", 0),
    ("LFM2.5-8B-A1B.jinja", "lfm2", 2),
    ("LFM2.5-Instruct.jinja", "lfm2", 0),
    ("MiMo-VL.jinja", "derived", 2),
    ("MiniMax-M1.jinja", "derived", 2),
    ("MiniMax-M2.jinja", "derived", 2),
    ("MiniMax-M3.jinja", "minimax-m3", 2),
    ("Mistral-Small-3.2-24B-Instruct-2506.jinja", "derived", 2),
    ("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja", "qwen3-coder", 2),
    ("NVIDIA-Nemotron-Nano-v2.jinja", "derived", 2),
    ("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", "derived", 2),
    ("NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", "derived", 2),
    ("Qwen-QwQ-32B.jinja", "derived", 2),
    ("Qwen-Qwen2.5-7B-Instruct.jinja", "derived", 2),
    ("Qwen-Qwen3-0.6B.jinja", "derived", 2),
    ("Qwen3-Coder.jinja", "qwen3-coder", 2),
    ("Qwen3.5-4B.jinja", "qwen3-coder", 2),
    ("Reka-Edge.jinja", "derived", 2),
    ("Spark2.5.jinja", "ling-3", 2),
    ("StepFun3.5-Flash.jinja", "qwen3-coder", 2),
    ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", "derived", 0),
    ("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", "derived", 2),
    ("deepseek-ai-DeepSeek-V3.1.jinja", "derived", 2),
    ("deepseek-ai-DeepSeek-V3.2.jinja", "deepseek-dsml", 2),
    ("deepseek-ai-DeepSeek-V4-Flash-0731.jinja", "deepseek-dsml", 2),
    ("deepseek-ai-DeepSeek-V4.jinja", "deepseek-dsml", 2),
    ("fireworks-ai-llama-3-firefunction-v2.jinja", "derived", 0),
    ("google-gemma-2-2b-it.jinja", "derived", 0),
    ("google-gemma-4-31B-it-interleaved.jinja", "gemma-4", 2),
    ("google-gemma-4-31B-it.jinja", "gemma-4", 2),
    ("ibm-granite-granite-3.3-2B-Instruct.jinja", "derived", 0),
    ("ibm-granite-granite-4.0.jinja", "derived", 2),
    ("ibm-granite-granite-4.1.jinja", "derived", 2),
    ("inclusionai-ling-3.0-flash.jinja", "ling-3", 2),
    ("llama-cpp-deepseek-r1.jinja", "derived", 2),
    ("llama-cpp-rwkv-world.jinja", "derived", 0),
    ("meetkai-functionary-medium-v3.1.jinja", "derived", 2),
    ("meetkai-functionary-medium-v3.2.jinja", "functionary-v3.2", 2),
    ("meta-llama-Llama-3.1-8B-Instruct.jinja", "derived", 1),
    ("meta-llama-Llama-3.2-3B-Instruct.jinja", "derived", 1),
    ("meta-llama-Llama-3.3-70B-Instruct.jinja", "derived", 1),
    ("microsoft-Phi-3.5-mini-instruct.jinja", "derived", 0),
    ("mistralai-Ministral-3-14B-Reasoning-2512.jinja", "ministral-3", 2),
    ("mistralai-Mistral-Nemo-Instruct-2407.jinja", "derived", 2),
    ("moonshotai-Kimi-K2.jinja", "kimi-k2", 2),
    ("muse-glimmer.jinja", "muse-glimmer", 2),
    ("openai-gpt-oss-120b.jinja", "gpt-oss", 1),
    ("openbmb-MiniCPM5-1B.jinja", "minicpm-5", 2),
    ("poolside-Laguna-S-2.1.jinja", "ling-3", 2),
    ("poolside-Laguna-XS-2.1.jinja", "ling-3", 2),
    ("poolside-Laguna-XS.2.jinja", "ling-3", 2),
    ("tencent-Hy3.jinja", "derived", 2),
    ("unsloth-Apriel-1.5.jinja", "derived", 2),
    ("unsloth-mistral-Devstral-Small-2507.jinja", "ministral-3", 2),
    ("upstage-Solar-Open-100B.jinja", "derived", 2),
];

fn tool(name: &str, properties: &Value) -> Tool {
    let parameters = json!({ "type": "object", "properties": properties });
    Tool { name: name.to_owned(), description: Some("A tool.".to_owned()), parameters }
}

fn call(id: &str, name: &str, arguments: &Value) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_string() }
}

/// The answer as the template shows it, and the end of the prompt before it.
fn shown(template: &Template, answer: Message, mut options: RenderOptions) -> (String, String) {
    let question = Message::new(Role::User, "How warm is it?");
    let prompt = template.render(std::slice::from_ref(&question), &options).expect("a question");
    options.add_generation_prompt = false;
    let whole = template.render(&[question, answer], &options).expect("an answer").text;
    let same = whole.char_indices().zip(prompt.text.chars()).find(|((_, a), b)| a != b);
    let mut start = same.map_or(prompt.text.len().min(whole.len()), |((at, _), _)| at);
    // Two tags may begin alike.
    if let Some(open) = whole[..start].rfind('<').filter(|open| !whole[*open..start].contains('>')) {
        start = open;
    }
    let begun = prompt.generation_prompt.len().saturating_sub(prompt.text.len().saturating_sub(start));
    (whole[start..].to_owned(), prompt.generation_prompt.get(..begun).unwrap_or_default().to_owned())
}

fn check(name: &str, dialect: &str, n_calls: usize) {
    let template = Template::new(&crate::cache::template(name), &Specials::default()).expect(name);
    let found = Dialect::of(&template);
    assert_eq!(found.name(), dialect, "{name}");
    let capabilities = template.capabilities();
    let shows = usize::from(capabilities.tool_calls) + usize::from(capabilities.parallel_tool_calls);
    assert_eq!(shows, n_calls, "{name}: {capabilities:?}");
    let tools = vec![
        tool("get_weather", &json!({ "city": { "type": "string" }, "days": { "type": "integer" } })),
        tool("add", &json!({ "a": { "type": "number" } })),
    ];
    let calls = [
        call("abcdef123", "get_weather", &json!({ "city": "Zürich", "days": 3 })),
        call("abcdef124", "add", &json!({ "a": 1.5 })),
    ];
    if n_calls == 0 {
        return;
    }
    let mut answer = Message::new(Role::Assistant, "");
    answer.tool_calls = calls[..n_calls].to_vec();
    let declared = if capabilities.tools { tools.clone() } else { Vec::new() };
    let (text, generation_prompt) =
        shown(&template, answer, RenderOptions { tools: declared, ..Default::default() });
    let options = AnswerOptions { tools, generation_prompt, ..Default::default() };
    let read = AnswerParser::parse(&found, &options, &text);
    assert_eq!(read.tool_calls.len(), n_calls, "{name}: {text}\n{read:?}");
    for (read, call) in read.tool_calls.iter().zip(&calls) {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("arguments are JSON");
        assert_eq!(
            (&read.name, json(&read.arguments)),
            (&call.name, json(&call.arguments)),
            "{name}: {text}"
        );
    }
    assert!(!read.malformed && read.reasoning.is_empty(), "{name}: {text}\n{read:?}");
}

#[test]
fn calls_are_read_back_from_every_template() {
    for (name, dialect, n_calls) in MODELS {
        check(name, dialect, *n_calls);
    }
}

/// Templates that show the last answer's reasoning.
const THINKERS: &[&str] = &[
    "Qwen-Qwen3-0.6B.jinja",
    "GLM-4.6.jinja",
    "ByteDance-Seed-OSS.jinja",
    "openai-gpt-oss-120b.jinja",
    "MiniMax-M2.jinja",
    "Kimi-K3.jinja",
    "upstage-Solar-Open-100B.jinja",
    "tencent-Hy3.jinja",
];

#[test]
fn reasoning_is_read_back() {
    for name in THINKERS {
        let template = Template::new(&crate::cache::template(name), &Specials::default()).expect(name);
        let mut answer = Message::new(Role::Assistant, "It is warm.");
        answer.reasoning = Some("Hm, let me see.".to_owned());
        let options = RenderOptions { thinking: Some(true), ..Default::default() };
        let (text, generation_prompt) = shown(&template, answer, options);
        let options = AnswerOptions { generation_prompt, ..Default::default() };
        let read = AnswerParser::parse(&Dialect::of(&template), &options, &text);
        assert_eq!(read.reasoning, "Hm, let me see.", "{name}: {text:?}\n{options:?}");
        assert!(read.content.starts_with("It is warm."), "{name}: {text:?}\n{read:?}");
    }
}
