//! Windows give the same logits whatever fits a step or a batch, and the right targets.

use bench::{BaseHeader, BaseReader, BaseWriter, Divergence, Perplexity, SavedPerplexity, Windows};
use testkit::nmse;

use crate::{context, record, text};

#[test]
fn batches_and_steps_do_not_matter() {
    let tokens = text(130);
    let alone = Windows::side_by_side(tokens.len(), 32, 32, Some(5)).expect("long enough");
    let want = record(&mut context("llama-dense", 64), &alone, &tokens);
    assert_eq!(want.targets.len(), 4 * 15);
    let targets: Vec<u32> = want.positions.iter().map(|p| tokens[*p]).collect();
    assert_eq!(want.targets, targets);
    assert_eq!(want.positions[..16], [17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 49]);
    for (n_batch, n_ubatch) in [(128, 64), (96, 20), (64, 7)] {
        let windows = Windows::side_by_side(tokens.len(), 32, n_batch, Some(5)).expect("long enough");
        let got = record(&mut context("llama-dense", n_ubatch), &windows, &tokens);
        assert_eq!((got.targets, got.positions), (want.targets.clone(), want.positions.clone()));
        assert!(nmse(&got.logits, &want.logits) < 1e-9, "{n_batch} {n_ubatch}");
    }
}

#[test]
fn strided_windows_score_every_token_behind_the_first_once() {
    let tokens = text(101);
    let windows = Windows::strided(tokens.len(), 40, 16).expect("long enough");
    let got = record(&mut context("llama-dense", 64), &windows, &tokens);
    assert_eq!(got.positions, (24..24 + 16 * windows.n_windows).collect::<Vec<_>>());
    assert_eq!(windows.n_windows, 4);
}

#[test]
fn a_saved_base_compares_equal_to_itself() {
    let tokens = text(128);
    let windows = Windows::side_by_side(tokens.len(), 32, 64, None).expect("long enough");
    let mut context = context("llama-dense", 64);
    let header = BaseHeader { n_ctx: 32, n_vocab: 128, n_windows: 4, tokens: tokens.clone() };
    let writer = BaseWriter::new(Vec::new(), &header).expect("memory takes it");
    let mut saved = SavedPerplexity::new(2, writer);
    windows.run::<_, bench::Error>(&mut context, &tokens, &mut saved, |_, _| Ok(())).expect("it runs");
    let perplexity = saved.perplexity;
    let file = saved.finish().expect("memory takes it");

    let mut plain = Perplexity::new(1);
    windows.run::<_, bench::Error>(&mut context, &tokens, &mut plain, |_, _| Ok(())).expect("it runs");
    assert!((plain.estimate().value - perplexity.estimate().value).abs() < 1e-6);

    let reader = BaseReader::new(&file[..], file.len() as u64).expect("just written");
    assert_eq!(reader.header(), &header);
    let mut divergence = Divergence::new(reader, 128, 2).expect("the same vocabulary");
    windows.run::<_, bench::Error>(&mut context, &tokens, &mut divergence, |_, _| Ok(())).expect("it runs");
    let summary = divergence.summary();
    assert_eq!(summary.n_scored, 60);
    assert!(summary.divergence.value.abs() < 1e-5, "{summary:?}");
    assert!((summary.ppl.value - summary.ppl_base.value).abs() / summary.ppl.value < 1e-3, "{summary:?}");
    assert_eq!(summary.same_top.value, 1.0);
}
