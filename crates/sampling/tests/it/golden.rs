//! Every case of `data/sampling.json`: what the reference leaves of given logits.

use crate::boxed;
use sampling::samplers::{LogitBias, MinP, Penalties, Temperature, TopK, TopNSigma, TopP, Typical, Xtc};
use sampling::{Candidates, Chain, Params, Sampler, VocabInfo};
use serde_json::Value;

const TOLERANCE: f64 = 1e-5;

fn number(params: &Value, name: &str) -> f32 {
    params[name].as_f64().unwrap_or_else(|| panic!("no {name} in {params}")) as f32
}

/// The sampler of a case; `None` where its settings have no effect.
fn sampler(name: &str, params: &Value) -> Option<Box<dyn Sampler>> {
    let n = |name| number(params, name);
    let min_keep = || params["min_keep"].as_u64().unwrap() as usize;
    match name {
        "temp" => boxed(Temperature::new(n("t"), 0.0, 1.0)),
        "temp_ext" => boxed(Temperature::new(n("t"), n("range"), n("exponent"))),
        "top_k" => boxed(TopK::new(n("k") as i32)),
        "top_p" => boxed(TopP::new(n("p"), min_keep())),
        "min_p" => boxed(MinP::new(n("p"), min_keep())),
        "typical" => boxed(Typical::new(n("p"), min_keep())),
        "top_n_sigma" => boxed(TopNSigma::new(n("n"))),
        "xtc" => boxed(Xtc::new(n("p"), n("t"), min_keep(), params["seed"].as_u64().map(|s| s as u32))),
        "penalties" => {
            // The reference clamps; here a negative length cannot be said.
            let last_n = params["last_n"].as_i64().unwrap().max(0) as usize;
            boxed(Some(Penalties::new(last_n, n("repeat"), n("freq"), n("present"))))
        }
        "logit_bias" => {
            let bias = |pair: &Value| {
                let bias = pair[1].as_f64().unwrap_or(f64::NEG_INFINITY) as f32;
                (pair[0].as_u64().unwrap() as u32, bias)
            };
            boxed(Some(LogitBias::new(params["bias"].as_array().unwrap().iter().map(bias).collect())))
        }
        _ => panic!("unknown sampler {name}"),
    }
}

fn history(params: &Value) -> impl Iterator<Item = u32> {
    let tokens = params["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    tokens.iter().map(|token| token.as_u64().unwrap() as u32)
}

/// Runs a case and returns what is left of the candidates.
fn run(case: &Value, logits: &[f32]) -> Candidates {
    let (name, params) = (case["sampler"].as_str().unwrap(), &case["params"]);
    if name.starts_with("chain") {
        assert_eq!(
            name,
            "chain: penalties(64,1.1,0,0) top_n_sigma(-1) top_k(40) typical(1) top_p(0.95) min_p(0.05) \
             temp_ext(0.8,0,1)"
        );
        let params = Params { penalty_repeat: 1.1, seed: Some(1), ..Params::default() };
        let mut chain = Chain::new(&params, &VocabInfo::of_size(logits.len())).unwrap();
        history(&case["params"]).for_each(|token| chain.accept_prompt(token));
        chain.sample(logits).unwrap();
        return chain.candidates().clone();
    }
    let mut candidates = Candidates::new();
    candidates.load(logits).unwrap();
    if let Some(mut sampler) = sampler(name, params) {
        history(params).for_each(|token| sampler.accept(token));
        sampler.apply(&mut candidates);
    }
    candidates
}

fn check(case: &Value, logits: &[f32]) {
    let mut candidates = run(case, logits);
    candidates.retain(|_, logit| logit > f32::NEG_INFINITY);
    let title = format!("{} {} on {}", case["sampler"], case["params"], case["input"]);
    let kept = case["kept"].as_array().unwrap();
    assert_eq!(candidates.len(), kept.len(), "{title}: how many are kept");
    let probabilities = candidates.softmax().to_vec();
    for (i, expect) in kept.iter().enumerate() {
        assert_eq!(u64::from(candidates.ids()[i]), expect[0], "{title}: id at {i}");
        for (found, expect) in [(candidates.logits()[i], &expect[1]), (probabilities[i], &expect[2])] {
            let expect = expect.as_f64().unwrap();
            assert!((f64::from(found) - expect).abs() <= TOLERANCE, "{title} at {i}: {found}, not {expect}");
        }
    }
}

#[test]
fn every_case_of_the_reference() {
    let golden: Value = serde_json::from_str(include_str!("../data/sampling.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 92);
    for case in cases {
        let logits = golden["inputs"][case["input"].as_str().unwrap()].as_array().unwrap();
        let logits: Vec<f32> = logits.iter().map(|logit| logit.as_f64().unwrap() as f32).collect();
        check(case, &logits);
    }
}
