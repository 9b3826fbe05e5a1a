//! Every pre-tokenizer as data. The doc comment of a list is the regular expression it stands for, in the reference's
//! reading: `\p{Lu}` and its like mean any letter, and upper and lower case are told apart in ASCII only.

use super::PreTokenizer;
use super::rule::{Case, Lead, Rule, Run, Set, Tail, is_non_han_letter};
use super::split::Split;
use crate::unicode::{Class, is_han};

const L: Class = Class::LETTER;
const N: Class = Class::NUMBER;
const P: Class = Class::PUNCTUATION;
const S: Class = Class::SYMBOL;
const M: Class = Class::MARK;
const W: Class = Class::WHITESPACE;

const fn run(lead: Lead, body: Set) -> Run {
    Run { lead, body, min: 1, max: usize::MAX, tail: Tail::None, contraction: false }
}

/// `[..]{min,max}`
const fn up_to(body: Set, min: usize, max: usize) -> Rule {
    Rule::Run(Run { min, max, ..run(Lead::None, body) })
}

/// `[..]+`
const fn chars(test: fn(u32, Class) -> bool) -> Rule {
    Rule::Run(run(Lead::None, Set::Chars(test)))
}

/// `[^\r\n\p{L}\p{N}]?[letters]+`
const fn word(letters: Class) -> Rule {
    Rule::Run(run(Lead::Not(L.or(N)), Set::In(letters)))
}

/// ` ?[^\s\p{L}\p{N}]+` and a tail
const fn other(tail: Tail) -> Rule {
    Rule::Run(Run { tail, ..run(Lead::Space, Set::NotIn(W.or(L).or(N))) })
}

const ANY_CASE: Rule = Rule::Contraction(Case::Any);
const DIGIT: Rule = up_to(Set::In(N), 1, 1);
const DIGITS_3: Rule = up_to(Set::In(N), 1, 3);
const DIGITS: Rule = up_to(Set::In(N), 1, usize::MAX);
const NEWLINE: Rule = up_to(Set::Chars(|c, _| c == 0x0a || c == 0x0d), 1, 1);

/// `\p{N}`
const EACH_DIGIT: Split = Split::Rules(&[DIGIT]);
/// `\p{N}{1,3}`
const THREE_DIGITS: Split = Split::Rules(&[DIGITS_3]);
/// `\p{N}+`
const ALL_DIGITS: Split = Split::Rules(&[DIGITS]);
/// `[0-9][0-9][0-9]`
const THREE_ASCII_DIGITS: Split = Split::Rules(&[up_to(Set::Chars(|c, _| matches!(c, 0x30..=0x39)), 3, 3)]);
/// `[\r\n]`
const EACH_NEWLINE: Split = Split::Rules(&[NEWLINE]);
/// `[^\n]+|[\n]+`
const LINES: Split = Split::Rules(&[chars(|c, _| c != 0x0a), chars(|c, _| c == 0x0a)]);

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)`
const GPT2: Split = Split::Rules(&[
    Rule::Contraction(Case::Lower),
    Rule::Run(run(Lead::Space, Set::In(L))),
    Rule::Run(run(Lead::Space, Set::In(N))),
    other(Tail::None),
    Rule::Spaces,
]);

/// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
const LLAMA3: Split =
    Split::Rules(&[ANY_CASE, word(L), DIGITS_3, other(Tail::Newlines), Rule::Newlines, Rule::Spaces]);

/// LLAMA3 with `\s{512}(?!\S)|\s{256}(?!\S)|..|\s{1,2}(?!\S)|\s{1}` for spaces.
const JAIS2: Split =
    Split::Rules(&[ANY_CASE, word(L), DIGITS_3, other(Tail::Newlines), Rule::Newlines, Rule::SpacesByHalves]);

/// LLAMA3 with `\p{N}`.
const QWEN2: Split =
    Split::Rules(&[ANY_CASE, word(L), DIGIT, other(Tail::Newlines), Rule::Newlines, Rule::Spaces]);

/// QWEN2 with `[\p{L}\p{M}]` for letters.
const QWEN35: Split = Split::Rules(&[
    ANY_CASE,
    word(L.or(M)),
    DIGIT,
    Rule::Run(Run { tail: Tail::Newlines, ..run(Lead::Space, Set::NotIn(W.or(L).or(M).or(N))) }),
    Rule::Newlines,
    Rule::Spaces,
]);

/// QWEN2 without contractions.
const UFAKZEKA: Split = Split::Rules(&[word(L), DIGIT, other(Tail::Newlines), Rule::Newlines, Rule::Spaces]);

/// QWEN2 with ` ?[^\s\p{L}\p{N}\r\n]+`.
const SEED_CODER: Split =
    Split::Rules(&[ANY_CASE, word(L), DIGIT, other(Tail::None), Rule::Newlines, Rule::Spaces]);

/// QWEN2 with `\p{N}+`.
const MINICPM5: Split =
    Split::Rules(&[ANY_CASE, word(L), DIGITS, other(Tail::Newlines), Rule::Newlines, Rule::Spaces]);

/// QWEN2 with words joined by single spaces, and ` ?[^\s\p{L}\p{N}]+[\r\n/]?`.
const EXAONE_MOE: Split =
    Split::Rules(&[ANY_CASE, Rule::Phrase, DIGIT, other(Tail::NewlineOrSlash), Rule::Newlines, Rule::Spaces]);

/// `[!-/:-@\[-`{-~][A-Za-z]+`
const PUNCTUATED_WORD: Rule =
    Rule::Run(run(Lead::AsciiPunctuation, Set::Chars(|c, class| c < 0x80 && class.is(L))));
/// `[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`
const MARKED_WORD: Rule = Rule::Run(run(Lead::Not(L.or(P).or(S)), Set::In(L.or(M))));

/// `[!-~ without alphanumerics][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+
/// |\s+(?!\S)|\s+`
const DEEPSEEK3: Split = Split::Rules(&[
    PUNCTUATED_WORD,
    MARKED_WORD,
    Rule::Run(Run { tail: Tail::Newlines, ..run(Lead::Space, Set::In(P.or(S))) }),
    Rule::Newlines,
    Rule::Spaces,
]);

/// DEEPSEEK3 with single newlines.
const SPARK: Split = Split::Rules(&[
    PUNCTUATED_WORD,
    MARKED_WORD,
    Rule::Run(run(Lead::Space, Set::In(P.or(S)))),
    NEWLINE,
    Rule::Spaces,
]);

/// `[一-龥぀-ゟ゠-ヿ]+`
const CJK_AND_KANA: Rule = chars(|c, _| matches!(c, 0x4e00..=0x9fa5 | 0x3040..=0x30ff));

/// `[一-龥ࠀ-一가-퟿]+`, which takes most scripts after Arabic.
const CJK_AND_MORE: Split =
    Split::Rules(&[chars(|c, class| matches!(c, 0x800..=0x9fa5 | 0xac00..=0xd7ff) && !class.is(W))]);

/// `\s?[A-Za-zµÀ-Ö..𞤀-𞥃]+`: the letters that have case, by their ranges.
const CASED_LETTERS: Split =
    Split::Rules(&[Rule::Run(run(Lead::Whitespace, Set::Chars(|c, _| is_deepseek_letter(c))))]);

/// `\s?[!-/:-~！-／：-～‘-‟　-。]+`
const DEEPSEEK_PUNCTUATION: Split = Split::Rules(&[Rule::Run(run(
    Lead::Whitespace,
    Set::Chars(|c, _| {
        matches!(c, 0x21..=0x2f | 0x3a..=0x7e | 0xff01..=0xff0f | 0xff1a..=0xff5e
            | 0x2018..=0x201f | 0x3001..=0x3002)
    }),
))]);

/// `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+`
const YOUTU_SCRIPTS: Split = Split::Rules(&[
    chars(|c, _| matches!(c, 0xac00..=0xd7a3 | 0x3131..=0x318e)),
    chars(|c, _| {
        matches!(c, 0xff01 | 0x2026 | 0x201c | 0x201d | 0x2018 | 0x2019 | 0x2014 | 0xff1a | 0xff1b | 0xff0c
            | 0x3001..=0x303f | 0xfe30..=0xfe4f)
    }),
    chars(|c, _| matches!(c, 0x3105..=0x312f)),
    CJK_AND_KANA,
]);

/// `[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+`, with U+8C48 where the third range was
/// meant to start at its compatibility form U+F900: it takes everything between.
const AFMOE_SCRIPTS: Split = Split::Rules(&[chars(|c, _| {
    matches!(c, 0x3400..=0x4dbf | 0x4e00..=0xfaff | 0x3040..=0x30ff | 0xff65..=0xff9f | 0x2f00..=0x2fdf
        | 0xe40..=0xeff | 0x1780..=0x17ff | 0x1000..=0x109f | 0x1100..=0x11ff)
})]);

/// ` ?[^(\s|.,!?…。，、।۔،)]+`
const BLOOM: Split = Split::Rules(&[Rule::Run(run(
    Lead::Space,
    Set::Chars(|c, class| {
        !class.is(W)
            && !matches!(
                c,
                0x28 | 0x29
                    | 0x7c
                    | 0x2e
                    | 0x2c
                    | 0x21
                    | 0x3f
                    | 0x2026
                    | 0x3002
                    | 0xff0c
                    | 0x3001
                    | 0x964
                    | 0x6d4
                    | 0x60c
            )
    }),
))]);

/// `[^\r\n\p{L}\p{N}]?U*L+c?|[^\r\n\p{L}\p{N}]?U+L*c?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
/// with U and L the letters but `a-z` and `A-Z`, and c a contraction.
const GPT4O: Split = Split::Rules(&[
    Rule::CasedWord { letters: L, contraction: true },
    DIGITS_3,
    other(Tail::NewlinesOrSlashes),
    Rule::Newlines,
    Rule::Spaces,
]);

/// GPT4O with marks among the letters.
const GRANITE_MULTI: Split = Split::Rules(&[
    Rule::CasedWord { letters: L.or(M), contraction: true },
    DIGITS_3,
    other(Tail::NewlinesOrSlashes),
    Rule::Newlines,
    Rule::Spaces,
]);

/// GPT4O without contractions, and single digits.
const TEKKEN: Split = Split::Rules(&[
    Rule::CasedWord { letters: L, contraction: false },
    DIGIT,
    other(Tail::NewlinesOrSlashes),
    Rule::Newlines,
    Rule::Spaces,
]);

/// `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+c?`
const MARKED_WORD_CONTRACTION: Rule =
    Rule::Run(Run { contraction: true, ..run(Lead::Not(L.or(N)), Set::In(L.or(M))) });

/// GPT4O with `[\p{L}\p{M}]+` for words and single digits.
const YOUTU: Split = Split::Rules(&[
    MARKED_WORD_CONTRACTION,
    DIGIT,
    other(Tail::NewlinesOrSlashes),
    Rule::Newlines,
    Rule::Spaces,
]);

/// YOUTU with digits in threes.
const TINY_AYA: Split = Split::Rules(&[
    MARKED_WORD_CONTRACTION,
    DIGITS_3,
    other(Tail::NewlinesOrSlashes),
    Rule::Newlines,
    Rule::Spaces,
]);

/// `\p{Han}+` and words of other letters with a contraction; the rest as LLAMA3.
const KIMI_K2: Split = Split::Rules(&[
    chars(|c, _| is_han(c)),
    Rule::Run(Run { contraction: true, ..run(Lead::Not(L.or(N)), Set::Chars(is_non_han_letter)) }),
    DIGITS_3,
    other(Tail::Newlines),
    Rule::Newlines,
    Rule::Spaces,
]);

/// `[\p{P}\$\+<=>\^~\|]+`
const PUNCTUATION: Split =
    Split::Rules(&[chars(|c, class| class.is(P) || c < 0x80 && class.is(S) && c != 0x60)]);
/// `[\p{P}\$\+<=>\^~\|`]+`
const FALCON_PUNCTUATION: Split = Split::Rules(&[chars(|c, class| class.is(P) || c < 0x80 && class.is(S))]);
/// `[\p{P}!-/:-@\[-`{-~]`
const EACH_PUNCTUATION: Split =
    Split::Rules(&[up_to(Set::Chars(|c, class| class.is(P) || c < 0x80 && class.is(S)), 1, 1)]);

/// A family whose names imply nothing: byte-level, spaces cleaned.
const fn family(names: &'static [&'static str], splits: &'static [Split]) -> PreTokenizer {
    PreTokenizer {
        names,
        splits,
        byte_level: true,
        whole_words: false,
        whole_newlines: false,
        clean_spaces: true,
        escape_spaces: false,
        keeps_case: false,
        add_bos: false,
        always_bos: false,
        add_sep: false,
        no_default_bos: false,
        merges_optional: false,
    }
}

/// A family that leaves the spaces of decoded text alone.
const fn exact(names: &'static [&'static str], splits: &'static [Split]) -> PreTokenizer {
    PreTokenizer { clean_spaces: false, ..family(names, splits) }
}

pub(super) static FAMILIES: &[PreTokenizer] = &[
    family(&["default"], &[PUNCTUATION, GPT2, ALL_DIGITS, THREE_ASCII_DIGITS]),
    PreTokenizer {
        whole_words: true,
        add_bos: true,
        ..family(
            &[
                "llama3",
                "llama-v3",
                "llama-bpe",
                "falcon3",
                "falcon-h1",
                "pixtral",
                "midm-2.0",
                "lfm2",
                "jina-v5-nano",
            ],
            &[LLAMA3],
        )
    },
    family(&["dbrx", "smaug-bpe"], &[LLAMA3]),
    PreTokenizer { no_default_bos: true, ..family(&["chatglm-bpe"], &[LLAMA3]) },
    PreTokenizer { no_default_bos: true, whole_words: true, ..family(&["glm4", "glm5"], &[LLAMA3]) },
    family(&["jais-2"], &[JAIS2]),
    PreTokenizer { whole_words: true, ..family(&["minicpm5"], &[THREE_DIGITS, MINICPM5]) },
    family(
        &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "gigachat",
            "jina-v2-es",
            "jina-v2-de",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "exaone4",
            "mpt",
            "olmo",
            "jais",
        ],
        &[GPT2],
    ),
    PreTokenizer { add_sep: true, ..family(&["jina-v1-en", "jina-v2-code", "roberta-bpe"], &[GPT2]) },
    exact(&["trillion", "granite-docling"], &[GPT2]),
    family(&["starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2"], &[EACH_DIGIT, GPT2]),
    exact(&["command-r", "smollm"], &[EACH_DIGIT, GPT2]),
    family(&["falcon"], &[FALCON_PUNCTUATION, GPT2, THREE_ASCII_DIGITS]),
    family(&["stablelm2", "megrez"], &[QWEN2]),
    exact(&["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "hunyuan", "solar-open", "grok-2"], &[QWEN2]),
    exact(&["bailingmoe", "bailingmoe2", "llada-moe"], &[QWEN2]),
    exact(&["qwen35"], &[QWEN35]),
    exact(&["ufakzeka"], &[UFAKZEKA]),
    exact(&["seed-coder"], &[SEED_CODER]),
    exact(&["laguna"], &[LINES, QWEN2]),
    family(&["exaone-moe"], &[EXAONE_MOE]),
    exact(
        &["deepseek-llm"],
        &[
            EACH_NEWLINE,
            CASED_LETTERS,
            DEEPSEEK_PUNCTUATION,
            Split::Rules(&[Rule::TrailingSpaces]),
            CJK_AND_MORE,
            ALL_DIGITS,
        ],
    ),
    exact(
        &["deepseek-coder"],
        &[
            EACH_NEWLINE,
            Split::Rules(&[Rule::Run(run(Lead::Whitespace, Set::In(L)))]),
            Split::Rules(&[Rule::Run(run(Lead::Whitespace, Set::In(P)))]),
            CJK_AND_MORE,
            EACH_DIGIT,
        ],
    ),
    exact(
        &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        &[THREE_DIGITS, Split::Rules(&[CJK_AND_KANA]), DEEPSEEK3],
    ),
    exact(&["spark2_5"], &[THREE_DIGITS, Split::Rules(&[CJK_AND_KANA]), SPARK, EACH_DIGIT]),
    exact(&["afmoe"], &[Split::AfmoeDigits, AFMOE_SCRIPTS, DEEPSEEK3]),
    PreTokenizer { whole_words: true, ..exact(&["youtu"], &[YOUTU_SCRIPTS, YOUTU]) },
    family(&["bloom", "gpt3-finnish"], &[BLOOM]),
    exact(&["poro-chat"], &[BLOOM]),
    exact(&["viking"], &[BLOOM, EACH_DIGIT]),
    PreTokenizer { whole_words: true, add_bos: true, ..exact(&["tekken"], &[TEKKEN]) },
    exact(&["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], &[GPT4O]),
    PreTokenizer { whole_words: true, ..exact(&["granite-embed-multi-97m"], &[GRANITE_MULTI]) },
    exact(&["tiny_aya", "cohere2moe"], &[Split::AfmoeDigits, TINY_AYA]),
    PreTokenizer { merges_optional: true, ..exact(&["kimi-k2"], &[KIMI_K2]) },
    exact(&["superbpe"], &[ALL_DIGITS, Split::Thousands]),
    PreTokenizer {
        add_bos: true,
        ..exact(
            &["chameleon"],
            &[
                Split::Rules(&[Rule::Sentinel]),
                Split::Rules(&[Rule::ImageToken]),
                Split::Rules(&[Rule::Indent]),
                EACH_DIGIT,
                EACH_PUNCTUATION,
                GPT2,
            ],
        )
    },
    PreTokenizer {
        byte_level: false,
        escape_spaces: true,
        whole_newlines: true,
        always_bos: true,
        ..family(&["gemma4", "granite-embed-multi-311m"], &[LINES])
    },
    PreTokenizer { byte_level: false, escape_spaces: true, ..exact(&["sarvam-moe"], &[LINES]) },
    PreTokenizer {
        byte_level: false,
        keeps_case: true,
        ..family(&["whitespace"], &[Split::Rules(&[chars(|_, class| !class.is(W))])])
    },
];

/// Letters of the scripts that have case, as DeepSeek's first pattern lists them.
fn is_deepseek_letter(c: u32) -> bool {
    #[rustfmt::skip]
    const RANGES: &[(u32, u32)] = &[
        (0x41, 0x5a), (0x61, 0x7a), (0xb5, 0xb5), (0xc0, 0xd6), (0xd8, 0xf6), (0xf8, 0x1ba), (0x1bc, 0x1bf),
        (0x1c4, 0x293), (0x295, 0x2af), (0x370, 0x373), (0x376, 0x376), (0x377, 0x377), (0x37b, 0x37d),
        (0x37f, 0x37f), (0x386, 0x386), (0x388, 0x38a), (0x38c, 0x38c), (0x38e, 0x3a1), (0x3a3, 0x3f5),
        (0x3f7, 0x481), (0x48a, 0x52f), (0x531, 0x556), (0x10a0, 0x10c5), (0x13a0, 0x13f5),
        (0x13f8, 0x13fd), (0x1c90, 0x1cba), (0x1cbd, 0x1cbf), (0x1d00, 0x1d2b), (0x1d6b, 0x1d77),
        (0x1d79, 0x1d9a), (0x1e00, 0x1f15), (0x1f18, 0x1f1d), (0x1f20, 0x1f45), (0x1f48, 0x1f4d),
        (0x1f50, 0x1f57), (0x1f59, 0x1f59), (0x1f5b, 0x1f5b), (0x1f5d, 0x1f5d), (0x1f5f, 0x1f7d),
        (0x1f80, 0x1fb4), (0x1fb6, 0x1fbc), (0x1fbe, 0x1fbe), (0x1fc2, 0x1fc4), (0x1fc6, 0x1fcc),
        (0x1fd0, 0x1fd3), (0x1fd6, 0x1fdb), (0x1fe0, 0x1fec), (0x1ff2, 0x1ff4), (0x1ff6, 0x1ffc),
        (0x2102, 0x2102), (0x2107, 0x2107), (0x210a, 0x2113), (0x2115, 0x2115), (0x2119, 0x211d),
        (0x2124, 0x2124), (0x2126, 0x2126), (0x2128, 0x2128), (0x212a, 0x212d), (0x212f, 0x2134),
        (0x2139, 0x2139), (0x213c, 0x213f), (0x2145, 0x2149), (0x214e, 0x214e), (0x2183, 0x2183),
        (0x2184, 0x2184), (0x2c00, 0x2c7b), (0x2c7e, 0x2ce4), (0x2ceb, 0x2cee), (0x2cf2, 0x2cf2),
        (0x2cf3, 0x2cf3), (0xa640, 0xa66d), (0xa680, 0xa69b), (0xa722, 0xa76f), (0xa771, 0xa787),
        (0xa78b, 0xa78e), (0xab70, 0xabbf), (0xfb00, 0xfb06), (0xfb13, 0xfb17), (0xff21, 0xff3a),
        (0xff41, 0xff5a), (0x10400, 0x1044f), (0x104b0, 0x104d3), (0x104d8, 0x104fb), (0x10c80, 0x10cb2),
        (0x10cc0, 0x10cf2), (0x118a0, 0x118df), (0x1e900, 0x1e943),
    ];
    RANGES
        .binary_search_by(|&(first, last)| {
            if last < c {
                std::cmp::Ordering::Less
            } else if first > c {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}
