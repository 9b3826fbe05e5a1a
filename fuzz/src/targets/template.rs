//! A chat template, NUL, and what the user says: an error, or the same prompt each time, in which the user's words
//! are marked as such.

use std::sync::LazyLock;
use std::time::Duration;

use chat::{
    AnswerOptions, AnswerParser, Dialect, Error, Limits, Message, Moment, RenderOptions, Role, Specials,
};
use chat::{Template, Tool, ToolCall};
use serde_json::json;

use crate::input::Input;

const NOW: Moment = Moment { year: 2026, month: 10, day: 3, hour: 14, minute: 5, second: 9 };
const CONTROL: &str = "<|end|>";

/// Lower than the defaults, so that what runs into a limit does so soon.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    fuel: 20_000,
    output_bytes: 1 << 20,
    // Far more than the fuel lasts: who reaches it has found a way to burn time for nothing.
    time: Duration::from_secs(8),
    ..Limits::default()
});

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let source = String::from_utf8_lossy(input.until_nul()).into_owned();
    let said = input.text();
    let Ok(strict) = Template::strict(&source, &LIMITS) else { return };
    let vars = json!({ "messages": [{ "role": "user", "content": said }], "bos_token": "<s>", "eos_token": CONTROL,
        "add_generation_prompt": true, "tools": null });
    let serde_json::Value::Object(vars) = vars else { unreachable!("it is an object") };
    match strict.render_raw(vars, NOW) {
        // Probing and rendering for real would only take longer.
        Err(Error::Fuel { .. } | Error::Output { .. }) => {}
        Err(error @ (Error::Time { .. } | Error::Engine { .. })) => panic!("{error}"),
        _ => whole_way(&source, &said),
    }
}

fn whole_way(source: &str, said: &str) {
    let specials =
        Specials { bos: "<s>".to_owned(), eos: CONTROL.to_owned(), control: vec![CONTROL.to_owned()] };
    let Ok(template) = Template::new(source, &specials) else { return };
    let call = ToolCall { id: "1".to_owned(), name: "add".to_owned(), arguments: "{\"a\": 1}".to_owned() };
    let messages = [
        Message::new(Role::System, "Be brief."),
        Message::new(Role::User, said),
        Message {
            tool_calls: vec![call],
            reasoning: Some("Hm.".to_owned()),
            ..Message::new(Role::Assistant, "")
        },
        Message { tool_call_id: Some("1".to_owned()), ..Message::new(Role::Tool, "2") },
    ];
    let parameters = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
    let tools = vec![Tool { name: "add".to_owned(), description: None, parameters }];
    let options = RenderOptions { tools: tools.clone(), now: NOW, ..RenderOptions::default() };
    match template.render(&messages, &options) {
        Ok(rendered) => {
            assert!(rendered.plain.iter().all(|range| rendered.text.get(range.clone()).is_some()));
            let joined: String = rendered.pieces().map(|(text, _)| text).collect();
            assert_eq!(joined, rendered.text);
            let options = AnswerOptions {
                tools,
                generation_prompt: rendered.generation_prompt,
                ..AnswerOptions::default()
            };
            drop(AnswerParser::parse(&Dialect::of(&template), &options, said));
        }
        Err(error @ (Error::Time { .. } | Error::Engine { .. })) => panic!("{error}"),
        Err(_) => {}
    }
}
