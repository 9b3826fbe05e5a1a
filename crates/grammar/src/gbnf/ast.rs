//! A grammar as it is written: rules of alternatives of elements, groups being rules of their own. It does not say
//! how texts are matched.

use regex_syntax::hir::ClassUnicode;

use crate::TokenId;

/// Index of a rule.
pub(super) type RuleId = usize;

/// A whole grammar. Every rule that is referred to is defined.
#[derive(Debug)]
pub(super) struct Ast {
    pub(super) rules: Vec<Rule>,
    pub(super) root: RuleId,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Name,
    pub(super) alternatives: Vec<Vec<Element>>,
}

/// What messages call a rule.
#[derive(Debug)]
pub(super) enum Name {
    /// Defined by the grammar, in this line.
    Defined(String, usize),
    /// A group, opened in this line.
    Group(usize),
}

/// Something, some number of times.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) atom: Atom,
    pub(super) min: u32,
    /// `None` is any number.
    pub(super) max: Option<u32>,
}

#[derive(Debug)]
pub(super) enum Atom {
    /// These characters one after the other.
    Text(String),
    /// One character of these.
    Class(ClassUnicode),
    Rule(RuleId),
    Token(TokenId),
    /// Any token but this.
    NotToken(TokenId),
}

impl Element {
    pub(super) fn once(atom: Atom) -> Self {
        Self { atom, min: 1, max: Some(1) }
    }

    pub(super) fn is_once(&self) -> bool {
        self.min == 1 && self.max == Some(1)
    }
}

impl Ast {
    /// A rule in words.
    pub(super) fn describe(&self, rule: RuleId) -> String {
        match &self.rules[rule].name {
            Name::Defined(name, line) => format!("rule `{name}` (line {line})"),
            Name::Group(line) => format!("the group in line {line}"),
        }
    }
}
