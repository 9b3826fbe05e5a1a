//! One pass over a text: either ordered rules, or a way of grouping digits that is no pattern of characters.

use super::rule::Rule;
use super::scan::Scan;
use crate::unicode::Class;

/// One step of a pre-tokenizer.
#[derive(Debug)]
pub(super) enum Split {
    /// At each place the first rule that matches makes a piece; what no rule matches stays together.
    Rules(&'static [Rule]),
    /// Runs of ASCII digits in threes, counted from the right: `(?=(\d{3})+(?!\d))`.
    Thousands,
    /// Runs of digits in threes, counted from the right. The first group keeps what stands before it, as in the
    /// reference.
    AfmoeDigits,
}

impl Split {
    pub(super) fn split<'t>(&self, text: &'t str, piece: &mut dyn FnMut(&'t str)) {
        match self {
            Self::Rules(rules) => by_rules(rules, text, piece),
            Self::Thousands => thousands(text, piece),
            Self::AfmoeDigits => afmoe_digits(text, piece),
        }
    }
}

fn by_rules<'t>(rules: &[Rule], text: &'t str, piece: &mut dyn FnMut(&'t str)) {
    let mut scan = Scan::new(text);
    let mut gap = 0;
    let mut at = 0;
    while at < text.len() {
        match rules.iter().find_map(|rule| rule.match_at(&mut scan, at)) {
            Some(end) => {
                if gap < at {
                    piece(&text[gap..at]);
                }
                piece(&text[at..end]);
                at = end;
                gap = end;
            }
            None => at = scan.after(at),
        }
    }
    if gap < at {
        piece(&text[gap..at]);
    }
}

fn thousands<'t>(text: &'t str, piece: &mut dyn FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let n_digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        for cut in (at + n_digits % 3..at + n_digits).step_by(3) {
            if start < cut {
                piece(&text[start..cut]);
            }
            start = cut;
        }
        at += n_digits;
    }
    if start < text.len() {
        piece(&text[start..]);
    }
}

fn afmoe_digits<'t>(text: &'t str, piece: &mut dyn FnMut(&'t str)) {
    let is_digit = |c: char| Class::of(u32::from(c)).is(Class::NUMBER);
    let mut start = 0;
    let mut at = 0;
    while let Some(first) = text[at..].find(is_digit).map(|offset| at + offset) {
        let n_digits = text[first..].chars().take_while(|&c| is_digit(c)).count();
        at = first;
        for (i, c) in text[first..].chars().take(n_digits).enumerate() {
            at += c.len_utf8();
            if (n_digits - i - 1).is_multiple_of(3) {
                piece(&text[start..at]);
                start = at;
            }
        }
    }
    if start < text.len() {
        piece(&text[start..]);
    }
}
