//! tmp
use chat::*;
fn main() {
    let mut names: Vec<_> = std::fs::read_dir("/work/shared/golden/templates/files")
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    for n in names {
        let src = std::fs::read_to_string(&n).unwrap();
        let t = Template::new(&src, &Specials { bos: "<s>".into(), eos: "</s>".into(), control: vec![] })
            .unwrap();
        let c = t.capabilities();
        let r = t.render(
            &[Message::new(Role::System, "sys"), Message::new(Role::User, "hi")],
            &RenderOptions::default(),
        );
        println!(
            "{:40} str {} typed {} sys {} tools {} calls {} par {} obj {} think {:?} sw {} eff {} gen {:?}",
            &n.file_name().unwrap().to_str().unwrap().chars().take(40).collect::<String>(),
            c.string_content as u8,
            c.typed_content as u8,
            c.system as u8,
            c.tools as u8,
            c.tool_calls as u8,
            c.parallel_tool_calls as u8,
            c.object_arguments as u8,
            c.reasoning_fields,
            c.thinking_switch as u8,
            c.reasoning_effort as u8,
            r.map(|r| r.generation_prompt).map_err(|e| e.to_string())
        );
    }
    let conv = [
        ("system", "You are a helpful assistant"),
        ("user", "Hello"),
        ("assistant", "Hi there"),
        ("user", "Who are you"),
        ("assistant", "   I am an assistant   "),
        ("user", "Another question"),
    ];
    for n in builtin::names() {
        let t = Template::named(n, &Specials::default()).unwrap();
        let m: Vec<_> = conv.iter().map(|(r, c)| Message::new(Role::from_name(r).unwrap(), *c)).collect();
        println!("{n}: {:?}", t.render(&m, &RenderOptions::default()).unwrap().text);
    }
}
