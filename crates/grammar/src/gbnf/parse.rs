//! The text of a grammar to rules. One loop and a list of open groups: nesting costs no stack. What rules mean
//! together (recursion) is checked by the compiler.

use std::collections::HashMap;
use std::mem;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::ast::{Ast, Atom, Element, Name, Rule, RuleId};
use super::cursor::{Cursor, Lines, is_name, line_ends};
use crate::{Error, Limits, Result, TokenId};

/// Most repetitions that can be asked for. More is an error for the least number, and is any number for the largest,
/// as llama.cpp has it; also the bound on the product of nested repetitions.
const MAX_REPEAT: u32 = 2000;

/// Finds the one token that a text such as `<think>` stands for.
pub type FindToken<'a> = dyn Fn(&str) -> Option<TokenId> + 'a;

pub(super) fn parse(text: &str, find_token: &FindToken<'_>, limits: &Limits) -> Result<Ast> {
    check("length of the grammar in bytes", text.len(), limits.text_bytes)?;
    let ends = line_ends(text);
    let at = Cursor::new(text, &ends);
    let parser = Parser {
        at,
        find_token,
        limits,
        rules: Vec::new(),
        names: HashMap::new(),
        used: Vec::new(),
        n_made: 0,
    };
    parser.run()
}

pub(super) fn check(what: &'static str, found: usize, limit: usize) -> Result<()> {
    if found > limit { Err(Error::Limit { what, found, limit }) } else { Ok(()) }
}

struct Parser<'a> {
    at: Cursor<'a>,
    find_token: &'a FindToken<'a>,
    limits: &'a Limits,
    rules: Vec<Option<Rule>>,
    names: HashMap<&'a str, RuleId>,
    /// Names in the order of their first use, with the line.
    used: Vec<(&'a str, usize)>,
    /// Rules that groups and repetitions made so far, as llama.cpp counts them.
    n_made: u64,
}

/// A rule or group that is being read.
struct Open {
    rule: RuleId,
    line: usize,
    alternatives: Vec<Vec<Element>>,
    sequence: Vec<Element>,
    /// What repeating the last element multiplies.
    weight: u64,
    /// `n_made` when the group began.
    n_made: u64,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Result<Ast> {
        self.at.skip_space(Lines::Many);
        while self.at.peek().is_some() {
            self.rule()?;
        }
        for &(name, line) in &self.used {
            if self.rules[self.names[name]].is_none() {
                return Err(Error::UndefinedRule { name: name.to_owned(), line });
            }
        }
        let root = *self.names.get("root").ok_or(Error::NoRoot)?;
        let rules = self.rules.into_iter().map(|rule| rule.expect("every rule that is used is defined"));
        Ok(Ast { rules: rules.collect(), root })
    }

    fn rule(&mut self) -> Result<()> {
        let start = self.at;
        let name = self.at.name()?;
        self.at.skip_space(Lines::One);
        self.at.expect("::=")?;
        self.at.skip_space(Lines::Many);
        let rule = self.rule_called(name)?;
        if self.rules[rule].is_some() {
            return Err(start.error(format!("rule `{name}` is defined twice")));
        }
        let alternatives = self.alternatives(rule, start.line())?;
        self.rules[rule] = Some(Rule { name: Name::Defined(name.to_owned(), start.line()), alternatives });
        match self.at.peek() {
            None | Some('\r' | '\n') => self.at.skip_space(Lines::Many),
            Some(c) => return Err(self.at.error(format!("expected the end of the line, found `{c}`"))),
        }
        Ok(())
    }

    /// Reads up to the end of the rule.
    fn alternatives(&mut self, rule: RuleId, line: usize) -> Result<Vec<Vec<Element>>> {
        let mut outer: Vec<Open> = Vec::new();
        let mut open = Open::new(rule, line, self.n_made);
        loop {
            let lines = lines_at(&outer);
            match self.at.peek() {
                Some('(') => {
                    check("depth of groups", outer.len() + 1, self.limits.depth)?;
                    let line = self.at.line();
                    self.at.expect("(")?;
                    self.at.skip_space(Lines::Many);
                    let group = Open::new(self.new_rule()?, line, self.n_made);
                    self.n_made += 1;
                    outer.push(mem::replace(&mut open, group));
                }
                Some(')') if !outer.is_empty() => {
                    self.at.expect(")")?;
                    let group = mem::replace(&mut open, outer.pop().expect("there is a group to close"));
                    open.weight = (self.n_made - group.n_made).max(1);
                    open.sequence.push(Element::once(Atom::Rule(group.rule)));
                    self.close(group);
                    self.at.skip_space(lines_at(&outer));
                }
                Some('|') => {
                    self.at.expect("|")?;
                    self.at.skip_space(Lines::Many);
                    open.next_alternative();
                }
                Some('*' | '+' | '?' | '{') => self.repetition(&mut open, lines)?,
                Some(c) if starts_atom(c) => {
                    let atom = self.atom(c)?;
                    self.at.skip_space(lines);
                    open.push(atom);
                }
                _ if outer.is_empty() => {
                    open.next_alternative();
                    return Ok(open.alternatives);
                }
                Some(c) => {
                    return Err(self.at.error(format!("expected `)` or more of the group, found `{c}`")));
                }
                None => return Err(self.at.error(format!("the group of line {} is not closed", open.line))),
            }
        }
    }

    fn close(&mut self, mut group: Open) {
        group.next_alternative();
        let rule = Rule { name: Name::Group(group.line), alternatives: group.alternatives };
        self.rules[group.rule] = Some(rule);
    }

    /// A text, class, name or token.
    fn atom(&mut self, first: char) -> Result<Atom> {
        match first {
            '"' => self.text(),
            '[' => self.class(),
            '<' => Ok(Atom::Token(self.token()?)),
            '!' => {
                self.at.expect("!")?;
                Ok(Atom::NotToken(self.token()?))
            }
            '.' => {
                self.at.expect(".")?;
                Ok(Atom::Class(without_nul(ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)]))))
            }
            _ => {
                let line = self.at.line();
                let name = self.at.name()?;
                let rule = self.rule_called(name)?;
                if self.rules[rule].is_none() {
                    self.used.push((name, line));
                }
                Ok(Atom::Rule(rule))
            }
        }
    }

    fn text(&mut self) -> Result<Atom> {
        self.at.expect("\"")?;
        let mut text = String::new();
        while !self.at.eat("\"") {
            let start = self.at;
            match self.at.char()? {
                '\0' => return Err(start.error("a text cannot hold NUL: no token that is text has it")),
                c => text.push(c),
            }
        }
        Ok(Atom::Text(text))
    }

    fn class(&mut self) -> Result<Atom> {
        let start = self.at;
        self.at.expect("[")?;
        let is_negated = self.at.eat("^");
        let mut class = ClassUnicode::empty();
        while !self.at.eat("]") {
            let first_at = self.at;
            let first = self.at.char()?;
            let mut ahead = self.at;
            let is_range = ahead.eat("-") && ahead.peek() != Some(']');
            let last = if is_range {
                self.at = ahead;
                self.at.char()?
            } else {
                first
            };
            if last < first {
                return Err(first_at.error(format!("the range {first:?} to {last:?} is backwards")));
            }
            class.push(ClassUnicodeRange::new(first, last));
        }
        if class.ranges().is_empty() {
            return Err(start.error("the class is empty: no character matches; `.` is any character"));
        }
        if is_negated {
            class.negate();
        }
        let class = without_nul(class);
        if class.ranges().is_empty() {
            return Err(start.error("no character matches the class"));
        }
        Ok(Atom::Class(class))
    }

    /// `<[123]>`, or `<text>` where that is one token.
    fn token(&mut self) -> Result<TokenId> {
        let start = self.at;
        self.at.expect("<")?;
        if self.at.eat("[") {
            let id = self.at.number()?;
            self.at.expect("]>")?;
            return Ok(id);
        }
        let text = format!("<{}>", self.at.until('>')?);
        (self.find_token)(&text).ok_or_else(|| {
            start.error(format!(
                "`{text}` is not one token of this vocabulary; write `<[id]>` for one by its number"
            ))
        })
    }

    fn repetition(&mut self, open: &mut Open, lines: Lines) -> Result<()> {
        let start = self.at;
        let (min, max) = self.counts(lines)?;
        self.at.skip_space(lines);
        let is_nothing = |element: &Element| matches!(&element.atom, Atom::Text(text) if text.is_empty());
        let Some(mut last) = open.sequence.pop_if(|last| !is_nothing(last)) else {
            return Err(start.error("there is nothing before the repetition"));
        };
        let times = u64::from(max.filter(|&max| max > 0).unwrap_or(min).max(1));
        open.weight *= times;
        if open.weight > MAX_REPEAT.into() {
            return Err(start.error(format!(
                "nested repetitions multiply to {}, more than {MAX_REPEAT}: repeat less, or without bound",
                open.weight
            )));
        }
        self.n_made += max.map_or(1, |max| u64::from(max - min));
        if !last.is_once() {
            let rule = self.new_rule()?;
            let name = Name::Group(start.line());
            self.rules[rule] = Some(Rule { name, alternatives: vec![vec![last]] });
            last = Element::once(Atom::Rule(rule));
        }
        (last.min, last.max) = (min, max);
        open.sequence.push(last);
        Ok(())
    }

    /// Least and largest number of times.
    fn counts(&mut self, lines: Lines) -> Result<(u32, Option<u32>)> {
        let start = self.at;
        for (mark, counts) in [("*", (0, None)), ("+", (1, None)), ("?", (0, Some(1)))] {
            if self.at.eat(mark) {
                return Ok(counts);
            }
        }
        self.at.expect("{")?;
        self.at.skip_space(lines);
        let min = self.at.number()?;
        self.at.skip_space(lines);
        let mut max = Some(min);
        if self.at.eat(",") {
            self.at.skip_space(lines);
            let is_bounded = self.at.peek().is_some_and(|c| c.is_ascii_digit());
            max = if is_bounded { Some(self.at.number()?) } else { None };
            self.at.skip_space(lines);
        }
        self.at.expect("}")?;
        if min > MAX_REPEAT {
            return Err(start.error(format!("{min} repetitions are more than {MAX_REPEAT}")));
        }
        match max {
            Some(max) if max < min => {
                Err(start.error(format!("at least {min} and at most {max} times is never")))
            }
            _ => Ok((min, max.filter(|&max| max <= MAX_REPEAT))),
        }
    }

    fn rule_called(&mut self, name: &'a str) -> Result<RuleId> {
        if let Some(&rule) = self.names.get(name) {
            return Ok(rule);
        }
        let rule = self.new_rule()?;
        self.names.insert(name, rule);
        Ok(rule)
    }

    fn new_rule(&mut self) -> Result<RuleId> {
        check("number of rules and groups", self.rules.len() + 1, self.limits.rules)?;
        self.rules.push(None);
        Ok(self.rules.len() - 1)
    }
}

impl Open {
    fn new(rule: RuleId, line: usize, n_made: u64) -> Self {
        Self { rule, line, alternatives: Vec::new(), sequence: Vec::new(), weight: 1, n_made }
    }

    fn push(&mut self, atom: Atom) {
        self.weight = 1;
        self.sequence.push(Element::once(atom));
    }

    fn next_alternative(&mut self) {
        self.alternatives.push(mem::take(&mut self.sequence));
    }
}

/// The end of a line ends a rule, but not within groups.
fn lines_at(outer: &[Open]) -> Lines {
    if outer.is_empty() { Lines::One } else { Lines::Many }
}

fn starts_atom(c: char) -> bool {
    matches!(c, '"' | '[' | '<' | '!' | '.') || is_name(c)
}

/// NUL is in no text: engines of C end their strings with it.
fn without_nul(mut class: ClassUnicode) -> ClassUnicode {
    class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\0')]));
    class
}
