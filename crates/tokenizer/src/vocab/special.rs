//! Special tokens: by the ids of the file, and by their text where the file forgets to say.

use super::{TokenAttr, Vocab, VocabData};
use crate::{Error, Result, TokenId};

/// Special tokens by role; `None` where the vocabulary has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the field's standard abbreviations")]
pub struct SpecialIds {
    pub bos: Option<TokenId>,
    pub eos: Option<TokenId>,
    /// End of turn.
    pub eot: Option<TokenId>,
    /// End of message: a turn that goes on.
    pub eom: Option<TokenId>,
    pub unk: Option<TokenId>,
    pub sep: Option<TokenId>,
    pub pad: Option<TokenId>,
    pub mask: Option<TokenId>,
    /// `\n` as a token.
    pub newline: Option<TokenId>,
    /// Fill in the middle: before the text that stands before the gap.
    pub fim_pre: Option<TokenId>,
    pub fim_suf: Option<TokenId>,
    pub fim_mid: Option<TokenId>,
    pub fim_pad: Option<TokenId>,
    /// Fill in the middle: name of the repository.
    pub fim_rep: Option<TokenId>,
    /// Fill in the middle: between files.
    pub fim_sep: Option<TokenId>,
}

/// Metadata keys of special ids, `tokenizer.ggml.<key>_token_id`, in the order in which a later one wins.
pub(crate) const ID_KEYS: [&str; 17] = [
    "bos",
    "eos",
    "eot",
    "eom",
    "unknown",
    "seperator",
    "padding",
    "mask",
    "fim_pre",
    "fim_suf",
    "fim_mid",
    "fim_pad",
    "fim_rep",
    "fim_sep",
    "prefix",
    "suffix",
    "middle",
];

impl SpecialIds {
    /// Takes the ids of the file. Defaults beyond the vocabulary are dropped: they are not the file's fault.
    pub(super) fn read(&mut self, said: &[(&'static str, u32)], n_tokens: usize) -> Result<()> {
        for role in ID_KEYS {
            let id = self.by_key(role);
            *id = id.filter(|&id| (id as usize) < n_tokens);
            if let Some(&(_, said)) = said.iter().find(|&&(key, _)| key == role) {
                if said as usize >= n_tokens {
                    return Err(Error::SpecialId { role, id: said, n_tokens });
                }
                *id = Some(said);
            }
        }
        Ok(())
    }

    fn by_key(&mut self, key: &str) -> &mut Option<TokenId> {
        match key {
            "bos" => &mut self.bos,
            "eos" => &mut self.eos,
            "eot" => &mut self.eot,
            "eom" => &mut self.eom,
            "unknown" => &mut self.unk,
            "seperator" => &mut self.sep,
            "padding" => &mut self.pad,
            "mask" => &mut self.mask,
            "fim_pre" | "prefix" => &mut self.fim_pre,
            "fim_suf" | "suffix" => &mut self.fim_suf,
            "fim_mid" | "middle" => &mut self.fim_mid,
            "fim_pad" => &mut self.fim_pad,
            "fim_rep" => &mut self.fim_rep,
            "fim_sep" => &mut self.fim_sep,
            _ => unreachable!("{key:?} is not in ID_KEYS"),
        }
    }
}

const EOT: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
];
const EOM: &[&str] = &["<|eom_id|>"];
const FIM_PRE: &[&str] = &[
    "<|fim_prefix|>",
    "<fim-prefix>",
    "<fim_prefix>",
    "<｜fim▁begin｜>",
    "<PRE>",
    "▁<PRE>",
    "<|code_prefix|>",
    "<|prefix|>",
];
const FIM_SUF: &[&str] = &[
    "<|fim_suffix|>",
    "<fim-suffix>",
    "<fim_suffix>",
    "<｜fim▁hole｜>",
    "<SUF>",
    "▁<SUF>",
    "<|code_suffix|>",
    "<|suffix|>",
];
const FIM_MID: &[&str] = &[
    "<|fim_middle|>",
    "<fim-middle>",
    "<fim_middle>",
    "<｜fim▁end｜>",
    "<MID>",
    "▁<MID>",
    "<|code_middle|>",
    "<|middle|>",
];
const FIM_PAD: &[&str] = &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"];
const FIM_REP: &[&str] = &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"];
const FIM_SEP: &[&str] = &["<|file_sep|>"];

type Role = fn(&mut SpecialIds) -> &mut Option<TokenId>;

const BY_TEXT: [(Role, &[&str]); 8] = [
    (|ids| &mut ids.eot, EOT),
    (|ids| &mut ids.eom, EOM),
    (|ids| &mut ids.fim_pre, FIM_PRE),
    (|ids| &mut ids.fim_suf, FIM_SUF),
    (|ids| &mut ids.fim_mid, FIM_MID),
    (|ids| &mut ids.fim_pad, FIM_PAD),
    (|ids| &mut ids.fim_rep, FIM_REP),
    (|ids| &mut ids.fim_sep, FIM_SEP),
];

/// Texts that end a generation wherever they are a token.
const EOG: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];

/// Control tokens of gpt-oss that belong to the visible text: parsers of its format need them.
const ALWAYS_VISIBLE: &[&str] = &["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

impl Vocab {
    /// Fills in what the file does not say, and decides what ends a generation.
    pub(super) fn find_special_by_text(&mut self) {
        for (role, texts) in BY_TEXT {
            let found = texts.iter().find_map(|text| self.find(text));
            // The first of the list wins: the reference takes the first in the order of its hash map.
            if let (id @ None, Some(found)) = (role(&mut self.special), found) {
                *id = Some(found);
                self.attrs[found as usize] |= TokenAttr::CONTROL;
            }
        }
        for (text, attr) in self.texts.iter().zip(&mut self.attrs) {
            if attr.has(TokenAttr::CONTROL) && contains(text, b"unused") {
                *attr |= TokenAttr::UNUSED;
            }
        }
        self.eog
            .extend([self.special.fim_pad, self.special.fim_rep, self.special.fim_sep].into_iter().flatten());
        for found in EOG.iter().filter_map(|text| self.find(text)).collect::<Vec<_>>() {
            self.eog.insert(found);
            self.attrs[found as usize] |= TokenAttr::CONTROL;
        }
        for found in ALWAYS_VISIBLE.iter().filter_map(|text| self.find(text)).collect::<Vec<_>>() {
            self.attrs[found as usize] = TokenAttr::USER_DEFINED;
        }
        self.eog.extend([self.special.eos, self.special.eot, self.special.eom].into_iter().flatten());
        self.except_from_eog();
    }

    /// Texts that look like an end but are not one beside certain others.
    fn except_from_eog(&mut self) {
        let ends = |text: &str| self.find(text).filter(|id| self.eog.contains(id));
        let has_call = ends("<|call|>").or(ends("<|calls|>")).is_some();
        let ends_call = has_call && (ends("<|return|>").is_some() || ends("<|flush|>").is_some());
        let end = ends("<|end|>").filter(|_| ends_call);
        let has_turns = ends("<|tool_response>").or(ends("<|plamo:eos|>")).is_some();
        let close = ends("</s>").filter(|_| has_turns);
        for (id, attr) in [(end, TokenAttr::USER_DEFINED), (close, TokenAttr::NORMAL)] {
            if let Some(id) = id {
                self.eog.remove(&id);
                self.attrs[id as usize] = attr;
            }
        }
    }

    /// Tokens that swallow white space around them, known by the model's name only.
    pub(super) fn strip_around_special(&mut self, data: &VocabData) {
        let name = data.name.to_ascii_lowercase();
        let pre = data.pre.as_deref().unwrap_or("");
        if ["jina-v2-de", "jina-v2-es", "jina-v2-code"].iter().any(|s| pre.contains(s))
            || ["nomic-bert-moe", "jina-bert-v3"].iter().any(|s| data.architecture.contains(s))
        {
            self.add_attr("<mask>", TokenAttr::LSTRIP);
        } else if name.contains("phi-3") || name.contains("phi3") {
            for attr in self.attrs.iter_mut().filter(|attr| attr.has(SPECIAL)) {
                *attr |= TokenAttr::RSTRIP;
            }
            self.add_attr("</s>", TokenAttr::RSTRIP);
            for id in ["<unk>", "<s>", "<|endoftext|>"]
                .iter()
                .filter_map(|text| self.find(text))
                .collect::<Vec<_>>()
            {
                self.attrs[id as usize] = self.attrs[id as usize].without(TokenAttr::RSTRIP);
            }
        } else if name.contains("modern-bert") {
            self.add_attr("[MASK]", TokenAttr::LSTRIP);
        }
    }

    fn add_attr(&mut self, text: &str, attr: TokenAttr) {
        if let Some(id) = self.find(text) {
            self.attrs[id as usize] |= attr;
        }
    }

    /// Tokens found in raw text before it is split into words.
    pub(crate) fn special_tokens(&self) -> impl Iterator<Item = TokenId> + '_ {
        (0..).zip(&self.attrs).filter(|(_, attr)| attr.has(SPECIAL)).map(|(id, _)| id)
    }
}

/// Attributes of the tokens that [`Vocab::special_tokens`] lists.
const SPECIAL: TokenAttr = TokenAttr::CONTROL.or(TokenAttr::USER_DEFINED).or(TokenAttr::UNKNOWN);

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
