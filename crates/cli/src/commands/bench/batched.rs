//! Several sequences at once, as llama-batched-bench measures them: all prompts together, then a token of each in turn.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use engine::{Context, Entry, LoadedModel, Mode, SeqId, Wanted};
use serde_json::json;

use super::{context, filler, generate, prompt};
use crate::args::{BenchArgs, BenchOutput};
use crate::output;

/// Memory is given out in blocks of at most this many tokens: what a sequence may waste at its end.
const SLACK: usize = 64;

/// Lengths of each sequence, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Batch {
    n_prompt: usize,
    n_gen: usize,
    n_seq: usize,
    /// All have the same prompt, which is computed once.
    is_shared: bool,
}

impl Batch {
    /// Prompt tokens that are computed.
    fn n_prompts(self) -> usize {
        self.n_prompt * if self.is_shared { 1 } else { self.n_seq }
    }

    fn n_generated(self) -> usize {
        self.n_gen * self.n_seq
    }

    fn n_kv(self) -> usize {
        self.n_prompts() + self.n_generated()
    }
}

/// How long both parts took.
struct Times {
    prompts: Duration,
    generation: Duration,
}

/// All combinations of the lengths and numbers, a line each.
pub(super) fn run(args: &BenchArgs, path: &Path, model: &Arc<LoadedModel>) -> Result<Vec<serde_json::Value>> {
    let mut records = Vec::new();
    if args.output == BenchOutput::Md {
        output::emit(
            "|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |\n\
             |-------|--------|------|--------|----------|----------|----------|----------|----------|----------|\n",
        )?;
    }
    let mut is_first = true;
    for batch in batches(args) {
        let warm_up = !args.no_warmup && std::mem::take(&mut is_first);
        let times = measure(args, model, batch, warm_up)?;
        if args.output == BenchOutput::Md {
            output::emit(&line(batch, &times))?;
        }
        records.push(record(path, batch, &times));
    }
    Ok(records)
}

fn batches(args: &BenchArgs) -> Vec<Batch> {
    let mut batches = Vec::new();
    for &n_prompt in &args.npp {
        for &n_gen in &args.ntg {
            for &n_seq in args.npl.iter().filter(|n| **n > 0) {
                batches.push(Batch { n_prompt, n_gen, n_seq, is_shared: args.shared_prompt });
            }
        }
    }
    batches
}

fn measure(args: &BenchArgs, model: &Arc<LoadedModel>, batch: Batch, warm_up: bool) -> Result<Times> {
    let n_seq_max = batch.n_seq + 1;
    let mut context = context(model, args, batch.n_kv() + n_seq_max * SLACK, n_seq_max)?;
    let tokens = filler(model, batch.n_kv().max(1));
    if warm_up {
        let seq = context.sequence()?;
        prompt(&mut context, seq, &tokens[..tokens.len().min(SLACK)])?;
        generate(&mut context, seq, &tokens[..1])?;
        context.remove(seq);
    }
    let start = Instant::now();
    let sequences = prompts(&mut context, batch, &tokens[..batch.n_prompts()])?;
    let prompts = start.elapsed();
    let start = Instant::now();
    for tokens in tokens[batch.n_prompts()..].chunks_exact(batch.n_seq).take(batch.n_gen) {
        let entry = |(token, seq): (_, &SeqId)| Entry {
            seq: *seq,
            tokens: std::slice::from_ref(token),
            wanted: Wanted::Last,
        };
        let entries: Vec<_> = tokens.iter().zip(&sequences).map(entry).collect();
        context.decode(Mode::Logits, &entries)?;
    }
    Ok(Times { prompts, generation: start.elapsed() })
}

/// Runs the prompts of all sequences.
fn prompts(context: &mut Context, batch: Batch, tokens: &[u32]) -> Result<Vec<SeqId>> {
    if batch.is_shared {
        let first = context.sequence()?;
        prompt(context, first, tokens)?;
        let others = (1..batch.n_seq).map(|_| context.fork(first)).collect::<Result<Vec<_>, _>>()?;
        return Ok(std::iter::once(first).chain(others).collect());
    }
    let sequences = (0..batch.n_seq).map(|_| context.sequence()).collect::<Result<Vec<_>, _>>()?;
    if batch.n_prompt > 0 {
        let entry = |(tokens, seq): (_, &SeqId)| Entry { seq: *seq, tokens, wanted: Wanted::Last };
        let entries: Vec<_> = tokens.chunks_exact(batch.n_prompt).zip(&sequences).map(entry).collect();
        context.decode(Mode::Logits, &entries)?;
    }
    Ok(sequences)
}

/// Tokens a second; 0 of none.
fn speed(n: usize, time: Duration) -> f64 {
    if n == 0 { 0.0 } else { n as f64 / time.as_secs_f64() }
}

fn line(batch: Batch, times: &Times) -> String {
    let Batch { n_prompt, n_gen, n_seq, .. } = batch;
    let all = times.prompts + times.generation;
    format!(
        "|{n_prompt:6} | {n_gen:6} | {n_seq:4} | {:6} | {:8.3} | {:8.2} | {:8.3} | {:8.2} | {:8.3} | {:8.2} |\n",
        batch.n_kv(),
        times.prompts.as_secs_f64(),
        speed(batch.n_prompts(), times.prompts),
        times.generation.as_secs_f64(),
        speed(batch.n_generated(), times.generation),
        all.as_secs_f64(),
        speed(batch.n_kv(), all),
    )
}

fn record(path: &Path, batch: Batch, times: &Times) -> serde_json::Value {
    let all = times.prompts + times.generation;
    json!({
        "model_filename": path.display().to_string(),
        "is_pp_shared": u8::from(batch.is_shared),
        "pp": batch.n_prompt,
        "tg": batch.n_gen,
        "pl": batch.n_seq,
        "n_kv": batch.n_kv(),
        "t_pp": times.prompts.as_secs_f64(),
        "speed_pp": speed(batch.n_prompts(), times.prompts),
        "t_tg": times.generation.as_secs_f64(),
        "speed_tg": speed(batch.n_generated(), times.generation),
        "t": all.as_secs_f64(),
        "speed": speed(batch.n_kv(), all),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_as_they_are_computed() {
        let check = |is_shared, want| {
            let batch = Batch { n_prompt: 100, n_gen: 10, n_seq: 4, is_shared };
            assert_eq!((batch.n_prompts(), batch.n_generated(), batch.n_kv()), want);
        };
        check(false, (400, 40, 440));
        check(true, (100, 40, 140));
        assert_eq!(speed(0, Duration::ZERO), 0.0);
    }
}
