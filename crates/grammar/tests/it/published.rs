//! The sample grammars that llama.cpp publishes, from the cache of `cargo xtask models`: random texts written by them
//! are of the grammar by a second reading of it.

use std::fs;

use grammar::{Constraint, Grammar, Matcher};

use crate::oracle::Oracle;
use crate::support::{Chance, pieces, walk};

const NAMES: [&str; 8] = ["arithmetic", "c", "chess", "english", "japanese", "json", "json_arr", "list"];
/// Texts written by each.
const N_TEXTS: u64 = 1_000;

fn published(name: &str) -> String {
    let path = testkit::cached(&format!("grammars/{name}.gbnf"));
    fs::read_to_string(path).expect("a readable file")
}

#[test]
fn texts_written_by_published_grammars_are_theirs() {
    let vocabulary = pieces();
    for name in NAMES {
        let text = published(name);
        let oracle = Oracle::new(&text);
        let grammar = Grammar::new(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut matcher = Matcher::new(&grammar, &vocabulary).expect(name);
        let mut n_whole = 0;
        for seed in 0..N_TEXTS {
            matcher.reset().expect("a matcher can start again");
            let written = walk(&mut matcher, &vocabulary, &mut Chance(seed), 40, |_, _| {});
            let Some(written) = written else { continue };
            let shown = String::from_utf8_lossy(&written);
            assert!(oracle.judge(&written).is_complete, "{name}: {shown:?}");
            n_whole += 1;
        }
        assert!(n_whole > 100, "{name}: only {n_whole} texts came to an end");
        println!("{name}: {n_whole} texts");
    }
}
