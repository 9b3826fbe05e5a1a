//! A second reading of GBNF, as naive as can be: a recursive parser of the notation, and a matcher that finds all
//! ends of a rule from each place of a text. It shares nothing with the engine. Slow, and only for tame grammars.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Clone)]
enum Node {
    Text(Vec<char>),
    Class(bool, Vec<(char, char)>),
    Any,
    Rule(String),
    All(Vec<Self>),
    One(Vec<Self>),
    Repeat(Box<Self>, usize, usize),
}

pub(crate) struct Oracle {
    rules: HashMap<String, Node>,
}

/// What a text is to a grammar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is a whole text.
    pub(crate) is_complete: bool,
    /// It is one, or something can be read after it.
    pub(crate) is_alive: bool,
}

impl Oracle {
    pub(crate) fn new(grammar: &str) -> Self {
        let text: Vec<char> = grammar.chars().chain(['\n']).collect();
        let mut reader = Reader { text, at: 0 };
        let mut rules = HashMap::new();
        reader.space(true);
        while reader.at < reader.text.len() {
            let name = reader.name();
            reader.space(false);
            for c in "::=".chars() {
                assert_eq!(reader.next(), c);
            }
            reader.space(true);
            rules.insert(name, reader.choice(false));
            reader.space(true);
        }
        Self { rules }
    }

    /// Judges a text that may end within a character.
    pub(crate) fn judge(&self, text: &[u8]) -> Verdict {
        let dead = Verdict { is_complete: false, is_alive: false };
        let (whole, rest) = match std::str::from_utf8(text) {
            Ok(whole) => (whole, &[][..]),
            Err(error) if error.error_len().is_some() => return dead,
            Err(error) => {
                let (whole, rest) = text.split_at(error.valid_up_to());
                (std::str::from_utf8(whole).expect("that much is valid"), rest)
            }
        };
        let chars: Vec<char> = whole.chars().filter(|&c| c != '\0').collect();
        if chars.len() != whole.chars().count() {
            return dead;
        }
        let run = Run { oracle: self, chars, rest, touched_end: Cell::new(false), known: RefCell::default() };
        let ends = run.ends(&Node::Rule("root".to_owned()), 0);
        let is_complete = rest.is_empty() && ends.contains(&run.chars.len());
        Verdict { is_complete, is_alive: is_complete || run.touched_end.get() }
    }
}

struct Run<'a> {
    oracle: &'a Oracle,
    chars: Vec<char>,
    /// The beginning of a character at the end.
    rest: &'a [u8],
    /// Something could be read at the end.
    touched_end: Cell<bool>,
    known: RefCell<HashMap<(String, usize), BTreeSet<usize>>>,
}

impl Run<'_> {
    fn ends(&self, node: &Node, from: usize) -> BTreeSet<usize> {
        match node {
            Node::Text(text) => {
                let single = |&c: &char| Node::Class(false, vec![(c, c)]);
                self.ends(&Node::All(text.iter().map(single).collect()), from)
            }
            Node::Any => self.ends(&Node::Class(true, vec![]), from),
            Node::Class(is_negated, ranges) => {
                let holds = |c: char| {
                    c != '\0' && ranges.iter().any(|&(low, high)| low <= c && c <= high) != *is_negated
                };
                match self.chars.get(from) {
                    Some(&c) if holds(c) => BTreeSet::from([from + 1]),
                    Some(_) => BTreeSet::new(),
                    None => {
                        if self.rest.is_empty() || completions(self.rest).any(holds) {
                            self.touched_end.set(true);
                        }
                        BTreeSet::new()
                    }
                }
            }
            Node::Rule(name) => {
                let key = (name.clone(), from);
                if let Some(known) = self.known.borrow().get(&key) {
                    return known.clone();
                }
                let ends = self.ends(&self.oracle.rules[name], from);
                self.known.borrow_mut().insert(key, ends.clone());
                ends
            }
            Node::All(nodes) => {
                nodes.iter().fold(BTreeSet::from([from]), |ends, node| self.after(ends, node))
            }
            Node::One(nodes) => nodes.iter().flat_map(|node| self.ends(node, from)).collect(),
            Node::Repeat(node, min, max) => {
                let mut ends = BTreeSet::from([from]);
                let mut found = if *min == 0 { ends.clone() } else { BTreeSet::new() };
                for n in 1..=*max {
                    let next = self.after(ends.clone(), node);
                    let n_before = found.len();
                    if n >= *min {
                        found.extend(&next);
                    }
                    if next.is_empty() || next == ends || n > *min && found.len() == n_before {
                        break;
                    }
                    ends = next;
                }
                found
            }
        }
    }

    fn after(&self, ends: BTreeSet<usize>, node: &Node) -> BTreeSet<usize> {
        ends.into_iter().flat_map(|end| self.ends(node, end)).collect()
    }
}

/// Every character whose encoding begins with these bytes.
fn completions(start: &[u8]) -> impl Iterator<Item = char> {
    let (n_bytes, bits) = match start[0] {
        0xC2..=0xDF => (2, u32::from(start[0] & 0x1F)),
        0xE0..=0xEF => (3, u32::from(start[0] & 0x0F)),
        0xF0..=0xF4 => (4, u32::from(start[0] & 0x07)),
        byte => panic!("{byte:x} begins no character"),
    };
    let value = start[1..].iter().fold(bits, |value, byte| value << 6 | u32::from(byte & 0x3F));
    let shift = 6 * (n_bytes - start.len());
    let all = (value << shift)..((value + 1) << shift);
    all.filter_map(char::from_u32).filter(move |c| c.len_utf8() == n_bytes)
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> char {
        self.text.get(self.at).copied().unwrap_or('\n')
    }

    fn next(&mut self) -> char {
        self.at += 1;
        self.text[self.at - 1]
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == c;
        self.at += usize::from(found);
        found
    }

    fn space(&mut self, with_lines: bool) {
        while self.at < self.text.len() {
            match self.peek() {
                '#' => {
                    while self.peek() != '\n' {
                        self.at += 1;
                    }
                }
                ' ' | '\t' => self.at += 1,
                '\n' if with_lines => self.at += 1,
                _ => return,
            }
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while self.peek().is_ascii_alphanumeric() || self.peek() == '-' {
            name.push(self.next());
        }
        assert!(!name.is_empty(), "no name at {}", self.at);
        name
    }

    fn choice(&mut self, is_group: bool) -> Node {
        let mut all = vec![self.sequence(is_group)];
        while self.eat('|') {
            self.space(true);
            all.push(self.sequence(is_group));
        }
        Node::One(all)
    }

    fn sequence(&mut self, is_group: bool) -> Node {
        let mut all = Vec::new();
        loop {
            let atom = match self.peek() {
                '"' => self.text(),
                '[' => self.class(),
                '.' => {
                    self.at += 1;
                    Node::Any
                }
                '(' => {
                    self.at += 1;
                    self.space(true);
                    let group = self.choice(true);
                    assert!(self.eat(')'));
                    group
                }
                c if c.is_ascii_alphanumeric() => Node::Rule(self.name()),
                _ => return Node::All(all),
            };
            let mut atom = atom;
            self.space(is_group);
            while let Some((min, max)) = self.times() {
                atom = Node::Repeat(Box::new(atom), min, max);
                self.space(is_group);
            }
            all.push(atom);
        }
    }

    fn times(&mut self) -> Option<(usize, usize)> {
        for (mark, times) in [('*', (0, usize::MAX)), ('+', (1, usize::MAX)), ('?', (0, 1))] {
            if self.eat(mark) {
                return Some(times);
            }
        }
        if !self.eat('{') {
            return None;
        }
        let min = self.name().parse().expect("a number");
        let max = match self.eat(',') {
            false => min,
            true if self.peek() == '}' => usize::MAX,
            true => self.name().parse().expect("a number"),
        };
        assert!(self.eat('}'));
        Some((min, max))
    }

    fn text(&mut self) -> Node {
        self.at += 1;
        let mut text = Vec::new();
        while !self.eat('"') {
            text.push(self.char());
        }
        Node::Text(text)
    }

    fn class(&mut self) -> Node {
        self.at += 1;
        let is_negated = self.eat('^');
        let mut ranges = Vec::new();
        while !self.eat(']') {
            let low = self.char();
            let is_range = self.peek() == '-' && self.text[self.at + 1] != ']';
            self.at += usize::from(is_range);
            ranges.push((low, if is_range { self.char() } else { low }));
        }
        Node::Class(is_negated, ranges)
    }

    fn char(&mut self) -> char {
        match self.next() {
            '\\' => match self.next() {
                'x' => self.hex(2),
                'u' => self.hex(4),
                'U' => self.hex(8),
                't' => '\t',
                'r' => '\r',
                'n' => '\n',
                c => c,
            },
            c => c,
        }
    }

    fn hex(&mut self, n: usize) -> char {
        let value = (0..n).fold(0, |value, _| value * 16 + self.next().to_digit(16).expect("a digit"));
        char::from_u32(value).expect("a character")
    }
}
