//! Random grammars, and texts for them: some made by the grammar, and the same texts changed in a place or two.
//!
//! Grammars are trees here, so that a text can be made without any engine having read the grammar.

use std::collections::BTreeSet;

/// A grammar, and texts that may or may not be of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) grammar: String,
    pub(super) texts: Vec<String>,
}

/// What a set of grammars has most of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mixed,
    /// Empty alternatives and rules in the first place.
    Empty,
    /// Mixed ones with rules that may be empty before others, behind which left recursion hides.
    Hidden,
}

/// What texts are made of: what needs an escape somewhere, and characters of one to four bytes.
const LETTERS: &[char] = &['a', 'b', 'c', '-', ' ', '\n', ']', '"', '\\', 'é', '中', '😀'];
/// Characters of the ranges that no text literal has.
const OTHER_LETTERS: &[char] = &['5', 'Q', 'z', 'ê', '龍'];
const RANGES: &[(char, char)] = &[('a', 'c'), ('0', '9'), ('A', 'Z'), ('à', 'ÿ'), ('一', '龥')];
const REPEATS: &[Repeat] = &[
    Repeat { text: "*", least: 0, most: None },
    Repeat { text: "+", least: 1, most: None },
    Repeat { text: "?", least: 0, most: Some(1) },
    Repeat { text: "{0}", least: 0, most: Some(0) },
    Repeat { text: "{2}", least: 2, most: Some(2) },
    Repeat { text: "{2,}", least: 2, most: None },
    Repeat { text: "{0,2}", least: 0, most: Some(2) },
    Repeat { text: "{1,3}", least: 1, most: Some(3) },
];

const TEXTS_MOST: usize = 6;
const CHARACTERS_MOST: usize = 60;
const DEPTH_MOST: usize = 25;

/// Different grammars, the same for the same seed.
pub(super) fn samples(kind: Kind, seed: u64, n: usize) -> Vec<Sample> {
    let mut random = Random(seed);
    let mut seen = BTreeSet::new();
    let mut samples = Vec::new();
    while samples.len() < n {
        let grammar = Rules::random(kind, &mut random);
        let text = grammar.show();
        if seen.insert(text.clone()) {
            samples.push(Sample { texts: grammar.texts(&mut random), grammar: text });
        }
    }
    samples
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Class { is_negated: bool, ranges: Vec<(char, char)> },
    Any,
    Rule(usize),
    Group(Choice),
    Repeated(Box<Self>, &'static Repeat),
}

/// One of these sequences.
type Choice = Vec<Vec<Node>>;

#[derive(Debug)]
struct Repeat {
    text: &'static str,
    least: usize,
    most: Option<usize>,
}

/// The first is `root`.
struct Rules {
    rules: Vec<(String, Choice)>,
}

impl Rules {
    fn random(kind: Kind, random: &mut Random) -> Self {
        let n_more = match kind {
            Kind::Empty => 1 + random.below(4),
            Kind::Mixed | Kind::Hidden => *random.one_of(&[0, 1, 1, 2, 2, 3, 3]),
        };
        let mut maker = Maker { kind, n_rules: 1 + n_more, random };
        let rules = (0..=n_more).map(|at| (name(at), maker.choice(2))).collect();
        let mut rules = Self { rules };
        if kind == Kind::Hidden {
            rules.hide_beginnings(random);
        }
        rules
    }

    /// Puts rules that may be empty, each in its own way, before half of the sequences.
    fn hide_beginnings(&mut self, random: &mut Random) {
        let n = self.rules.len();
        let first = match random.below(2) {
            0 => Node::Repeated(
                Node::Class { is_negated: false, ranges: vec![('a', 'a')] }.into(),
                &REPEATS[0],
            ),
            _ => Node::Repeated(Node::Text("b".into()).into(), &REPEATS[2]),
        };
        let second = match random.below(3) {
            0 => vec![vec![Node::Rule(n)]],
            1 => vec![vec![Node::Rule(n), Node::Rule(n)]],
            _ => vec![vec![Node::Text(String::new())], vec![Node::Text("c".into())]],
        };
        let beginnings = [n, n + 1, n, n + 1, n.min(2) - 1];
        for sequence in self.rules.iter_mut().flat_map(|(_, choice)| choice) {
            if random.is_in(50) {
                sequence.insert(0, Node::Rule(*random.one_of(&beginnings)));
            }
        }
        self.rules.extend([(name(n), vec![vec![first]]), (name(n + 1), second)]);
    }

    fn show(&self) -> String {
        self.rules.iter().map(|(name, choice)| format!("{name} ::= {}\n", show_choice(choice))).collect()
    }

    /// Texts of the grammar where some are found, then each of them and a few others with changes.
    fn texts(&self, random: &mut Random) -> Vec<String> {
        let mut texts = BTreeSet::new();
        for _ in 0..4 * TEXTS_MOST {
            let mut text = Vec::new();
            if self.write(&self.rules[0].1, 0, &mut text, random).is_some() && texts.len() < TEXTS_MOST {
                texts.insert(text);
            }
        }
        let changed: Vec<_> = texts.iter().cloned().chain([vec![], vec!['a'], vec!['b']]).collect();
        let changed = changed.into_iter().map(|text| change(text, random));
        texts.into_iter().chain(changed).map(String::from_iter).collect()
    }

    /// Nothing where the text gets too long or too deep, or a class has none of our characters.
    fn write(&self, choice: &Choice, depth: usize, text: &mut Vec<char>, random: &mut Random) -> Option<()> {
        random.one_of(choice).iter().try_for_each(|node| self.write_node(node, depth, text, random))
    }

    fn write_node(&self, node: &Node, depth: usize, text: &mut Vec<char>, random: &mut Random) -> Option<()> {
        if text.len() > CHARACTERS_MOST || depth > DEPTH_MOST {
            return None;
        }
        match node {
            Node::Text(literal) => text.extend(literal.chars()),
            Node::Any => text.push(*random.one_of(LETTERS)),
            Node::Class { is_negated, ranges } => {
                let holds =
                    |c: &&char| ranges.iter().any(|(low, high)| (low..=high).contains(c)) != *is_negated;
                let letters: Vec<_> = LETTERS.iter().chain(OTHER_LETTERS).filter(holds).collect();
                text.push(**(!letters.is_empty()).then(|| random.one_of(&letters))?);
            }
            Node::Rule(at) => self.write(&self.rules[*at].1, depth + 1, text, random)?,
            Node::Group(choice) => self.write(choice, depth + 1, text, random)?,
            Node::Repeated(node, repeat) => {
                let most = repeat.most.unwrap_or(repeat.least + 2);
                for _ in 0..repeat.least + random.below(most - repeat.least + 1) {
                    self.write_node(node, depth + 1, text, random)?;
                }
            }
        }
        Some(())
    }
}

fn name(rule: usize) -> String {
    match rule {
        0 => "root".into(),
        n => format!("r{n}"),
    }
}

/// One or two characters put in, taken out or replaced.
fn change(mut text: Vec<char>, random: &mut Random) -> Vec<char> {
    for _ in 0..=random.below(2) {
        let at = random.below(text.len() + 1);
        match (random.below(3), text.get_mut(at)) {
            (0, _) => text.insert(at, *random.one_of(LETTERS)),
            (1, Some(_)) => drop(text.remove(at)),
            (_, Some(letter)) => *letter = *random.one_of(LETTERS),
            (_, None) => {}
        }
    }
    text
}

/// Makes the trees of one grammar.
struct Maker<'a> {
    kind: Kind,
    n_rules: usize,
    random: &'a mut Random,
}

impl Maker<'_> {
    fn choice(&mut self, depth: usize) -> Choice {
        let n = *self.random.one_of(&[1, 1, 2, 2, 3]);
        (0..n).map(|_| self.sequence(depth)).collect()
    }

    fn sequence(&mut self, depth: usize) -> Vec<Node> {
        let n = 1 + self.random.below(3);
        (0..n).map(|_| self.node(depth)).collect()
    }

    fn node(&mut self, depth: usize) -> Node {
        let node = self.atom(depth);
        let is_empty = matches!(&node, Node::Text(text) if text.is_empty());
        if self.random.is_in(30) && !is_empty {
            return Node::Repeated(node.into(), self.random.one_of(REPEATS));
        }
        node
    }

    fn atom(&mut self, depth: usize) -> Node {
        let percent = self.random.below(100);
        match (self.kind, percent) {
            (Kind::Empty, 0..55) => self.rule(),
            (Kind::Empty, 55..80) => self.text(35),
            (Kind::Empty, 80..88) if depth > 0 => Node::Group(self.choice(depth - 1)),
            (Kind::Empty, _) => self.class(),
            (_, 0..35) => self.text(12),
            (_, 35..60) => self.class(),
            (_, 60..65) => Node::Any,
            (_, 65..75) if depth > 0 => Node::Group(self.choice(depth - 1)),
            (_, _) => self.rule(),
        }
    }

    fn rule(&mut self) -> Node {
        Node::Rule(self.random.below(self.n_rules))
    }

    fn text(&mut self, percent_empty: usize) -> Node {
        let n = if self.random.is_in(percent_empty) { 0 } else { 1 + self.random.below(3) };
        Node::Text((0..n).map(|_| *self.random.one_of(LETTERS)).collect())
    }

    fn class(&mut self) -> Node {
        let is_negated = self.random.is_in(30);
        let letters = LETTERS.iter().map(|&c| (c, c));
        let parts: Vec<_> = RANGES.iter().copied().chain(letters).collect();
        let ranges = (0..=self.random.below(3)).map(|_| *self.random.one_of(&parts)).collect();
        Node::Class { is_negated, ranges }
    }
}

fn show_choice(choice: &Choice) -> String {
    let sequence = |nodes: &Vec<Node>| nodes.iter().map(show).collect::<Vec<_>>().join(" ");
    choice.iter().map(sequence).collect::<Vec<_>>().join(" | ")
}

fn show(node: &Node) -> String {
    match node {
        Node::Text(text) => format!("\"{}\"", text.chars().map(show_letter).collect::<String>()),
        Node::Any => ".".into(),
        Node::Rule(at) => name(*at),
        Node::Group(choice) => format!("({})", show_choice(choice)),
        Node::Repeated(node, repeat) => show(node) + repeat.text,
        Node::Class { is_negated, ranges } => {
            let range = |&(low, high): &(char, char)| match low == high {
                true => show_letter(low),
                false => format!("{low}-{high}"),
            };
            let ranges: String = ranges.iter().map(range).collect();
            format!("[{}{ranges}]", if *is_negated { "^" } else { "" })
        }
    }
}

/// With every form of escape there is.
fn show_letter(letter: char) -> String {
    match letter {
        '\n' => "\\n".into(),
        '"' | '\\' | ']' | '-' => format!("\\{letter}"),
        'c' => "\\x63".into(),
        'é' => "\\u00e9".into(),
        '😀' => "\\U0001F600".into(),
        letter => letter.into(),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn is_in(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_grammars_again() {
        for kind in [Kind::Mixed, Kind::Empty, Kind::Hidden] {
            let grammars = samples(kind, 7, 40);
            assert_eq!(grammars, samples(kind, 7, 40));
            assert_ne!(grammars, samples(kind, 8, 40));
        }
    }

    #[test]
    fn grammars_are_written_as_gbnf() {
        let class = Node::Class { is_negated: true, ranges: vec![('a', 'c'), (']', ']')] };
        let group = Node::Group(vec![vec![Node::Any], vec![Node::Rule(1), Node::Text("é\"".into())]]);
        let root = vec![vec![Node::Repeated(group.into(), &REPEATS[7])]];
        let rules = Rules { rules: vec![(name(0), root), (name(1), vec![vec![class]])] };
        assert_eq!(rules.show(), "root ::= (. | r1 \"\\u00e9\\\"\"){1,3}\nr1 ::= [^a-c\\]]\n");
    }

    #[test]
    fn texts_follow_the_rules_before_they_are_changed() {
        let root = vec![vec![Node::Text("a".into()), Node::Repeated(Node::Rule(1).into(), &REPEATS[4])]];
        let digit = vec![vec![Node::Class { is_negated: false, ranges: vec![('0', '9')] }]];
        let rules = Rules { rules: vec![(name(0), root), (name(1), digit)] };
        let texts = rules.texts(&mut Random(1));
        assert_eq!(texts[0], "a55");
        assert_eq!(texts.len(), 1 + 4);
    }
}
