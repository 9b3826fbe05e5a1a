//! The chain as an engine uses it: which samplers it has, greedy short cuts, errors, state.

use sampling::{Chain, Error, Kind, Mirostat, Mt19937, Params, TokenId, VocabInfo};

const N: usize = 1000;

fn row(seed: u32) -> Vec<f32> {
    let mut rng = Mt19937::new(seed);
    (0..N).map(|_| rng.next_f32() * 20.0 - 10.0).collect()
}

fn chain(params: &Params) -> Chain {
    Chain::new(params, &VocabInfo::of_size(N)).unwrap()
}

fn generate(chain: &mut Chain, n: u32) -> Vec<TokenId> {
    let next = |step| {
        let token = chain.sample(&row(step)).unwrap();
        chain.accept(token).unwrap();
        token
    };
    (0..n).map(next).collect()
}

fn argmax(logits: &[f32]) -> TokenId {
    let best = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.unwrap() as TokenId
}

#[test]
fn samplers_without_effect_are_left_out() {
    let check = |params: Params, expect: &[&str]| {
        assert_eq!(chain(&params).names().collect::<Vec<_>>(), expect);
    };
    check(Params::default(), &["top_k", "top_p", "min_p", "temperature", "dist"]);
    check(Params::greedy(), &["greedy"]);
    check(Params { order: vec![], ..Params::default() }, &["dist"]);
    check(Params { temperature: 1.0, top_k: 0, min_p: 0.0, top_p: 1.0, ..Params::default() }, &["dist"]);
    check(Params { logit_bias: vec![(3, 1.0)], ..Params::greedy() }, &["logit_bias", "greedy"]);
    check(Params { mirostat: Mirostat::V1, ..Params::default() }, &["temperature", "mirostat"]);
    check(Params { mirostat: Mirostat::V2, ..Params::default() }, &["temperature", "mirostat_v2"]);
    let order = vec![Kind::AdaptiveP, Kind::TopK];
    check(Params { order, ..Params::default() }, &["top_k", "adaptive_p"]);
}

#[test]
fn temperature_zero_shortens_only_where_the_best_token_is_certain() {
    let check = |params: Params, expect: &[&str]| {
        let params = Params { temperature: 0.0, seed: Some(1), ..params };
        let mut short = chain(&params);
        assert_eq!(short.names().collect::<Vec<_>>(), expect);
        // One more sampler without effect on zero temperature, which the short cut must not trust.
        let mut order = params.order.clone();
        order.insert(0, Kind::Xtc);
        let mut long = chain(&Params { order, xtc_probability: 1e-30, ..params });
        assert_eq!(long.names().last(), Some("dist"));
        assert_eq!(generate(&mut short, 60), generate(&mut long, 60));
    };
    let repeat = || Params { penalty_repeat: 2.5, dry_multiplier: 1.0, ..Params::default() };
    check(Params::default(), &["greedy"]);
    check(repeat(), &["penalties", "dry", "greedy"]);
    let order = vec![Kind::TopK, Kind::Penalties, Kind::Temperature];
    check(Params { order, top_k: 2, ..repeat() }, &["top_k", "penalties", "temperature", "dist"]);
    let order = vec![Kind::Temperature, Kind::TopK];
    check(Params { order, ..Params::default() }, &["greedy"]);
}

#[test]
fn greedy_takes_the_best_and_shows_it() {
    let mut chain = chain(&Params::greedy());
    for seed in 0..20 {
        let row = row(seed);
        let token = chain.sample(&row).unwrap();
        assert_eq!(token, argmax(&row));
        assert_eq!(chain.candidates().ids(), [token]);
        assert_eq!(chain.candidates().probabilities(), [1.0]);
    }
}

#[test]
fn same_seed_same_tokens_and_reset_starts_over() {
    for mirostat in [Mirostat::Off, Mirostat::V1, Mirostat::V2] {
        let params = Params { seed: Some(7), mirostat, penalty_repeat: 1.2, ..Params::default() };
        let mut first = chain(&params);
        assert_eq!(first.seed(), Some(7));
        let tokens = generate(&mut first, 50);
        assert_eq!(generate(&mut chain(&params), 50), tokens);
        let mut clone = first.clone();
        assert_eq!(generate(&mut clone, 50), generate(&mut first, 50), "a clone goes on alike");
        first.reset().unwrap();
        assert_eq!(generate(&mut first, 50), tokens);
        let other = Params { seed: Some(8), ..params };
        assert_ne!(generate(&mut chain(&other), 50), tokens);
    }
}

#[test]
fn bad_logits_are_errors_and_draw_nothing() {
    for params in [Params::greedy(), Params { seed: Some(3), ..Params::default() }] {
        let mut tried = chain(&params);
        for value in [f32::NAN, f32::INFINITY] {
            let mut bad = row(1);
            bad[77] = value;
            let error = tried.sample(&bad).unwrap_err();
            assert!(matches!(error, Error::BadLogit { token: 77, .. }), "{error}");
        }
        assert_eq!(tried.sample(&[0.0; 3]), Err(Error::LogitCount { expected: N, found: 3 }));
        assert_eq!(tried.sample(&[f32::NEG_INFINITY; N]).unwrap_err(), Error::NothingLeft);
        tried.reset().unwrap();
        assert_eq!(generate(&mut tried, 20), generate(&mut chain(&params), 20));
    }
}

#[test]
fn biases_forbid_and_prefer() {
    let best = argmax(&row(1));
    let check = |params: &Params, vocab: &VocabInfo, is_best: bool| {
        let mut chain = Chain::new(params, vocab).unwrap();
        assert_eq!(chain.sample(&row(1)).unwrap() == best, is_best, "{params:?}");
    };
    let plain = VocabInfo { eog: vec![best], ..VocabInfo::of_size(N) };
    let forbidding = VocabInfo { suppressed: vec![best, 5000], ..VocabInfo::of_size(N) };
    check(&Params::greedy(), &plain, true);
    check(&Params { ignore_eos: true, ..Params::greedy() }, &plain, false);
    check(&Params::greedy(), &forbidding, false);
    let ban = vec![(best, f32::NEG_INFINITY)];
    check(&Params { logit_bias: ban, ..Params::greedy() }, &plain, false);
    let prefer = vec![(best, 50.0), (best, 50.0)];
    check(&Params { logit_bias: prefer, seed: Some(1), ..Params::default() }, &plain, true);
}

#[test]
fn a_filter_rules_out_tokens_before_the_samplers() {
    for params in [Params::greedy(), Params { seed: Some(1), ..Params::default() }] {
        let mut chain = chain(&params);
        let odd = |id, logit| if id % 2 == 1 { logit } else { f32::NEG_INFINITY };
        for seed in 0..50 {
            assert!(chain.sample_filtered(&row(seed), |c| c.map_logits(odd)).unwrap() % 2 == 1);
            assert!(chain.sample_filtered(&row(seed), |c| c.retain(|id, _| id % 2 == 1)).unwrap() % 2 == 1);
        }
        assert_eq!(chain.sample_filtered(&row(0), |c| c.truncate(0)), Err(Error::NothingLeft));
    }
}

#[test]
fn unusable_parameters_are_errors_that_name_them() {
    let check = |params: Params, expect: &str| {
        let error = Chain::new(&params, &VocabInfo::of_size(N)).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    let default = Params::default;
    check(Params { temperature: f32::NAN, ..default() }, "temperature is NaN");
    check(Params { top_p: f32::INFINITY, ..default() }, "top_p is inf");
    check(Params { penalty_repeat: 0.0, ..default() }, "penalty_repeat is 0");
    check(Params { penalty_repeat: 1e-40, ..default() }, "large enough to divide by");
    check(Params { penalty_repeat: -1.0, ..default() }, "penalty_repeat is -1");
    check(Params { logit_bias: vec![(1, f32::NAN)], ..default() }, "logit_bias is NaN");
    check(
        Params { logit_bias: vec![(N as u32, 1.0)], ..default() },
        "token 1000, but the vocabulary has 1000",
    );
    check(Params { order: vec![Kind::Infill], ..default() }, "infill needs an end-of-turn");
}

/// Extreme values, two at a time: an answer, never an error, a panic or a NaN probability.
#[test]
fn extreme_parameters_and_logits() {
    let extremes = [0.0, 1.0, -1.0, 1e-38, 1e-40, 3e38, -3e38, 0.5, 0.999_999_9];
    let setters: [fn(&mut Params, f32); 19] = [
        |p, v| p.temperature = v,
        |p, v| p.dynatemp_range = v,
        |p, v| p.dynatemp_exponent = v,
        |p, v| p.top_k = v as i32,
        |p, v| p.top_p = v,
        |p, v| p.min_p = v,
        |p, v| p.typical_p = v,
        |p, v| p.top_n_sigma = v,
        |p, v| (p.xtc_probability, p.xtc_threshold) = (1.0, v),
        |p, v| p.penalty_repeat = v,
        |p, v| p.penalty_frequency = v,
        |p, v| p.penalty_presence = v,
        |p, v| p.dry_multiplier = v,
        |p, v| (p.dry_multiplier, p.dry_base) = (1.0, v),
        |p, v| (p.order, p.adaptive_target) = (vec![Kind::TopK, Kind::AdaptiveP], v),
        |p, v| (p.order, p.adaptive_decay, p.adaptive_target) = (vec![Kind::AdaptiveP], v, 0.5),
        |p, v| (p.mirostat, p.mirostat_tau) = (Mirostat::V1, v),
        |p, v| (p.mirostat, p.mirostat_eta) = (Mirostat::V2, v),
        |p, v| p.min_keep = v as usize,
    ];
    let mut ruled_out = vec![f32::NEG_INFINITY; 70];
    ruled_out[3] = 1.0;
    let extreme = (0..70).map(|i| [f32::MAX, f32::MIN, 0.0, 1e-40, f32::NEG_INFINITY][i % 5]).collect();
    let rows =
        [row(1)[..70].to_vec(), vec![0.0; 70], ruled_out, extreme, vec![f32::MAX; 70], vec![f32::MIN; 70]];
    for (one, set_one) in setters.iter().enumerate() {
        for set_two in &setters[one..] {
            for (value, other) in extremes.iter().flat_map(|&a| extremes.map(|b| (a, b))) {
                let mut params = Params { seed: Some(1), ..Params::default() };
                set_one(&mut params, value);
                set_two(&mut params, other);
                // What `validate` refuses is tested above.
                let Ok(mut chain) = Chain::new(&params, &VocabInfo::of_size(70)) else { continue };
                for row in rows.iter().chain(&rows) {
                    match chain.sample(row) {
                        Ok(token) => chain.accept(token).unwrap(),
                        Err(error) => panic!("{error} {params:?} {row:?}"),
                    }
                    let sum: f32 = chain.candidates().probabilities().iter().sum();
                    assert!((sum - 1.0).abs() < 1e-3 || sum == 0.0, "{sum}: {params:?} {row:?}");
                }
            }
        }
    }
}
