//! Time per token of whole chains over a large vocabulary: `cargo bench -p sampling`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that reports")]

use sampling::{Chain, Kind, Mirostat, Mt19937, Params, VocabInfo};
use std::time::{Duration, Instant};

/// Gemma 3's vocabulary.
const N: usize = 262_144;
const N_ROWS: usize = 16;
const N_TOKENS: usize = 200;

/// Roughly normal around -5, with a few logits that stand out, as language models give.
fn row(rng: &mut Mt19937) -> Vec<f32> {
    let normal = |rng: &mut Mt19937| (0..6).map(|_| rng.next_f32()).sum::<f32>() - 3.0;
    let mut row: Vec<f32> = (0..N).map(|_| normal(rng) * 3.0 - 5.0).collect();
    for _ in 0..20 {
        row[rng.next_u32() as usize % N] = 8.0 + rng.next_f32() * 10.0;
    }
    row
}

fn check(title: &str, params: Params, rows: &[Vec<f32>]) {
    let params = Params { seed: Some(1), ..params };
    let mut chain = Chain::new(&params, &VocabInfo::of_size(N)).unwrap();
    let mut times: Vec<Duration> = (0..N_TOKENS)
        .map(|i| {
            let start = Instant::now();
            let token = chain.sample(&rows[i % rows.len()]).unwrap();
            chain.accept_prompt(token);
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{title:32} {:8.1} us median, {:8.1} us best", micros(times[N_TOKENS / 2]), micros(times[0]));
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn main() {
    let mut rng = Mt19937::new(1);
    let rows: Vec<_> = (0..N_ROWS).map(|_| row(&mut rng)).collect();
    let default = Params::default;
    let off = || Params { top_k: 0, top_p: 1.0, min_p: 0.0, ..default() };
    check("greedy", Params::greedy(), &rows);
    check("greedy, repetition penalty", Params { penalty_repeat: 1.1, ..Params::greedy() }, &rows);
    check("default", default(), &rows);
    check(
        "default, penalties and DRY",
        Params { penalty_repeat: 1.1, dry_multiplier: 0.8, ..default() },
        &rows,
    );
    check("top_k 1000", Params { top_k: 1000, ..default() }, &rows);
    check("min_p alone", Params { min_p: 0.05, ..off() }, &rows);
    check("top_p alone", Params { top_p: 0.95, ..off() }, &rows);
    check("top_n_sigma alone", Params { top_n_sigma: 1.0, ..off() }, &rows);
    check("temperature alone", off(), &rows);
    check("typical alone", Params { typical_p: 0.9, order: vec![Kind::Typical], ..off() }, &rows);
    check("mirostat", Params { mirostat: Mirostat::V1, ..off() }, &rows);
    check("mirostat 2", Params { mirostat: Mirostat::V2, ..off() }, &rows);
}
