//! Comparison of a model with a base model, and the report.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;

use anyhow::{Context as _, Result};
use bench::{BaseReader, Divergence, Estimate, Percentiles, Summary, Windows};

use super::{Progress, Subject};
use crate::output;

/// Below this many tokens, statistics say nothing.
const MIN_SCORED: usize = 100;

pub(super) fn run(subject: &Subject<'_>) -> Result<()> {
    let args = subject.args;
    let path = args.kl_divergence_base.as_deref().context("--kl-divergence needs --kl-divergence-base")?;
    let of = || path.display().to_string();
    let file = File::open(path).with_context(of)?;
    let n_bytes = file.metadata().with_context(of)?.len();
    let base = BaseReader::new(BufReader::new(file), n_bytes).with_context(of)?;
    let header = base.header().clone();
    let windows = Windows::side_by_side(
        header.tokens.len().max(2 * header.n_ctx),
        header.n_ctx,
        args.batch_size,
        subject.bos(),
    )?;
    let windows = subject.limited(windows.limit(header.n_windows));
    let mut judge = Divergence::new(base, subject.n_vocab(), subject.n_threads).with_context(of)?;
    let mut context = subject.context(windows.n_alive(), windows.n_sequences())?;
    let mut progress = Progress::new(&windows);
    output::emit(
        "chunk             PPL               ln(PPL(Q)/PPL(base))          KL Divergence              Δp RMS            Same top p\n",
    )?;
    windows.run(&mut context, &header.tokens, &mut judge, |window, judge| {
        progress.done(window);
        output::emit(&running(window, &judge.summary()))
    })?;
    if judge.summary().n_scored < MIN_SCORED {
        output::note(&format!("note: fewer than {MIN_SCORED} tokens were scored: too few for statistics"));
        return Ok(());
    }
    output::emit(&report(&judge.summary(), &judge.percentiles())?)
}

fn running(window: usize, s: &Summary) -> String {
    let percent = |e: Estimate| format!("{:6.3} ± {:6.3} %", 100.0 * e.value, 100.0 * e.error);
    format!(
        "{:4}    {:9.4} ± {:9.4}    {:10.5} ± {:10.5}    {:10.5} ± {:10.5}    {}    {}\n",
        window + 1,
        s.ppl.value,
        s.ppl.error,
        s.log_ppl_ratio.value,
        s.log_ppl_ratio.error,
        s.divergence.value,
        s.divergence.error,
        percent(s.probability_difference_rms),
        percent(s.same_top),
    )
}

/// In the layout that scripts for llama.cpp expect.
fn report(s: &Summary, (divergences, differences): &(Percentiles, Percentiles)) -> Result<String> {
    let plain = |e: Estimate| format!("{:10.6} ± {:10.6}", e.value, e.error);
    let percent = |e: Estimate| format!("{:6.3} ± {:5.3} %", 100.0 * e.value, 100.0 * e.error);
    let mut out = String::from("\n====== Perplexity statistics ======\n");
    writeln!(out, "Mean PPL(Q)                   : {}", plain(s.ppl))?;
    writeln!(out, "Mean PPL(base)                : {}", plain(s.ppl_base))?;
    writeln!(out, "Cor(ln(PPL(Q)), ln(PPL(base))): {:6.2}%", 100.0 * s.correlation)?;
    writeln!(out, "Mean ln(PPL(Q)/PPL(base))     : {}", plain(s.log_ppl_ratio))?;
    writeln!(out, "Mean PPL(Q)/PPL(base)         : {}", plain(s.ppl_ratio))?;
    writeln!(out, "Mean PPL(Q)-PPL(base)         : {}", plain(s.ppl_difference))?;
    writeln!(out, "\n====== KL divergence statistics ======")?;
    writeln!(out, "Mean    KLD: {}", plain(s.divergence))?;
    for (name, share) in [
        ("Maximum", 1.0),
        ("99.9%  ", 0.999),
        ("99.0%  ", 0.99),
        ("95.0%  ", 0.95),
        ("90.0%  ", 0.9),
        ("Median ", 0.5),
        ("10.0%  ", 0.1),
        (" 5.0%  ", 0.05),
        (" 1.0%  ", 0.01),
        (" 0.1%  ", 0.001),
        ("Minimum", 0.0),
    ] {
        writeln!(out, "{name} KLD: {:10.6}", divergences.at(share))?;
    }
    writeln!(out, "\n====== Token probability statistics ======")?;
    writeln!(out, "Mean    Δp: {}", percent(s.probability_difference))?;
    for (name, share) in [
        ("Maximum", 1.0),
        ("99.9%  ", 0.999),
        ("99.0%  ", 0.99),
        ("95.0%  ", 0.95),
        ("90.0%  ", 0.9),
        ("75.0%  ", 0.75),
        ("Median ", 0.5),
        ("25.0%  ", 0.25),
        ("10.0%  ", 0.1),
        (" 5.0%  ", 0.05),
        (" 1.0%  ", 0.01),
        (" 0.1%  ", 0.001),
        ("Minimum", 0.0),
    ] {
        writeln!(out, "{name} Δp: {:6.3}%", 100.0 * differences.at(share))?;
    }
    writeln!(out, "RMS Δp    : {}", percent(s.probability_difference_rms))?;
    writeln!(out, "Same top p: {}", percent(s.same_top))?;
    Ok(out)
}
