//! A chain under a grammar.

use grammar::{Grammar, Matcher, Token, Vocabulary};
use sampling::{Chain, Error, Mirostat, Params, TokenId, VocabInfo};

/// Token 0 ends the text.
const TEXTS: [&str; 8] = ["", "yes", "no", "maybe", "y", "es", "n", "o"];

fn chain(params: &Params, grammar: &str) -> Chain {
    let tokens = TEXTS.iter().map(|text| Token { text: text.as_bytes(), is_control: false });
    let vocabulary = Vocabulary::new(tokens, &[0]);
    let matcher = Matcher::new(&Grammar::new(grammar).unwrap(), &vocabulary).unwrap();
    let mut chain = Chain::new(params, &VocabInfo::of_size(TEXTS.len())).unwrap();
    chain.constrain(Box::new(matcher));
    chain
}

const LOGITS: [f32; 8] = [0.0, 1.0, 2.0, 9.0, 3.0, 4.0, 2.5, -1.0];

fn write(chain: &mut Chain) -> Vec<TokenId> {
    let mut tokens = Vec::new();
    loop {
        let token = chain.sample(&LOGITS).unwrap();
        chain.accept(token).unwrap();
        tokens.push(token);
        if token == 0 {
            return tokens;
        }
    }
}

#[test]
fn the_best_allowed_token_is_taken() {
    let mut greedy = chain(&Params::greedy(), r#"root ::= "yes" | "no""#);
    greedy.accept_prompt(3);
    assert_eq!(write(&mut greedy), [4, 5, 0]);
    greedy.reset().unwrap();
    let mut copy = greedy.clone();
    copy.accept(2).unwrap();
    assert_eq!(write(&mut copy), [0]);
    assert_eq!(write(&mut greedy), [4, 5, 0]);
}

#[test]
fn every_sampler_keeps_to_the_grammar() {
    let check = |params: Params| {
        for seed in 0..50 {
            let params = Params { seed: Some(seed), ..params.clone() };
            let tokens = write(&mut chain(&params, r#"root ::= ( "yes" | "no" | "maybe" ){1,3}"#));
            let text: String = tokens.iter().map(|&token| TEXTS[token as usize]).collect();
            let rest = text.replace("yes", "").replace("no", "").replace("maybe", "");
            assert_eq!(rest, "", "{text}");
        }
    };
    check(Params::default());
    check(Params { top_k: 1, temperature: 2.0, ..Params::default() });
    check(Params { typical_p: 0.5, top_n_sigma: 1.0, dynatemp_range: 0.5, ..Params::default() });
    check(Params { mirostat: Mirostat::V1, ..Params::default() });
    check(Params { mirostat: Mirostat::V2, ..Params::default() });
}

#[test]
fn what_the_grammar_has_anyway_costs_no_draw() {
    let params = Params { seed: Some(7), temperature: 3.0, top_k: 0, ..Params::default() };
    let mut free = Chain::new(&params, &VocabInfo::of_size(TEXTS.len())).unwrap();
    let mut constrained = chain(&params, "root ::= [a-z]*");
    for _ in 0..100 {
        let token = free.sample(&LOGITS).unwrap();
        assert_eq!(constrained.sample(&LOGITS), Ok(token));
        constrained.accept(if token == 0 { 1 } else { token }).unwrap();
    }
    assert_eq!(constrained.n_free(), 100);
}

#[test]
fn what_the_grammar_refused_is_counted_from() {
    let mut chain = chain(&Params::greedy(), r#"root ::= "maybe" "no" "maybe""#);
    let mut n_free = || {
        let token = chain.sample(&LOGITS).unwrap();
        chain.accept(token).unwrap();
        chain.n_free()
    };
    // "maybe" is the best anyway; "n" and "o" are not.
    assert_eq!([n_free(), n_free(), n_free(), n_free()], [1, 0, 0, 1]);
}

#[test]
fn what_is_not_allowed_is_an_error() {
    let mut dead = chain(&Params::greedy(), r#"root ::= "yes!""#);
    assert_eq!(
        dead.accept(2),
        Err(Error::Grammar(grammar::Error::Refused { token: 2, text: "no".to_owned() }))
    );
    dead.accept(1).unwrap();
    assert_eq!(dead.sample(&LOGITS), Err(Error::Grammar(grammar::Error::DeadEnd)));
    assert!(!dead.take_constraint().unwrap().is_complete());
    // Biases that forbid all that the grammar allows.
    let forbidden = Params { logit_bias: vec![(2, f32::NEG_INFINITY)], ..Params::greedy() };
    assert_eq!(
        chain(&forbidden, r#"root ::= "no""#).sample(&[0.0, 1.0, 2.0, 3.0, 0.0, 0.0, f32::NEG_INFINITY, 0.0]),
        Err(Error::NothingLeft)
    );
}
