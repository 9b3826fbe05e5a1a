//! Every name against the words the reference cuts.

use super::PreTokenizer;
use serde_json::Value;

fn rows(file: &str) -> impl Iterator<Item = Value> {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("test data");
    let rows: Vec<_> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    rows.into_iter()
}

fn words(name: &str, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    PreTokenizer::named(name).expect("known name").split(text, &mut |word| words.push(word.to_owned()));
    words
}

#[test]
fn names_cut_as_the_reference_does() {
    let mut rows = rows("pretokenizers.jsonl");
    let texts = rows.next().expect("texts");
    let texts = texts["texts"].as_array().expect("texts");
    let mut n_names = 0;
    for row in rows {
        for name in row["names"].as_array().expect("names") {
            let name = name.as_str().expect("name");
            check_flags(name, &row["flags"]);
            for (text, lengths) in texts.iter().zip(row["lengths"].as_array().expect("lengths")) {
                let text = text.as_str().expect("text");
                let mut chars = text.chars();
                let expected: Vec<String> = lengths
                    .as_array()
                    .expect("lengths")
                    .iter()
                    .map(|n| chars.by_ref().take(n.as_u64().expect("length") as usize).collect())
                    .collect();
                assert_eq!(words(name, text), expected, "{name} on {text:?}");
            }
            n_names += 1;
        }
    }
    assert_eq!(n_names, 91);
}

fn check_flags(name: &str, flags: &Value) {
    let pre = PreTokenizer::named(name).expect("known name");
    let has = |flag: &str| flags.as_array().expect("flags").iter().any(|f| f == flag);
    assert_eq!(!pre.clean_spaces, has("keep_spaces"), "{name}");
    assert_eq!(pre.whole_words, has("ignore_merges"), "{name}");
    assert_eq!(pre.add_bos, has("add_bos"), "{name}");
    assert_eq!(pre.add_sep, has("add_sep"), "{name}");
    assert_eq!(pre.escape_spaces, has("escape_whitespaces"), "{name}");
    assert_eq!(pre.no_default_bos, has("no_default_bos"), "{name}");
    assert_eq!(pre.keeps_case, has("no_lowercase"), "{name}");
}
