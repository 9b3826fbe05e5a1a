//! What earlier requests left in memory is used, and changes no answer.

use engine::{EngineConfig, Request};

use crate::common::{ask, config, drawn, engine, greedy, prompt};

#[test]
fn a_conversation_goes_on_where_it_was() {
    let engine = engine(config());
    let mut tokens = prompt(1, 40);
    let mut n_remembered = 0;
    for turn in 0..4 {
        let request = drawn(tokens.clone(), 20, turn);
        let fresh = ask(&engine, Request { cache_scope: None, ..request.clone() });
        let answer = ask(&engine, request);
        assert_eq!(answer.tokens, fresh.tokens);
        assert_eq!((answer.stats.n_reused, fresh.stats.n_reused), (n_remembered, 0));
        tokens.extend(answer.tokens);
        // The last token of an answer is never computed.
        n_remembered = tokens.len() - 1;
        tokens.extend(prompt(turn + 2, 7));
    }
    assert_eq!(engine.status().n_idle, 1);
}

#[test]
fn prompts_that_begin_alike_share_their_beginning() {
    let engine = engine(config());
    let alike = prompt(1, 70);
    let requests: Vec<_> =
        (2..6).map(|seed| drawn([&alike[..], &prompt(seed, 9)].concat(), 10, seed)).collect();
    let fresh: Vec<_> =
        requests.iter().map(|r| ask(&engine, Request { cache_scope: None, ..r.clone() }).tokens).collect();
    let answers: Vec<_> = requests.iter().map(|r| engine.submit(r.clone()).expect("valid")).collect();
    for (i, answer) in answers.into_iter().enumerate() {
        let answer = answer.complete().expect("an answer");
        assert_eq!(answer.tokens, fresh[i]);
        // Of the first prompt, two steps are done when there is room for the second in the third.
        assert_eq!(answer.stats.n_reused >= 64, i > 0, "{i}: {:?}", answer.stats);
    }
}

#[test]
fn strangers_share_nothing() {
    let engine = engine(config());
    let n_reused = |scope| {
        let request = Request { cache_scope: scope, ..greedy(prompt(1, 40), 2) };
        ask(&engine, request).stats.n_reused
    };
    assert_eq!(n_reused(Some(1)), 0);
    assert_eq!(n_reused(Some(2)), 0);
    assert_eq!(n_reused(None), 0);
    assert_eq!(n_reused(None), 0);
    assert_eq!(n_reused(Some(1)), 39);
}

#[test]
fn the_least_recently_used_gives_way() {
    let mut config = EngineConfig { n_parallel: 1, ..config() };
    config.context.n_seq_max = 3;
    let engine = engine(config);
    let n_reused = |seed| ask(&engine, greedy(prompt(seed, 30), 2)).stats.n_reused;
    assert_eq!([1, 2, 3].map(n_reused), [0, 0, 0]);
    assert_eq!(n_reused(1), 29);
    // The oldest is now the second.
    assert_eq!(n_reused(4), 0);
    assert_eq!(n_reused(1), 29);
    assert_eq!(n_reused(2), 0);
    assert_eq!(engine.status().n_idle, 3);
}

#[test]
fn idle_sequences_give_their_memory_to_running_ones() {
    let engine = engine(config());
    for seed in 0..4 {
        assert_eq!(ask(&engine, greedy(prompt(seed, 60), 2)).stats.n_reused, 0);
    }
    let full = ask(&engine, greedy(prompt(9, 250), 6));
    assert_eq!(full.tokens.len(), 6);
    let memory = engine.status().memory;
    assert!(memory.used_bytes <= memory.total_bytes && memory.used_bytes > 0, "{memory:?}");
}
