//! The rules that pre-tokenizers are made of: one alternative of a regular expression each.

use super::scan::Scan;
use crate::unicode::{Class, is_han};

/// One alternative. Each matches at a given place or does not; none looks further than its match and one character.
#[derive(Debug)]
pub(super) enum Rule {
    /// `'s|'t|'re|'ve|'m|'ll|'d`
    Contraction(Case),
    /// A run of characters with an optional one before and some behind.
    Run(Run),
    /// Letters of one word in `UPPERlower` order, see [`cased_word`].
    CasedWord { letters: Class, contraction: bool },
    /// `[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+`: words joined by single spaces.
    Phrase,
    /// `\s*[\r\n]+`
    Newlines,
    /// `\s+(?!\S)|\s+`: all white space, but the last before a word is left to it.
    Spaces,
    /// `\s{512}(?!\S)|\s{256}(?!\S)|..|\s{1,2}(?!\S)|\s{1}`
    SpacesByHalves,
    /// `\s+$`
    TrailingSpaces,
    /// `[\t\n]|    |  `
    Indent,
    /// `<sentinel:[0-9]+>`
    Sentinel,
    /// `IMGIMG[A-I]{1,4}Z`
    ImageToken,
}

/// Whether letters match in both cases.
#[derive(Debug, Clone, Copy)]
pub(super) enum Case {
    Lower,
    Any,
}

/// `lead? body{min,max} tail contraction?`
#[derive(Debug)]
pub(super) struct Run {
    pub(super) lead: Lead,
    pub(super) body: Set,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) tail: Tail,
    pub(super) contraction: bool,
}

/// The character that may stand before a run.
#[derive(Debug)]
pub(super) enum Lead {
    None,
    /// ` ?`
    Space,
    /// `\s?`
    Whitespace,
    /// `[^\r\n..]?`
    Not(Class),
    /// `[!-/:-@\[-`{-~]`, and there must be one.
    AsciiPunctuation,
}

/// Characters of a run.
#[derive(Debug)]
pub(super) enum Set {
    In(Class),
    NotIn(Class),
    Chars(fn(u32, Class) -> bool),
}

/// What a run swallows behind it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tail {
    None,
    /// `[\r\n]*`
    Newlines,
    /// `[\r\n/]*`
    NewlinesOrSlashes,
    /// `[\r\n/]?`
    NewlineOrSlash,
}

impl Rule {
    /// End of the match at `at`.
    #[inline]
    pub(super) fn match_at(&self, scan: &mut Scan<'_>, at: usize) -> Option<usize> {
        match self {
            Self::Contraction(case) => contraction(scan, at, *case),
            Self::Run(run) => run.match_at(scan, at),
            Self::CasedWord { letters, contraction } => cased_word(scan, at, *letters, *contraction),
            Self::Phrase => phrase(scan, at),
            Self::Newlines => scan.space_run(at).map(|run| run.newline_end).filter(|&end| end > at),
            Self::Spaces => spaces(scan, at),
            Self::SpacesByHalves => spaces_by_halves(scan, at),
            Self::TrailingSpaces => scan.space_run(at).map(|run| run.end).filter(|&end| end == scan.len()),
            Self::Indent => match scan.byte(at) {
                b'\t' | b'\n' => Some(at + 1),
                _ => ["    ", "  "].iter().find_map(|spaces| literal(scan, at, spaces)),
            },
            Self::Sentinel => sentinel(scan, at),
            Self::ImageToken => image_token(scan, at),
        }
    }
}

impl Set {
    #[inline]
    fn has(&self, code_point: u32, class: Class) -> bool {
        match self {
            Self::In(set) => class.is(*set),
            Self::NotIn(set) => class.is_not(*set),
            Self::Chars(test) => class != Class::NONE && test(code_point, class),
        }
    }
}

impl Lead {
    #[inline]
    fn has(&self, code_point: u32, class: Class) -> bool {
        match self {
            Self::None => false,
            Self::Space => code_point == u32::from(b' '),
            Self::Whitespace => class.is(Class::WHITESPACE),
            Self::Not(set) => class.is_not(*set) && !is_newline(code_point),
            Self::AsciiPunctuation => code_point < 0x80 && class.is(Class::PUNCTUATION.or(Class::SYMBOL)),
        }
    }
}

impl Run {
    #[inline]
    fn match_at(&self, scan: &Scan<'_>, at: usize) -> Option<usize> {
        let (first, after_first) = scan.code_point(at);
        let class = Class::of(first);
        if self.lead.has(first, class)
            && let Some(end) = self.body_at(scan, after_first)
        {
            return Some(self.behind(scan, end));
        }
        if matches!(self.lead, Lead::AsciiPunctuation) || !self.body.has(first, class) {
            return None;
        }
        self.body_at(scan, at).map(|end| self.behind(scan, end))
    }

    #[inline]
    fn body_at(&self, scan: &Scan<'_>, at: usize) -> Option<usize> {
        let mut end = at;
        let mut n = 0;
        while n < self.max {
            let (code_point, after) = scan.code_point(end);
            if !self.body.has(code_point, Class::of(code_point)) {
                break;
            }
            end = after;
            n += 1;
        }
        (n >= self.min).then_some(end)
    }

    #[inline]
    fn behind(&self, scan: &Scan<'_>, mut end: usize) -> usize {
        match self.tail {
            Tail::None => {}
            Tail::Newlines => {
                while matches!(scan.byte(end), b'\r' | b'\n') {
                    end += 1;
                }
            }
            Tail::NewlinesOrSlashes => {
                while matches!(scan.byte(end), b'\r' | b'\n' | b'/') {
                    end += 1;
                }
            }
            Tail::NewlineOrSlash => end += usize::from(matches!(scan.byte(end), b'\r' | b'\n' | b'/')),
        }
        if self.contraction { contraction(scan, end, Case::Any).unwrap_or(end) } else { end }
    }
}

/// `[^\r\n\p{L}\p{N}]?U*L+|[^\r\n\p{L}\p{N}]?U+L*` with U = letters but a-z, L = letters but A-Z.
///
/// Case is known of ASCII letters only; any other letter is in both sets. So a word may end where its first
/// alternative had to give a letter back.
fn cased_word(scan: &Scan<'_>, at: usize, letters: Class, with_contraction: bool) -> Option<usize> {
    let (first, after_first) = scan.code_point(at);
    let class = Class::of(first);
    let has_lead = class.is_not(Class::LETTER.or(Class::NUMBER)) && !is_newline(first);
    let starts = [has_lead.then_some(after_first), Some(at)];
    let upper_lower = |start| cased_run(scan, start, letters).0;
    let upper = |start| cased_run(scan, start, letters).1;
    let starts = starts.iter().flatten().copied();
    let end = starts.clone().find_map(upper_lower).or_else(|| starts.clone().find_map(upper))?;
    Some(if with_contraction { contraction(scan, end, Case::Any).unwrap_or(end) } else { end })
}

/// End of `U*L+` and end of `U+L*` at `start`. The second counts only where the first is none, and L* is empty then.
fn cased_run(scan: &Scan<'_>, start: usize, letters: Class) -> (Option<usize>, Option<usize>) {
    let mut at = start;
    let mut behind_uncased = None;
    loop {
        let (code_point, after) = scan.code_point(at);
        let is_letter = Class::of(code_point).is(letters);
        let is_lower = (0x61..=0x7a).contains(&code_point);
        if is_letter && !is_lower {
            at = after;
            if code_point >= 0x80 {
                behind_uncased = Some(at);
            }
            continue;
        }
        if !is_lower {
            return (behind_uncased, (at > start).then_some(at));
        }
        while {
            let (code_point, after) = scan.code_point(at);
            let goes_on = Class::of(code_point).is(letters) && !(0x41..=0x5a).contains(&code_point);
            if goes_on {
                at = after;
            }
            goes_on
        } {}
        return (Some(at), None);
    }
}

fn phrase(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let (first, after_first) = scan.code_point(at);
    let class = Class::of(first);
    let has_lead = class.is_not(Class::LETTER.or(Class::NUMBER)) && !is_newline(first);
    let mut end = if class.is(Class::LETTER) {
        at
    } else if has_lead && scan.class(after_first).0.is(Class::LETTER) {
        after_first
    } else {
        return None;
    };
    loop {
        let (class, after) = scan.class(end);
        if class.is(Class::LETTER.or(Class::MARK)) {
            end = after;
        } else if scan.byte(end) == b' ' && scan.class(end + 1).0.is(Class::LETTER) {
            end += 1;
        } else {
            return Some(end);
        }
    }
}

fn spaces(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let run = scan.space_run(at)?;
    Some(if run.end < scan.len() && run.last > at { run.last } else { run.end })
}

fn spaces_by_halves(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let run = scan.space_run(at)?;
    // A part may not end right before a word.
    let usable = if run.end < scan.len() { run.n_chars - 1 } else { run.n_chars };
    let part = [512, 256, 128, 64, 32, 16, 8, 4, 2].into_iter().find(|&part| part <= usable).unwrap_or(1);
    Some((0..part).fold(at, |end, _| scan.after(end)))
}

fn contraction(scan: &Scan<'_>, at: usize, case: Case) -> Option<usize> {
    if scan.byte(at) != b'\'' {
        return None;
    }
    let letter = |i| match case {
        Case::Lower => scan.byte(at + i),
        Case::Any => scan.byte(at + i).to_ascii_lowercase(),
    };
    match (letter(1), letter(2)) {
        (b's' | b't' | b'm' | b'd', _) => Some(at + 2),
        (b'r' | b'v', b'e') | (b'l', b'l') => Some(at + 3),
        _ => None,
    }
}

fn literal(scan: &Scan<'_>, at: usize, literal: &str) -> Option<usize> {
    scan.text().as_bytes()[at..].starts_with(literal.as_bytes()).then_some(at + literal.len())
}

fn sentinel(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let digits = literal(scan, at, "<sentinel:")?;
    let mut end = digits;
    while scan.byte(end).is_ascii_digit() {
        end += 1;
    }
    (end > digits && scan.byte(end) == b'>').then_some(end + 1)
}

fn image_token(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let start = literal(scan, at, "IMGIMG")?;
    let mut end = start;
    while end < start + 4 && matches!(scan.byte(end), b'A'..=b'I') {
        end += 1;
    }
    (end > start && scan.byte(end) == b'Z').then_some(end + 1)
}

fn is_newline(code_point: u32) -> bool {
    matches!(code_point, 0x0a | 0x0d)
}

/// Letters that are not Han.
pub(super) fn is_non_han_letter(code_point: u32, class: Class) -> bool {
    class.is(Class::LETTER) && !is_han(code_point)
}
