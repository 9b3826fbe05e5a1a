//! Rules that begin with themselves, openly or behind what may be empty: random grammars against the languages that
//! their rules come to have when texts are put together until nothing new is found.

use std::collections::BTreeSet;

use grammar::{Constraint, Error, Grammar, Matcher, TokenId};

use crate::support::{Chance, pieces};

/// Length of the longest texts that are looked at.
const N_LONGEST: usize = 4;
const NAMES: [&str; 4] = ["root", "x", "y", "z"];
/// Letters, and rules by number.
const SYMBOLS: [char; 8] = ['a', 'a', 'b', '0', '0', '1', '2', '3'];

/// The alternatives of each rule.
type Rules = Vec<Vec<Vec<char>>>;

fn random_rules(chance: &mut Chance) -> Rules {
    let mut rules = Rules::new();
    for _ in NAMES {
        let mut alternatives = Vec::new();
        for _ in 0..=chance.below(3) {
            let n_symbols = chance.below(4);
            alternatives.push((0..n_symbols).map(|_| SYMBOLS[chance.below(SYMBOLS.len())]).collect());
        }
        rules.push(alternatives);
    }
    rules
}

fn written(rules: &Rules) -> String {
    let symbol =
        |&c: &char| c.to_digit(10).map_or(format!("\"{c}\""), |rule| NAMES[rule as usize].to_owned());
    let sequence = |all: &Vec<char>| format!("\"\" {}", all.iter().map(symbol).collect::<Vec<_>>().join(" "));
    let rule = |(name, all): (&&str, &Vec<Vec<char>>)| {
        format!("{name} ::= {}\n", all.iter().map(sequence).collect::<Vec<_>>().join(" | "))
    };
    NAMES.iter().zip(rules).map(rule).collect()
}

/// The texts of each rule, up to [`N_LONGEST`] letters.
fn languages(rules: &Rules) -> Vec<BTreeSet<String>> {
    let mut languages = vec![BTreeSet::new(); rules.len()];
    loop {
        let before = languages.clone();
        let texts_of = |c: char| match c.to_digit(10) {
            Some(rule) => before[rule as usize].clone(),
            None => BTreeSet::from([c.to_string()]),
        };
        for (language, alternatives) in languages.iter_mut().zip(rules) {
            for sequence in alternatives {
                let texts = sequence.iter().fold(BTreeSet::from([String::new()]), |begun, &c| {
                    let ends = texts_of(c);
                    let joined =
                        begun.iter().flat_map(|begin| ends.iter().map(move |end| begin.clone() + end));
                    joined.filter(|text| text.len() <= N_LONGEST).collect()
                });
                language.extend(texts);
            }
        }
        if languages == before {
            return languages;
        }
    }
}

#[test]
fn rules_that_begin_with_themselves_have_their_texts() {
    let vocabulary = pieces();
    let mut chance = Chance(5);
    let mut texts = vec![String::new()];
    for i in 0..(1 << N_LONGEST) - 1 {
        texts.extend(["a", "b"].map(|letter| texts[i].clone() + letter));
    }
    let mut n_refused = 0;
    for _ in 0..1_000 {
        let rules = random_rules(&mut chance);
        let languages = languages(&rules);
        let grammar = written(&rules);
        let mut matcher = match Grammar::new(&grammar) {
            Ok(read) => Matcher::new(&read, &vocabulary).expect(&grammar),
            Err(Error::NoBeginning { rule }) => {
                let is_empty =
                    |(name, texts): (&&str, &BTreeSet<_>)| rule.contains(*name) && texts.is_empty();
                assert!(NAMES.iter().zip(&languages).any(is_empty), "{rule} has texts:\n{grammar}");
                n_refused += 1;
                continue;
            }
            Err(other) => panic!("{other}:\n{grammar}"),
        };
        for text in &texts {
            matcher.reset().expect("a matcher can start again");
            let is_read = text.bytes().all(|byte| matcher.accept(1 + TokenId::from(byte)).is_ok());
            let found = is_read && matcher.is_complete();
            assert_eq!(found, languages[0].contains(text), "{text:?}:\n{grammar}");
        }
    }
    assert!(n_refused < 500, "{n_refused} grammars were refused");
}
