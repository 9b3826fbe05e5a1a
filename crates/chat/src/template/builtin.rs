//! The chat formats known by name (`--chat-template NAME`), for models whose file has no template. Most are a table
//! row; each becomes a template like any other. They know no tools.

use std::fmt::Write as _;

/// Names in the order of the table, for messages and completions.
pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name).chain(WRITTEN.iter().map(|(name, _)| *name))
}

/// The template text of a known name.
#[must_use]
pub fn source(name: &str) -> Option<String> {
    let written = || WRITTEN.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    ROWS.iter().find(|row| row.name == name).map(Row::template).or_else(written)
}

struct Row {
    name: &'static str,
    /// Before everything.
    start: &'static str,
    /// Role and its text; `*` is every other role, and roles without a text are left out. In a text `{r}` is the
    /// role, `{c}` the content and `{t}` the content without white space around it.
    turns: &'static [(&'static str, &'static str)],
    /// What asks the model to answer.
    ask: &'static str,
}

const fn row(
    name: &'static str,
    start: &'static str,
    turns: &'static [(&'static str, &'static str)],
    ask: &'static str,
) -> Row {
    Row { name, start, turns, ask }
}

impl Row {
    fn template(&self) -> String {
        let mut out = String::new();
        literal(&mut out, self.start);
        out.push_str("{% for m in messages %}");
        let mut word = "if";
        let named = self.turns.iter().filter(|(role, _)| *role != "*");
        for (role, text) in named {
            let _ = write!(out, "{{% {word} m.role == '{role}' %}}");
            pattern(&mut out, text);
            word = "elif";
        }
        match (self.turns.iter().find(|(role, _)| *role == "*"), word) {
            (Some((_, text)), "if") => pattern(&mut out, text),
            (Some((_, text)), _) => {
                out.push_str("{% else %}");
                pattern(&mut out, text);
                out.push_str("{% endif %}");
            }
            (None, _) => out.push_str("{% endif %}"),
        }
        out.push_str("{% endfor %}");
        if !self.ask.is_empty() {
            out.push_str("{% if add_generation_prompt %}");
            literal(&mut out, self.ask);
            out.push_str("{% endif %}");
        }
        out
    }
}

fn pattern(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find("{r}").into_iter().chain(rest.find("{c}")).chain(rest.find("{t}")).min() {
        literal(out, &rest[..at]);
        out.push_str(match &rest[at..at + 3] {
            "{r}" => "{{ m.role }}",
            "{c}" => "{{ m.content }}",
            _ => "{{ m.content|trim }}",
        });
        rest = &rest[at + 3..];
    }
    literal(out, rest);
}

/// As an expression, so that white space counts and no tag is seen in it.
fn literal(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(out, "{{{{ '{}' }}}}", text.replace('\n', "\\n"));
    }
}

const LLAMA3: &[(&str, &str)] = &[("*", "<|start_header_id|>{r}<|end_header_id|>\n\n{t}<|eot_id|>")];
const MISTRAL_V7: &[(&str, &str)] =
    &[("system", "[SYSTEM_PROMPT] {c}[/SYSTEM_PROMPT]"), ("user", "[INST] {c}[/INST]"), ("*", " {c}</s>")];
const MISTRAL_V7_TEKKEN: &[(&str, &str)] =
    &[("system", "[SYSTEM_PROMPT]{c}[/SYSTEM_PROMPT]"), ("user", "[INST]{c}[/INST]"), ("*", "{c}</s>")];
const EXAONE: &[(&str, &str)] = &[
    ("system", "[|system|]{t}[|endofturn|]\n"),
    ("user", "[|user|]{t}\n"),
    ("assistant", "[|assistant|]{t}[|endofturn|]\n"),
];
const EXAONE4: &[(&str, &str)] = &[
    ("system", "[|system|]{t}[|endofturn|]\n"),
    ("user", "[|user|]{t}\n"),
    ("assistant", "[|assistant|]{t}[|endofturn|]\n"),
    ("tool", "[|tool|]{t}[|endofturn|]\n"),
];
const EXAONE_MOE: &[(&str, &str)] = &[
    ("system", "<|system|>\n{t}<|endofturn|>\n"),
    ("user", "<|user|>\n{t}<|endofturn|>\n"),
    ("assistant", "<|assistant|>\n{t}<|endofturn|>\n"),
    ("tool", "<|tool|>\n{t}<|endofturn|>\n"),
];
const COMMAND_R: &[(&str, &str)] = &[
    ("system", "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{t}<|END_OF_TURN_TOKEN|>"),
    ("user", "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{t}<|END_OF_TURN_TOKEN|>"),
    ("assistant", "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{t}<|END_OF_TURN_TOKEN|>"),
];
const GRANITE3: &[(&str, &str)] = &[
    ("assistant_tool_call", "<|start_of_role|>{r}<|end_of_role|><|tool_call|>{c}<|end_of_text|>\n"),
    ("*", "<|start_of_role|>{r}<|end_of_role|>{c}<|end_of_text|>\n"),
];
const GRANITE4: &[(&str, &str)] = &[
    ("assistant_tool_call", "<|start_of_role|>assistant<|end_of_role|><|tool_call|>{c}<|end_of_text|>\n"),
    ("*", "<|start_of_role|>{r}<|end_of_role|>{c}<|end_of_text|>\n"),
];
const GRANITE_ASK: &str = "<|start_of_role|>assistant<|end_of_role|>";
const BAILING: &[(&str, &str)] = &[
    ("user", "<role>HUMAN</role>{c}"),
    ("system", "<role>SYSTEM</role>{c}"),
    ("assistant", "<role>ASSISTANT</role>{c}"),
    ("tool", "<role>TOOL</role>{c}"),
];
const KIMI: &[(&str, &str)] = &[
    ("system", "<|im_system|>system<|im_middle|>{c}<|im_end|>"),
    ("user", "<|im_user|>user<|im_middle|>{c}<|im_end|>"),
    ("assistant", "<|im_assistant|>assistant<|im_middle|>{c}<|im_end|>"),
    ("tool", "<|im_system|>tool<|im_middle|>{c}<|im_end|>"),
    ("*", "{c}<|im_end|>"),
];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("chatml", "", &[("*", "<|im_start|>{r}\n{c}<|im_end|>\n")], "<|im_start|>assistant\n"),
    row("mistral-v7", "", MISTRAL_V7, ""),
    row("mistral-v7-tekken", "", MISTRAL_V7_TEKKEN, ""),
    row("phi3", "", &[("*", "<|{r}|>\n{c}<|end|>\n")], "<|assistant|>\n"),
    row("phi4", "", &[("*", "<|im_start|>{r}<|im_sep|>{c}<|im_end|>")], "<|im_start|>assistant<|im_sep|>"),
    row("falcon3", "", &[("*", "<|{r}|>\n{c}\n")], "<|assistant|>\n"),
    row("zephyr", "", &[("*", "<|{r}|>\n{c}<|endoftext|>\n")], "<|assistant|>\n"),
    row("openchat", "", &[("system", "{c}<|end_of_turn|>"), ("user", "GPT4 Correct User: {c}<|end_of_turn|>"), ("assistant", "GPT4 Correct Assistant: {c}<|end_of_turn|>")], "GPT4 Correct Assistant:"),
    row("vicuna", "", &[("system", "{c}\n\n"), ("user", "USER: {c}\n"), ("assistant", "ASSISTANT: {c}</s>\n")], "ASSISTANT:"),
    row("vicuna-orca", "", &[("system", "SYSTEM: {c}\n"), ("user", "USER: {c}\n"), ("assistant", "ASSISTANT: {c}</s>\n")], "ASSISTANT:"),
    row("deepseek", "", &[("system", "{c}"), ("user", "### Instruction:\n{c}\n"), ("assistant", "### Response:\n{c}\n<|EOT|>\n")], "### Response:\n"),
    row("deepseek2", "", &[("system", "{c}\n\n"), ("user", "User: {c}\n\n"), ("assistant", "Assistant: {c}<｜end▁of▁sentence｜>")], "Assistant:"),
    row("deepseek3", "", &[("system", "{c}\n\n"), ("user", "<｜User｜>{c}"), ("assistant", "<｜Assistant｜>{c}<｜end▁of▁sentence｜>")], "<｜Assistant｜>"),
    row("deepseek-ocr", "", &[("*", "{c}")], ""),
    row("command-r", "", COMMAND_R, "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"),
    row("llama3", "", LLAMA3, "<|start_header_id|>assistant<|end_header_id|>\n\n"),
    row("chatglm3", "[gMASK]sop", &[("*", "<|{r}|>\n {c}")], "<|assistant|>"),
    row("chatglm4", "[gMASK]<sop>", &[("*", "<|{r}|>\n{c}")], "<|assistant|>\n"),
    row("glmedge", "", &[("*", "<|{r}|>\n{c}")], "<|assistant|>"),
    row("minicpm", "", &[("user", "<用户>{t}<AI>"), ("*", "{t}")], ""),
    row("exaone3", "", EXAONE, "[|assistant|]"),
    row("exaone4", "", EXAONE4, "[|assistant|]"),
    row("exaone-moe", "", EXAONE_MOE, "<|assistant|>\n"),
    row("granite", "", GRANITE3, GRANITE_ASK),
    row("granite-4.0", "", GRANITE4, GRANITE_ASK),
    row("granite-4.1", "", GRANITE4, GRANITE_ASK),
    row("megrez", "", &[("*", "<|role_start|>{r}<|role_end|>{c}<|turn_end|>")], "<|role_start|>assistant<|role_end|>"),
    row("yandex", "", &[("user", " Пользователь: {c}\n\n"), ("assistant", " Ассистент: {c}\n\n")], " Ассистент:[SEP]"),
    row("bailing", "", BAILING, "<role>ASSISTANT</role>"),
    row("bailing-think", "", BAILING, "<role>ASSISTANT</role><think>"),
    row("llama4", "", &[("*", "<|header_start|>{r}<|header_end|>\n\n{t}<|eot|>")], "<|header_start|>assistant<|header_end|>\n\n"),
    row("smolvlm", "<|im_start|>", &[("system", "{c}\n\n"), ("user", "User: {c}<end_of_utterance>\n"), ("*", "Assistant: {c}<end_of_utterance>\n")], "Assistant:"),
    row("hunyuan-moe", "", &[("system", "<|startoftext|>{c}<|extra_4|>"), ("assistant", "{c}<|eos|>"), ("*", "<|startoftext|>{c}<|extra_0|>")], ""),
    row("gpt-oss", "", &[("assistant", "<|start|>{r}<|message|>{c}<|return|>"), ("*", "<|start|>{r}<|message|>{c}<|end|>")], "<|start|>assistant"),
    row("kimi-k2", "", KIMI, "<|im_assistant|>assistant<|im_middle|>"),
    row("seed_oss", "", &[("assistant", "<seed:bos>{r}\n{t}<seed:eos>"), ("*", "<seed:bos>{r}\n{c}<seed:eos>")], "<seed:bos>assistant\n"),
    row("grok-2", "", &[("system", "System: {t}<|separator|>\n\n"), ("user", "Human: {t}<|separator|>\n\n"), ("assistant", "Assistant: {c}<|separator|>\n\n")], "Assistant:"),
    row("solar-open", "", &[("*", "<|begin|>{r}<|content|>{c}<|end|>")], "<|begin|>assistant"),
];

/// Formats in which a turn depends on those around it. A line ends in `-%}` or `{#-` so that its end is no text.
const WRITTEN: &[(&str, &str)] = &[
    ("llama2", include_str!("builtin/llama2.jinja")),
    ("llama2-sys", include_str!("builtin/llama2-sys.jinja")),
    ("llama2-sys-bos", include_str!("builtin/llama2-sys-bos.jinja")),
    ("llama2-sys-strip", include_str!("builtin/llama2-sys-strip.jinja")),
    ("mistral-v1", include_str!("builtin/mistral-v1.jinja")),
    ("mistral-v3", include_str!("builtin/mistral-v3.jinja")),
    ("mistral-v3-tekken", include_str!("builtin/mistral-v3-tekken.jinja")),
    ("monarch", include_str!("builtin/monarch.jinja")),
    ("gemma", include_str!("builtin/gemma.jinja")),
    ("orion", include_str!("builtin/orion.jinja")),
    ("rwkv-world", include_str!("builtin/rwkv-world.jinja")),
    ("gigachat", include_str!("builtin/gigachat.jinja")),
    ("bailing2", include_str!("builtin/bailing2.jinja")),
    ("hunyuan-dense", include_str!("builtin/hunyuan-dense.jinja")),
    ("hunyuan-vl", include_str!("builtin/hunyuan-vl.jinja")),
    ("pangu-embedded", include_str!("builtin/pangu-embedded.jinja")),
];
