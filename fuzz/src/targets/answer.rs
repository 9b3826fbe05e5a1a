//! A byte for the dialect, a byte for options, and an answer: it makes no difference how the answer is cut into
//! pieces, and calls that were understood have arguments that are JSON.

use std::sync::LazyLock;

use chat::{Answer, AnswerOptions, AnswerParser, Dialect, Specials, Template, Tool};
use serde_json::{Value, json};

use crate::input::Input;

/// Just enough of a template for its dialect to be known by it.
const KNOWN: [&str; 15] = [
    "[SYSTEM_PROMPT] [TOOL_CALLS] [ARGS]",
    "<|channel|> <|message|>",
    "<atem:function_calls>",
    ">>>all",
    "<|tool_calls_section_begin|> <|tool_call_begin|>",
    "<|open|> <|close|> <|sep|>",
    "<arg_key> <arg_value> <tool_call> <think>",
    "<|START_ACTION|>",
    "<|tool_list_start|>",
    "<|role_sep|> <|message_sep|>",
    "]<]minimax[>[",
    "｜DSML｜",
    "<|tool_call>call:",
    "<function name=\" <param name=\"",
    "<tool_call> <function= <parameter=",
];

/// Whole templates, from which the dialect is derived.
const DERIVED: [&str; 4] = [
    include_str!("../templates/hermes.jinja"),
    include_str!("../templates/mistral.jinja"),
    include_str!("../templates/llama3.jinja"),
    include_str!("../templates/thinking.jinja"),
];

static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(|| {
    let known = KNOWN.iter().map(|marks| format!("{{% raw %}}{marks}{{% endraw %}}"));
    let dialect = |source: String| {
        let template = Template::new(&source, &Specials::default());
        Dialect::of(&template.unwrap_or_else(|error| panic!("{source}: {error}")))
    };
    known.chain(DERIVED.map(str::to_owned)).map(dialect).collect()
});

const PROMPTS: [&str; 8] = [
    "",
    "<think>\n",
    "<|start|>assistant",
    "<|START_THINKING|>",
    "<|open|>think<|sep|>",
    "[THINK]",
    "<mm:think>",
    "<|im_start|>assistant\n<think>\n\n</think>\n\n",
];

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let dialect = &DIALECTS[input.below(DIALECTS.len())];
    let flags = input.byte();
    let seed = input.byte();
    let text = input.text();
    let tools = if flags & 1 == 0 { tools() } else { Vec::new() };
    let options = AnswerOptions {
        tools,
        split_reasoning: flags & 2 == 0,
        generation_prompt: PROMPTS[usize::from(flags >> 2) % PROMPTS.len()].to_owned(),
    };
    let whole = AnswerParser::parse(dialect, &options, &text);
    for n_most in [1, 7] {
        let cut = in_pieces(dialect, &options, &text, n_most, seed);
        assert_eq!(cut, whole, "{}, {options:?}: {text:?} in pieces of up to {n_most}", dialect.name());
    }
    if options.tools.is_empty() {
        assert!(whole.tool_calls.is_empty(), "{whole:?} without tools");
    }
    if !whole.malformed {
        for call in &whole.tool_calls {
            let arguments: Result<Value, _> = serde_json::from_str(&call.arguments);
            assert!(arguments.is_ok(), "{}: {call:?} of {text:?}: {arguments:?}", dialect.name());
        }
    }
}

fn tools() -> Vec<Tool> {
    let tool = |name: &str, properties: Value| Tool {
        name: name.to_owned(),
        description: None,
        parameters: json!({ "type": "object", "properties": properties }),
    };
    let properties =
        json!({ "a": { "type": "integer" }, "s": { "type": "string" }, "o": { "type": "array" } });
    vec![tool("add", properties), tool("get", json!({}))]
}

/// The answer as it would come: pieces of at most `n_most` characters.
fn in_pieces(dialect: &Dialect, options: &AnswerOptions, text: &str, n_most: usize, seed: u8) -> Answer {
    let mut parser = AnswerParser::new(dialect, options);
    let mut answer = Answer::default();
    let mut state = u32::from(seed);
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let n = 1 + (state >> 16) as usize % n_most;
        let piece: String = chars.by_ref().take(n).collect();
        parser.push(&piece).into_iter().for_each(|delta| answer.apply(delta));
    }
    let (rest, malformed) = parser.finish();
    rest.into_iter().for_each(|delta| answer.apply(delta));
    answer.malformed = malformed;
    answer
}
