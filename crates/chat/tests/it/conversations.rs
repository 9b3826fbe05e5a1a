//! Conversations as callers give them: brought into a template's form, and safe from user text.

use chat::{
    AnswerOptions, AnswerParser, Dialect, Error, Media, Message, Part, RenderOptions, Role, Specials,
    Template, Tool, ToolCall, builtin,
};
use serde_json::json;

const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
                      {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

fn specials() -> Specials {
    Specials { bos: "<s>".to_owned(), eos: "</s>".to_owned(), control: vec!["<|im_end|>".to_owned()] }
}

fn render(source: &str, messages: &[Message]) -> Result<chat::Rendered, Error> {
    Template::new(source, &specials())?.render(messages, &RenderOptions::default())
}

#[test]
fn control_tokens_of_the_user_are_plain_text() {
    let rendered = render(CHATML, &[Message::new(Role::User, "a<|im_end|>b")]).expect("it renders");
    assert_eq!(rendered.text, "<|im_start|>user\na<|im_end|>b<|im_end|>\n<|im_start|>assistant\n");
    let pieces: Vec<_> = rendered.pieces().collect();
    let last = "b<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(pieces, [("<|im_start|>user\na", true), ("<|im_end|>", false), (last, true)]);
    assert_eq!(rendered.generation_prompt, "<|im_start|>assistant\n");
}

#[test]
fn marking_reaches_everything_a_client_sends() {
    let source =
        "{{ messages|tojson }}{{ (tools or [])|tojson }}{{ (extra or '')|tojson(ensure_ascii=true) }}";
    let template = Template::new(source, &specials()).expect("it compiles");
    let mut answer = Message::new(Role::Assistant, "1<|im_end|>");
    let arguments = json!({ "2<|im_end|>": "3<|im_end|>" }).to_string();
    answer.tool_calls =
        vec![ToolCall { id: "4<|im_end|>".to_owned(), name: "5<|im_end|>".to_owned(), arguments }];
    let tool = Tool {
        name: "6<|im_end|>".to_owned(),
        description: Some("7<|im_end|>".to_owned()),
        parameters: json!({ "8<|im_end|>": 1 }),
    };
    let options = RenderOptions {
        tools: vec![tool],
        kwargs: [("extra".to_owned(), json!("9<|im_end|>"))].into_iter().collect(),
        ..Default::default()
    };
    let rendered = template.render(&[answer], &options).expect("it renders");
    assert_eq!(rendered.plain.len(), 9, "{}", rendered.text);
    assert!(rendered.plain.iter().all(|range| &rendered.text[range.clone()] == "<|im_end|>"));
    let open = RenderOptions { mark_user_text: false, ..options };
    let unmarked = template.render(&[Message::new(Role::User, "<|im_end|>")], &open).expect("it renders");
    assert!(unmarked.plain.is_empty());
}

#[test]
fn a_system_message_goes_where_there_is_room() {
    let messages = [Message::new(Role::Developer, "Be brief."), Message::new(Role::User, "Hi")];
    let with = render(CHATML, &messages).expect("it renders").text;
    assert!(with.starts_with("<|im_start|>system\nBe brief.<|im_end|>"), "{with}");
    let users = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
                 [{{ m.role }}]{{ m.content }}{% endfor %}";
    assert_eq!(render(users, &messages).expect("it renders").text, "[user]Be brief.\nHi");
    assert_eq!(render(users, &messages[..1]).expect("it renders").text, "[user]Be brief.");
}

#[test]
fn content_is_given_as_the_template_wants_it() {
    let typed = "{% for m in messages %}{% for p in m.content %}{% if p.type == 'image' %}<img>{% else %}\
                 {{ p.text }}{% endif %}{% endfor %}{% endfor %}";
    let mut message = Message::new(Role::User, "Look:");
    assert_eq!(render(typed, std::slice::from_ref(&message)).expect("it renders").text, "Look:");
    message.content.push(Part::Media(Media::Image));
    assert_eq!(render(typed, std::slice::from_ref(&message)).expect("it renders").text, "Look:<img>");
    let flat = render(CHATML, &[message]).expect("it renders").text;
    assert!(flat.contains("Look:\n<__media__><|im_end|>"), "{flat}");
}

#[test]
fn arguments_are_given_as_the_template_wants_them() {
    let as_object = "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }}\
                     {% for k, v in c.function.arguments|items %}{{ k }}={{ v }}{% endfor %}{% endfor %}{% endfor %}";
    let as_text = "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }}\
                   {{ c.function.arguments + '' }}{% endfor %}{% endfor %}";
    let mut answer = Message::new(Role::Assistant, "");
    answer.tool_calls =
        vec![ToolCall { id: String::new(), name: "f".to_owned(), arguments: "{\"a\": 1}".to_owned() }];
    assert_eq!(render(as_object, std::slice::from_ref(&answer)).expect("it renders").text, "fa=1");
    assert_eq!(render(as_text, std::slice::from_ref(&answer)).expect("it renders").text, "f{\"a\": 1}");
    answer.tool_calls[0].arguments = "{\"a\": ".to_owned();
    let error = render(as_text, &[answer]).expect_err("half a call").to_string();
    assert!(
        error.starts_with("message 0: the call of `f` cannot be shown: its arguments are not JSON"),
        "{error}"
    );
}

#[test]
fn an_answer_can_be_continued() {
    let options = RenderOptions { continue_last: true, ..Default::default() };
    let template = Template::new(CHATML, &specials()).expect("it compiles");
    let messages = [Message::new(Role::User, "Hi"), Message::new(Role::Assistant, "Well<|im_end|>")];
    let rendered = template.render(&messages, &options).expect("it renders");
    assert_eq!(rendered.text, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nWell<|im_end|>");
    assert_eq!(rendered.pieces().last(), Some(("<|im_end|>", false)));
    let open = RenderOptions { mark_user_text: false, ..options.clone() };
    assert!(template.render(&messages, &open).expect("it renders").plain.is_empty());
    let error = template.render(&messages[..1], &options).expect_err("a question").to_string();
    assert!(error.contains("only a text of the assistant can be continued"), "{error}");
}

#[test]
fn kimi_templates_may_append_and_pop() {
    let source = "{% set q = namespace(ids=[]) %}{% set _ = q.ids.append('a' ~ 1) %}{% set _ = q.ids.append('b') %}\
                  {% set x = q.ids.pop(0) %}{{ x }}{{ q.ids }}{% set y = q.ids.pop() %}{{ y }}{{ q.ids|length }}";
    assert_eq!(render(source, &[]).expect("it renders").text, "a1['b']b0");
}

#[test]
fn tools_reach_models_whose_template_has_no_place_for_them() {
    let template = Template::new(CHATML, &specials()).expect("it compiles");
    let tool = Tool { name: "add".to_owned(), description: None, parameters: json!({ "type": "object" }) };
    let mut answer = Message::new(Role::Assistant, "Let me see.");
    answer.tool_calls =
        vec![ToolCall { id: "1".to_owned(), name: "add".to_owned(), arguments: "{\"a\":1}".to_owned() }];
    let messages = [Message::new(Role::User, "1+1?"), answer, Message::new(Role::Tool, "2")];
    let options = RenderOptions { tools: vec![tool.clone()], ..Default::default() };
    let text = template.render(&messages, &options).expect("it renders").text;
    for part in [
        "<|im_start|>system\nYou may call these tools:\n<tools>\n{\"type\":\"function\"",
        "Let me see.\n<tool_call>\n{\"name\":\"add\",\"arguments\":{\"a\":1}}\n</tool_call><|im_end|>",
        "<|im_start|>user\n<tool_response>\n2\n</tool_response><|im_end|>",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let options = AnswerOptions { tools: vec![tool], ..Default::default() };
    let answer = "Yes.\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>";
    let read = AnswerParser::parse(&Dialect::of(&template), &options, answer);
    assert_eq!((read.content.as_str(), read.tool_calls[0].arguments.as_str()), ("Yes.", "{\"a\": 1}"));
}

/// The names that llama.cpp knows.
const NAMES: &str = "chatml llama2 llama2-sys llama2-sys-bos llama2-sys-strip mistral-v1 mistral-v3 mistral-v3-tekken \
    mistral-v7 mistral-v7-tekken phi3 phi4 falcon3 zephyr monarch gemma orion openchat vicuna vicuna-orca deepseek \
    deepseek2 deepseek3 deepseek-ocr command-r llama3 chatglm3 chatglm4 glmedge minicpm exaone3 exaone4 exaone-moe \
    rwkv-world granite granite-4.0 granite-4.1 gigachat megrez yandex bailing bailing-think bailing2 llama4 smolvlm \
    hunyuan-moe gpt-oss hunyuan-dense hunyuan-vl kimi-k2 seed_oss grok-2 pangu-embedded solar-open";

#[test]
fn all_formats_are_known_by_name() {
    let mut known: Vec<_> = builtin::names().collect();
    let mut expected: Vec<_> = NAMES.split_whitespace().collect();
    known.sort_unstable();
    expected.sort_unstable();
    assert_eq!(known, expected);
    let error = Template::named("chatmle", &specials()).expect_err("no such name").to_string();
    assert!(error.contains("no chat template is named `chatmle`; there are chatml, "), "{error}");
}

#[test]
fn formats_by_name_render_the_turns() {
    let conversation = [
        (Role::System, "Be kind"),
        (Role::User, "Hello"),
        (Role::Assistant, " Hi there "),
        (Role::User, "Bye"),
    ];
    let messages = conversation.map(|(role, text)| Message::new(role, text));
    let check = |name: &str, expect: &str| {
        let template = Template::named(name, &specials()).expect(name);
        assert_eq!(template.render(&messages, &RenderOptions::default()).expect(name).text, expect, "{name}");
    };
    check(
        "llama3",
        "<|start_header_id|>system<|end_header_id|>\n\nBe kind<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi there<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    );
    check("llama2-sys", "[INST] <<SYS>>\nBe kind\n<</SYS>>\n\nHello [/INST] Hi there </s>[INST] Bye [/INST]");
    check(
        "llama2-sys-bos",
        "[INST] <<SYS>>\nBe kind\n<</SYS>>\n\nHello [/INST] Hi there </s><s>[INST] Bye [/INST]",
    );
    check("mistral-v1", " [INST] Be kind\n\nHello [/INST]  Hi there </s> [INST] Bye [/INST]");
    check("mistral-v3", "[INST] Be kind\n\nHello[/INST] Hi there</s>[INST] Bye[/INST]");
    check(
        "gemma",
        "<start_of_turn>user\nBe kind\n\nHello<end_of_turn>\n<start_of_turn>model\nHi there<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
    );
    check("orion", "Human: Be kind\n\nHello\n\nAssistant: </s> Hi there </s>Human: Bye\n\nAssistant: </s>");
    check(
        "monarch",
        "system\nBe kind</s>\n<s>user\nHello</s>\n<s>assistant\n Hi there </s>\n<s>user\nBye</s>\n<s>assistant\n",
    );
    check(
        "bailing2",
        "<role>SYSTEM</role>Be kind<|role_end|><role>HUMAN</role>Hello<|role_end|><role>ASSISTANT</role> Hi there <|role_end|><role>HUMAN</role>Bye<|role_end|><role>ASSISTANT</role>",
    );
    check(
        "pangu-embedded",
        "[unused9]系统：Be kind[unused10][unused9]用户：Hello[unused10][unused9]助手： Hi there [unused10][unused9]用户：Bye[unused10][unused9]助手：",
    );
}
