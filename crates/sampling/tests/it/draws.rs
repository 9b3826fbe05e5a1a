//! Every case of `data/draws.json`: token by token what the reference draws from a seed, each token accepted
//! before the next. `chain` lists samplers with their settings in the order of our constructors.
//!
//! The logits are made up, the same on both sides: see [`logits`].

use crate::boxed;
use sampling::samplers::{
    AdaptiveP, Dist, Dry, MinP, MirostatV1, MirostatV2, Penalties, Temperature, TopK, TopNSigma, TopP,
    Typical, Xtc,
};
use sampling::{Candidates, Sampler, TokenId};
use serde_json::Value;

/// Row `step` of the logits of a case.
fn logits(n: usize, seed: u64, step: u64) -> Vec<f32> {
    let mut state = (seed << 32) + step;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 40) as f32 / 2f32.powi(24);
        unit * unit * unit * 12.0
    };
    (0..n).map(|_| next()).collect()
}

fn sampler(spec: &Value) -> Option<Box<dyn Sampler>> {
    let f = |i: usize| spec[i].as_f64().unwrap() as f32;
    let n = |i: usize| spec[i].as_u64().unwrap() as usize;
    let seed = |i: usize| Some(spec[i].as_u64().unwrap() as u32);
    match spec[0].as_str().unwrap() {
        "dist" => boxed(Some(Dist::new(seed(1)))),
        "top_k" => boxed(TopK::new(n(1) as i32)),
        "top_p" => boxed(TopP::new(f(1), n(2))),
        "min_p" => boxed(MinP::new(f(1), n(2))),
        "typical" => boxed(Typical::new(f(1), n(2))),
        "temperature" => boxed(Temperature::new(f(1), f(2), f(3))),
        "xtc" => boxed(Xtc::new(f(1), f(2), n(3), seed(4))),
        "top_n_sigma" => boxed(TopNSigma::new(f(1))),
        "mirostat" => boxed(Some(MirostatV1::new(n(1), seed(2), f(3), f(4)))),
        "mirostat_v2" => boxed(Some(MirostatV2::new(seed(1), f(2), f(3)))),
        "adaptive_p" => boxed(Some(AdaptiveP::new(f(1), f(2), seed(3)))),
        "penalties" => boxed(Some(Penalties::new(n(1), f(2), f(3), f(4)))),
        "dry" => {
            let breakers = spec[5].as_array().unwrap().iter().map(tokens).collect();
            boxed(Dry::new(f(1), f(2), n(3), n(4), breakers))
        }
        name => panic!("unknown sampler {name}"),
    }
}

fn tokens(list: &Value) -> Vec<TokenId> {
    list.as_array().unwrap().iter().map(|token| token.as_u64().unwrap() as TokenId).collect()
}

fn check(case: &Value) {
    let (n, seed) = (case["n"].as_u64().unwrap() as usize, case["logits_seed"].as_u64().unwrap());
    let mut chain: Vec<_> = case["chain"].as_array().unwrap().iter().filter_map(sampler).collect();
    for token in tokens(&case["history"]) {
        chain.iter_mut().for_each(|sampler| sampler.accept(token));
    }
    let mut candidates = Candidates::new();
    for (step, &expect) in tokens(&case["tokens"]).iter().enumerate() {
        candidates.load(&logits(n, seed, step as u64)).unwrap();
        chain.iter_mut().for_each(|sampler| sampler.apply(&mut candidates));
        assert_eq!(candidates.selected(), Some(expect), "step {step} of {} on row {seed}", case["chain"]);
        chain.iter_mut().for_each(|sampler| sampler.accept(expect));
    }
}

#[test]
fn every_draw_of_the_reference() {
    let golden: Value = serde_json::from_str(include_str!("../data/draws.json")).unwrap();
    let cases = golden.as_array().unwrap();
    assert_eq!(cases.len(), 78);
    cases.iter().for_each(check);
}
