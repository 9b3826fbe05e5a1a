//! The dialects that cannot be derived from a template, a file each. The first that knows the template counts.

mod command_a;
mod deepseek_dsml;
mod functionary_v3_2;
mod gemma4;
mod gigachat_v3;
mod gpt_oss;
mod kimi_k2;
mod kimi_k3;
mod lfm2;
mod ling3;
mod minicpm5;
mod minimax_m3;
mod ministral3;
mod muse_glimmer;
mod qwen3_coder;
#[cfg(test)]
mod tests;

use super::Form;

/// A dialect: what its templates hold, and what its answers look like. The template's text is given to `form` as
/// some models differ in a word.
struct Entry {
    name: &'static str,
    fits: fn(&str) -> bool,
    form: fn(&str) -> Form,
}

const ENTRIES: &[Entry] = &[
    ministral3::ENTRY,
    gpt_oss::ENTRY,
    muse_glimmer::ENTRY,
    functionary_v3_2::ENTRY,
    kimi_k2::ENTRY,
    kimi_k3::ENTRY,
    ling3::ENTRY,
    command_a::ENTRY,
    lfm2::ENTRY,
    gigachat_v3::ENTRY,
    minimax_m3::ENTRY,
    deepseek_dsml::ENTRY,
    gemma4::ENTRY,
    minicpm5::ENTRY,
    qwen3_coder::ENTRY,
];

/// The dialect of this template, if it is one of these.
pub(super) fn find(template: &str) -> Option<(&'static str, Form)> {
    let entry = ENTRIES.iter().find(|entry| (entry.fits)(template))?;
    Some((entry.name, (entry.form)(template)))
}

/// Whether the template holds all of these texts.
fn has(template: &str, texts: &[&str]) -> bool {
    texts.iter().all(|text| template.contains(text))
}

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
