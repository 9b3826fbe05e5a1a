//! Random grammars, and texts that they make. The same seed gives the same ones.

use std::fmt::Write as _;

/// Characters of texts: some that grammars must escape, and one for each length in UTF-8.
const ALPHABET: [char; 10] = ['a', 'b', 'c', '-', ' ', '\n', ']', 'é', '中', '😀'];
const RANGES: [(char, char); 5] = [('a', 'c'), ('0', '9'), ('A', 'Z'), ('à', 'ÿ'), ('一', '龥')];
const REPETITIONS: [(usize, Option<usize>, &str); 8] = [
    (0, None, "*"),
    (1, None, "+"),
    (0, Some(1), "?"),
    (0, Some(0), "{0}"),
    (2, Some(2), "{2}"),
    (2, None, "{2,}"),
    (0, Some(2), "{0,2}"),
    (1, Some(3), "{1,3}"),
];
/// A text that becomes longer, or deeper, is given up.
const MAX_CHARS: usize = 60;
const MAX_DEPTH: usize = 25;

/// What grammars have much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mixed,
    /// Empty alternatives and rules that lead to themselves.
    Empty,
    /// Rules that may be empty without an alternative that is, before others.
    Hidden,
}

/// `SplitMix64`.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

enum Atom {
    Text(String),
    Class { is_negated: bool, ranges: Vec<(char, char)> },
    Any,
    Rule(usize),
    Group(Vec<Vec<Atom>>),
    Repeat(Box<Atom>, (usize, Option<usize>, &'static str)),
}

pub(super) struct Grammar {
    kind: Kind,
    rules: Vec<(String, Vec<Vec<Atom>>)>,
}

impl Grammar {
    pub(super) fn new(kind: Kind, random: &mut Random) -> Self {
        let n = random.one_of(if kind == Kind::Empty { &[1, 2, 3, 4] } else { &[0, 1, 1, 2, 2, 3, 3] });
        let mut grammar = Self { kind, rules: Vec::new() };
        for i in 0..=n {
            let name = if i == 0 { "root".to_owned() } else { format!("r{i}") };
            let alternatives = grammar.alternatives(random, n + 1, 2);
            grammar.rules.push((name, alternatives));
        }
        if kind == Kind::Hidden {
            grammar.hide(random);
        }
        grammar
    }

    fn alternatives(&self, random: &mut Random, n_rules: usize, depth: usize) -> Vec<Vec<Atom>> {
        let n = random.one_of(&[1, 1, 2, 2, 3]);
        (0..n).map(|_| self.sequence(random, n_rules, depth)).collect()
    }

    fn sequence(&self, random: &mut Random, n_rules: usize, depth: usize) -> Vec<Atom> {
        let mut atom = || {
            let atom = self.atom(random, n_rules, depth);
            let is_empty = matches!(&atom, Atom::Text(text) if text.is_empty());
            if random.percent(30) && !is_empty {
                Atom::Repeat(Box::new(atom), random.one_of(&REPETITIONS))
            } else {
                atom
            }
        };
        let first = atom();
        let mut sequence = vec![first];
        while sequence.len() < 3 && random.percent(60) {
            sequence.push(self.atom(random, n_rules, depth));
        }
        sequence
    }

    fn atom(&self, random: &mut Random, n_rules: usize, depth: usize) -> Atom {
        // Shares of texts, classes, any character and groups; rules are the rest.
        let shares = if self.kind == Kind::Empty { [25, 12, 0, 8] } else { [35, 25, 5, 10] };
        let mut at = random.below(100);
        let which = shares.iter().position(|&share| {
            let is_here = at < share;
            at = at.saturating_sub(share);
            is_here
        });
        match which {
            Some(0) => Atom::Text(self.text(random)),
            Some(1) => class(random),
            Some(2) => Atom::Any,
            Some(3) if depth > 0 => Atom::Group(self.alternatives(random, n_rules, depth - 1)),
            _ => Atom::Rule(random.below(n_rules)),
        }
    }

    fn text(&self, random: &mut Random) -> String {
        if random.percent(if self.kind == Kind::Empty { 35 } else { 12 }) {
            return String::new();
        }
        (0..=random.below(3)).map(|_| random.one_of(&ALPHABET)).collect()
    }

    /// Adds two rules that may be empty, and begins half of all sequences with one of them.
    fn hide(&mut self, random: &mut Random) {
        let n = self.rules.len();
        for (_, alternatives) in &mut self.rules {
            for sequence in alternatives {
                if random.percent(50) {
                    sequence.insert(0, Atom::Rule(random.one_of(&[n, n + 1, n, n + 1, n - 1])));
                }
            }
        }
        let letters = || Atom::Class { is_negated: false, ranges: vec![('a', 'a')] };
        let repeated = match random.below(2) {
            0 => Atom::Repeat(Box::new(letters()), REPETITIONS[0]),
            _ => Atom::Repeat(Box::new(Atom::Text("b".to_owned())), REPETITIONS[2]),
        };
        let second = match random.below(3) {
            0 => vec![vec![Atom::Rule(n)]],
            1 => vec![vec![Atom::Rule(n), Atom::Rule(n)]],
            _ => vec![vec![Atom::Text(String::new())], vec![Atom::Text("c".to_owned())]],
        };
        self.rules.push(("e0".to_owned(), vec![vec![repeated]]));
        self.rules.push(("e1".to_owned(), second));
    }

    /// As GBNF.
    pub(super) fn source(&self) -> String {
        let mut out = String::new();
        for (name, alternatives) in &self.rules {
            writeln!(out, "{name} ::= {}", self.shown(alternatives)).expect("a string takes any text");
        }
        out
    }

    fn shown(&self, alternatives: &[Vec<Atom>]) -> String {
        let sequence =
            |atoms: &Vec<Atom>| atoms.iter().map(|a| self.atom_shown(a)).collect::<Vec<_>>().join(" ");
        alternatives.iter().map(sequence).collect::<Vec<_>>().join(" | ")
    }

    fn atom_shown(&self, atom: &Atom) -> String {
        match atom {
            Atom::Text(text) => format!("\"{}\"", text.chars().map(escaped).collect::<String>()),
            Atom::Any => ".".to_owned(),
            Atom::Rule(at) => self.rules[*at].0.clone(),
            Atom::Group(alternatives) => format!("({})", self.shown(alternatives)),
            Atom::Repeat(atom, (_, _, suffix)) => self.atom_shown(atom) + suffix,
            Atom::Class { is_negated, ranges } => {
                let range = |&(low, high): &(char, char)| match low == high {
                    true => in_class(low),
                    false => format!("{}-{}", in_class(low), in_class(high)),
                };
                let ranges: String = ranges.iter().map(range).collect();
                format!("[{}{ranges}]", if *is_negated { "^" } else { "" })
            }
        }
    }

    /// Some texts that the grammar makes, then the same and a few more, changed in a place or two.
    pub(super) fn texts(&self, random: &mut Random) -> Vec<String> {
        const N_TEXTS: usize = 6;
        let mut texts: Vec<String> = Vec::new();
        for _ in 0..4 * N_TEXTS {
            let mut out = Vec::new();
            if texts.len() < N_TEXTS && self.write(random, &self.rules[0].1, 0, &mut out).is_some() {
                texts.push(out.into_iter().collect());
            }
        }
        texts.sort();
        texts.dedup();
        let sources: Vec<String> = texts.iter().cloned().chain(["", "a", "b"].map(str::to_owned)).collect();
        texts.extend(sources.iter().map(|text| changed(random, text)));
        texts
    }

    /// `None` for a text that gets too long.
    fn write(&self, random: &mut Random, of: &[Vec<Atom>], depth: usize, out: &mut Vec<char>) -> Option<()> {
        let sequence = &of[random.below(of.len())];
        sequence.iter().try_for_each(|atom| self.write_atom(random, atom, depth, out))
    }

    fn write_atom(&self, random: &mut Random, atom: &Atom, depth: usize, out: &mut Vec<char>) -> Option<()> {
        if out.len() > MAX_CHARS || depth > MAX_DEPTH {
            return None;
        }
        match atom {
            Atom::Text(text) => out.extend(text.chars()),
            Atom::Any => out.push(random.one_of(&ALPHABET)),
            Atom::Rule(at) => self.write(random, &self.rules[*at].1, depth + 1, out)?,
            Atom::Group(alternatives) => self.write(random, alternatives, depth + 1, out)?,
            Atom::Repeat(atom, (min, max, _)) => {
                let most = max.unwrap_or(min + 2);
                for _ in 0..min + random.below(most - min + 1) {
                    self.write_atom(random, atom, depth + 1, out)?;
                }
            }
            Atom::Class { is_negated, ranges } => {
                let is_in =
                    |c: &char| ranges.iter().any(|(low, high)| (low..=high).contains(&c)) != *is_negated;
                let all: Vec<char> =
                    ALPHABET.into_iter().chain(['5', 'Q', 'z', 'ê', '龍']).filter(is_in).collect();
                out.push(*all.get(random.below(all.len().max(1)))?);
            }
        }
        Some(())
    }
}

fn class(random: &mut Random) -> Atom {
    let range = |random: &mut Random| match random.below(15) {
        n @ 0..5 => RANGES[n],
        n => (ALPHABET[n - 5], ALPHABET[n - 5]),
    };
    let ranges = (0..=random.below(3)).map(|_| range(random)).collect();
    Atom::Class { is_negated: random.percent(30), ranges }
}

fn escaped(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '😀' => "\\U0001F600".to_owned(),
        'é' => "\\u00e9".to_owned(),
        c => c.to_string(),
    }
}

fn in_class(c: char) -> String {
    match c {
        ']' | '-' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c => c.to_string(),
    }
}

fn changed(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(chars.len() + 1);
        match random.below(3) {
            1 if at < chars.len() => drop(chars.remove(at)),
            2 if at < chars.len() => chars[at] = random.one_of(&ALPHABET),
            _ => chars.insert(at, random.one_of(&ALPHABET)),
        }
    }
    chars.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_grammars() {
        let all = |seed| {
            let mut random = Random(seed);
            let one = |kind| {
                let grammar = Grammar::new(kind, &mut random);
                (grammar.source(), grammar.texts(&mut random))
            };
            [Kind::Mixed, Kind::Empty, Kind::Hidden].map(one)
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        for (source, texts) in all(3) {
            assert!(source.starts_with("root ::= ") && texts.len() >= 3, "{source} {texts:?}");
        }
    }
}
