//! Answers of each dialect, read whole, letter by letter, in random pieces, and cut off at every place.

use serde_json::json;

use super::{ENTRIES, find};
use crate::answer::{Answer, AnswerOptions, AnswerParser, Dialect};
use crate::{Tool, ToolCall};

/// Dialect, end of the prompt, answer; then reasoning, content, and calls as name and arguments.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("ministral-3", "", "[THINK]Hm.\nYes[/THINK]Sure[TOOL_CALLS]add[ARGS]{\"a\": 1}[TOOL_CALLS]get[ARGS]{}", "Hm.\nYes", "Sure", &[("add", "{\"a\": 1}"), ("get", "{}")]),
    ("ministral-3", "", "    let x;\n    x", "", "    let x;\n    x", &[]),
    ("ministral-3", "", " \n\n\tlet x;", "", "\tlet x;", &[]),
    ("ministral-3", "", " Sure", "", "Sure", &[]),
    ("ministral-3", "", "\n [THINK]Hm[/THINK]\n  x", "Hm", "  x", &[]),
    ("ministral-3", "", "[TOOL_CALLS]add[ARGS]{}\n", "", "", &[("add", "{}")]),
    ("qwen3-coder", "", "<tool_call>\n<function=get>\n</function>\n", "", "", &[("get", "{}")]),
    ("gemma-4", "", "One.\n<|channel>thought\nHm\n<channel|> Two.", "Hm", "One.\n Two.", &[]),
    ("ministral-3", "", "Just [text] and [THIN", "", "Just [text] and [THIN", &[]),
    ("qwen3-coder", "", "Hm</think>Sure", "", "Hm</think>Sure", &[]),
    ("gpt-oss", "<|start|>assistant", "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi there.", "Hm.", "Hi there.", &[]),
    ("gpt-oss", "<|start|>assistant", "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>{\"a\": 1}", "Hm", "", &[("add", "{\"a\": 1}")]),
    ("gpt-oss", "<|start|>assistant", " to=functions.add<|channel|>commentary json<|message|>{\"a\": 1}<|call|>", "", "", &[("add", "{\"a\": 1}")]),
    ("gpt-oss", "<|start|>assistant", "<|channel|>commentary<|message|>I will.<|end|><|start|>assistant<|channel|>final<|message|>Done.", "", "I will.\n\nDone.", &[]),
    ("gpt-oss", "<|start|>assistant", "<|channel|>commentary<|message|>I will.\n<|end|><|start|>assistant<|channel|>final<|message|>Done.", "", "I will.\nDone.", &[]),
    ("gpt-oss", "<|start|>assistant", "<|channel|>commentary<|message|>I will.<|end|><|start|>assistant<|channel|>commentary to=functions.get<|message|>{}", "", "I will.", &[("get", "{}")]),
    ("muse-glimmer", "<|start|>assistant", " to=self<|message|>Hm<|eom|><|start|>assistant to=user<|message|>Hello<|eot|>", "Hm", "Hello", &[]),
    ("muse-glimmer", "<|start|>assistant", " to=add<|message|><atem:function_calls>\n<atem:invoke name=\"add\">\n<atem:parameter name=\"a\">1</atem:parameter>\n<atem:parameter name=\"s\">x < y</atem:parameter>\n</atem:invoke>\n</atem:function_calls><|eom|>", "", "", &[("add", "{\"a\": 1, \"s\": \"x < y\"}")]),
    ("functionary-v3.2", "<|start_header_id|>assistant<|end_header_id|>\n\n>>>", "all\nHello\n>>>add\n{\"a\": 1}>>>get\n{}", "", "Hello", &[("add", "{\"a\": 1}"), ("get", "{}")]),
    ("kimi-k2", "", "<think>Hm</think>Sure.<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{\"a\": 1}<|tool_call_end|><|tool_call_begin|>functions.get:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>", "Hm", "Sure.", &[("add", "{\"a\": 1}"), ("get", "{}")]),
    ("kimi-k2", "", "<think>Hm<|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{\"a\": 1}<|tool_call_end|>", "Hm", "", &[("add", "{\"a\": 1}")]),
    ("kimi-k3", "<|open|>message role=\"assistant\"<|sep|><|open|>think<|sep|>", "Hm<|close|>think<|sep|><|open|>response<|sep|>Sure<|close|>response<|sep|><|open|>tools<|sep|><|open|>call tool=\"add\" index=\"0\"<|sep|><|open|>argument key=\"a\" type=\"number\"<|sep|>1<|close|>argument<|sep|><|open|>argument key=\"s\" type=\"string\"<|sep|>2<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|><|end_of_msg|>", "Hm", "Sure", &[("add", "{\"a\": 1, \"s\": \"2\"}")]),
    ("ling-3", "<role>ASSISTANT</role>\n<think>", "Hm\n</think>\nSure\n<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n<arg_key>s</arg_key>\n<arg_value>two\nlines</arg_value>\n</tool_call><tool_call>get</tool_call>", "Hm", "Sure", &[("add", "{\"a\": 1, \"s\": \"two\\nlines\"}"), ("get", "{}")]),
    ("ling-3", "<role>ASSISTANT</role>\n<think>", "Hm<tool_call>add<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>", "Hm", "", &[("add", "{\"a\": 1}")]),
    ("command-a", "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|>", "Hm<|END_THINKING|><|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"add\", \"parameters\": {\"a\": 1}},\n    {\"tool_call_id\": \"1\", \"tool_name\": \"get\", \"parameters\": {}}\n]<|END_ACTION|>", "Hm", "", &[("add", "{\"a\": 1}"), ("get", "{}")]),
    ("command-a", "", "<|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>", "Hm", "Hello", &[]),
    ("lfm2", "", "Sure <|tool_call_start|>[add(a=1, s=\"it's [x](y)\"), get()]<|tool_call_end|>\nDone", "", "Sure \nDone", &[("add", "{\"a\":1,\"s\":\"it's [x](y)\"}"), ("get", "{}")]),
    ("gigachat-v3", "assistant<|role_sep|>\n", "Sure<|message_sep|>\n\nfunction call<|role_sep|>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}", "", "Sure", &[("add", "{\"a\": 1}")]),
    ("minimax-m3", "", "<mm:think>Hm</mm:think>Sure\n]<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name=\"add\">\n]<]minimax[>[<a>1]<]minimax[>[</a>\n]<]minimax[>[<o>]<]minimax[>[<item>x]<]minimax[>[</item>]<]minimax[>[<item>2]<]minimax[>[</item>]<]minimax[>[</o>]<]minimax[>[</invoke>\n]<]minimax[>[</tool_call>", "Hm", "Sure", &[("add", "{\"a\":1,\"o\":[\"x\",2]}")]),
    ("deepseek-dsml", "<｜Assistant｜><think>", "Hm</think>\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"add\">\n<｜DSML｜parameter name=\"a\" string=\"false\">1</｜DSML｜parameter>\n<｜DSML｜parameter name=\"s\" string=\"true\">x\ny</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>", "Hm", "", &[("add", "{\"a\": 1, \"s\": \"x\\ny\"}")]),
    ("gemma-4", "<|turn>model\n", "<|channel>thought\nHm\n<channel|>Sure<|tool_call>call:add{a:1,s:<|\"|>x{y}<|\"|>,o:[{b:true}]}<tool_call|>", "Hm", "Sure", &[("add", "{\"a\":1,\"s\":\"x{y}\",\"o\":[{\"b\":true}]}")]),
    ("gemma-4", "<|turn>model\n", "Hello.<channel|>", "", "Hello.", &[]),
    ("minicpm-5", "<think>\n", "Hm\n</think>\n\n<function name=\"add\"><param name=\"a\">1</param><param name=\"s\">x</param></function>", "Hm", "", &[("add", "{\"a\": 1, \"s\": \"x\"}")]),
    ("minicpm-5", "", "<function name=\"add\"><param name=\"s\"><![CDATA[<a> </param>]]></param></function>", "", "", &[("add", "{\"s\": \"<a> </param>\"}")]),
    ("gemma-4", "<|turn>model\n", "<|channel><|channel>thought\n<channel|>Hello", "", "Hello", &[]),
    ("ministral-3", "", "[THINK]I could [TOOL_CALLS]add[ARGS]{}[/THINK][TOOL_CALLS]get[ARGS]{}", "I could [TOOL_CALLS]add[ARGS]{}", "", &[("get", "{}")]),
    ("qwen3-coder", "<think>\n", "Hm\n</think>\n\nSure\n\n<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n<parameter=s>\nif a < b:\n    \"x\"\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=get>\n</function>\n</tool_call>", "Hm", "Sure", &[("add", "{\"a\": 1, \"s\": \"if a < b:\\n    \\\"x\\\"\"}"), ("get", "{}")]),
    ("qwen3-coder", "", "Sure\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>", "", "Sure", &[("add", "{\"a\": 1}")]),
];

/// Answers that are not what the dialect says: what was not understood is content.
#[rustfmt::skip]
const BROKEN: &[Row] = &[
    ("qwen3-coder", "", "A <tool_call>\nnothing</tool_call> B", "", "A <tool_call>\nnothing</tool_call> B", &[]),
    ("qwen3-coder", "", "<tool_call>\n<function=add>\n<parameter=a>\n1", "", "1", &[("add", "{\"a\": ")]),
    ("gigachat-v3", "", "<|message_sep|>\n\nfunction call<|role_sep|>\n{\"nom\": \"add\"}", "", "<|message_sep|>\n\nfunction call<|role_sep|>\n{\"nom\": \"add\"}", &[]),
    ("lfm2", "", "<|tool_call_start|>[add(a=)]<|tool_call_end|>", "", "<|tool_call_start|>[add(a=)]<|tool_call_end|>", &[]),
    ("gemma-4", "", "<|tool_call>call:add{a:}<tool_call|>", "", "<|tool_call>call:add{a:}<tool_call|>", &[]),
    ("kimi-k2", "", "<|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{\"a\": ", "", "", &[("add", "{\"a\": ")]),
    ("gpt-oss", "<|start|>assistant", "<|channel|>commentary to=python<|message|>print(1)<|call|>", "", "<|channel|>commentary to=python<|message|>print(1)", &[]),
];

fn options(generation_prompt: &str) -> AnswerOptions {
    let properties = json!({ "a": { "type": "number" }, "s": { "type": "string" } });
    let tool = |name: &str, properties| Tool {
        name: name.to_owned(),
        description: None,
        parameters: json!({ "type": "object", "properties": properties }),
    };
    AnswerOptions {
        tools: vec![tool("add", properties), tool("get", json!({}))],
        split_reasoning: true,
        generation_prompt: generation_prompt.to_owned(),
    }
}

fn dialect(name: &str) -> Dialect {
    let entry = ENTRIES.iter().find(|entry| entry.name == name).expect("the table names a dialect");
    Dialect { name: entry.name, form: (entry.form)("function_calls") }
}

/// Reads the text in these pieces.
fn read<'a>(dialect: &Dialect, options: &AnswerOptions, pieces: impl Iterator<Item = &'a str>) -> Answer {
    let mut parser = AnswerParser::new(dialect, options);
    let mut answer = Answer::default();
    for piece in pieces {
        parser.push(piece).into_iter().for_each(|delta| answer.apply(delta));
    }
    let (rest, malformed) = parser.finish();
    rest.into_iter().for_each(|delta| answer.apply(delta));
    answer.malformed = malformed;
    answer
}

fn letters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()])
}

/// Pieces of one to eight letters, the same for the same seed.
fn pieces(text: &str, mut seed: u64) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let n = usize::try_from(seed >> 61).unwrap_or(0) + 1;
        let end = rest.char_indices().nth(n).map_or(rest.len(), |(at, _)| at);
        let piece = &rest[..end];
        rest = &rest[end..];
        (!piece.is_empty()).then_some(piece)
    })
}

fn check(row: &Row, malformed: bool) {
    let (name, prompt, text, reasoning, content, calls) = row;
    let (dialect, options) = (dialect(name), options(prompt));
    let answer = AnswerParser::parse(&dialect, &options, text);
    let found: Vec<_> = answer.tool_calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
    assert_eq!(
        (answer.reasoning.as_str(), answer.content.as_str()),
        (*reasoning, *content),
        "{name}: {text}"
    );
    assert_eq!(found, *calls, "{name}: {text}");
    assert_eq!(answer.malformed, malformed, "{name}: {text}");
    assert_eq!(answer, read(&dialect, &options, letters(text)), "{name} letter by letter: {text}");
    for seed in 0..50 {
        assert_eq!(answer, read(&dialect, &options, pieces(text, seed)), "{name} in pieces {seed}: {text}");
    }
}

#[test]
fn answers_are_read_whole_and_in_pieces() {
    ROWS.iter().for_each(|row| check(row, false));
    for entry in ENTRIES {
        assert!(ROWS.iter().any(|row| row.0 == entry.name), "{} has no row", entry.name);
    }
}

#[test]
fn what_is_not_understood_stays_text() {
    BROKEN.iter().for_each(|row| check(row, true));
}

#[test]
fn an_answer_cut_off_anywhere_is_the_same_in_pieces() {
    for (name, prompt, text, ..) in ROWS.iter().chain(BROKEN) {
        let (dialect, options) = (dialect(name), options(prompt));
        for (end, _) in text.char_indices() {
            let text = &text[..end];
            let answer = AnswerParser::parse(&dialect, &options, text);
            assert_eq!(answer, read(&dialect, &options, letters(text)), "{name}: {text}");
        }
    }
}

#[test]
fn without_tools_nothing_is_taken_for_a_call() {
    for (name, prompt, text, ..) in ROWS {
        let options = AnswerOptions { tools: Vec::new(), ..options(prompt) };
        let answer = AnswerParser::parse(&dialect(name), &options, text);
        assert_eq!(answer.tool_calls, Vec::<ToolCall>::new(), "{name}: {text}");
    }
}

#[test]
fn reasoning_can_stay_in_the_content() {
    for (name, prompt, text, expect) in [
        ("qwen3-coder", "<think>\n", "Hm\n</think>\n\nHi", "<think>\nHm\n</think>\n\nHi"),
        ("gemma-4", "", "<|channel>thought\nHm<channel|>Hi", "<|channel>thought\nHm<channel|>Hi"),
        (
            "gpt-oss",
            "<|start|>assistant",
            "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi",
            "<|channel|>analysis<|message|>Hm<|end|>Hi",
        ),
    ] {
        let options = AnswerOptions { split_reasoning: false, ..options(prompt) };
        let answer = AnswerParser::parse(&dialect(name), &options, text);
        assert_eq!((answer.content.as_str(), answer.reasoning.as_str()), (expect, ""), "{name}");
        assert_eq!(answer, read(&dialect(name), &options, letters(text)), "{name}");
    }
}

#[test]
fn long_answers_take_linear_time() {
    // Starts of calls without their ends, which look the further for one the more has come.
    #[rustfmt::skip]
    const UNITS: &[&str] = &[
        "<", "{", "[", "<|", "<tool_call>", "a<", " ", "\n", "\u{e9}", "<|tool_call>call:x{a:1,s:<|\"|>x<|\"|>",
        "</think><tool_call>add<arg_key>a</arg_key", "[TOOL_CALLS]", ">>>a", "<|tool_call_start|>[a(b=1) ",
        "<|tool_call_begin|>functions.add:0", "<function name=\"add", "<tool_call><function=",
        "<|open|>call tool=\"a\" ", "]<]minimax[>[<tool_call>]<]minimax[>[<invoke name=\"a\">", "<|channel|>",
    ];
    for entry in ENTRIES {
        let dialect = dialect(entry.name);
        for unit in UNITS {
            let text =
                unit.repeat(8_000 / unit.len()) + "<tool_call|>]<]minimax[>[</invoke><|tool_call_end|>";
            let answer = AnswerParser::parse(&dialect, &options(""), &text);
            let shown: usize = answer.content.len() + answer.reasoning.len();
            assert!(shown <= text.len(), "{}: {unit}", entry.name);
            let text = &text[..text.floor_char_boundary(1_500)];
            let whole = AnswerParser::parse(&dialect, &options(""), text);
            assert_eq!(whole, read(&dialect, &options(""), pieces(text, 1)), "{}: {unit}", entry.name);
        }
    }
}

#[test]
fn a_name_without_end_is_none_however_it_was_cut() {
    for n in [200, 250, 256, 257, 258, 300, 5_000] {
        let name = "a".repeat(n);
        for (dialect_name, text) in [
            (
                "qwen3-coder",
                format!("<tool_call><function=add><parameter={name}>1</parameter></function></tool_call>"),
            ),
            ("ministral-3", format!("[TOOL_CALLS]{name}[ARGS]{{}}")),
            (
                "deepseek-dsml",
                format!(
                    "<｜DSML｜function_calls><｜DSML｜invoke name=\"add\"><｜DSML｜parameter name=\"a\" {name}>1</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>"
                ),
            ),
            ("gpt-oss", format!("<|channel|>analysis{name}<|message|>Hm")),
        ] {
            let (dialect, options) = (dialect(dialect_name), options(""));
            let answer = AnswerParser::parse(&dialect, &options, &text);
            assert_eq!(answer, read(&dialect, &options, letters(&text)), "{dialect_name}: {n}");
        }
    }
}

#[test]
fn templates_are_told_apart() {
    let check =
        |template: &str, expect: Option<&str>| assert_eq!(find(template).map(|(name, _)| name), expect);
    check("<tool_call>\n<function=a>\n<parameter=b>", Some("qwen3-coder"));
    check("<|channel|>final<|message|>", Some("gpt-oss"));
    check("<tool_call>{}</tool_call>", None);
}
