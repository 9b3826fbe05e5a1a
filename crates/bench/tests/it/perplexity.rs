//! Perplexity and divergence, however the text is cut into steps.

use bench::{BaseHeader, BaseReader, BaseWriter, Divergence, Error, Perplexity, SavedPerplexity, Windows};

use super::{assert_close, context, dense, log_probs, text};

const BOS: u32 = 1;

/// The mean over windows side by side, of which the second halves count.
fn by_definition(tokens: &[u32], n_ctx: usize, bos: Option<u32>) -> f64 {
    let model = dense();
    let mut nll = Vec::new();
    for window in tokens.chunks_exact(n_ctx) {
        let mut window = window.to_vec();
        if let Some(bos) = bos {
            window[0] = bos;
        }
        nll.extend(log_probs(&model, &window)[n_ctx / 2..].iter().map(|l| -l));
    }
    nll.iter().sum::<f64>() / nll.len() as f64
}

#[test]
fn windows_side_by_side_are_those_of_the_definition() {
    let tokens = text(100);
    let model = dense();
    for (n_ctx, n_batch, n_ubatch, bos) in
        [(16, 16, 16, None), (16, 64, 5, Some(BOS)), (32, 96, 64, Some(BOS)), (48, 48, 7, None)]
    {
        let windows = Windows::side_by_side(tokens.len(), n_ctx, n_batch, bos).expect("long enough");
        let mut context = context(&model, windows.n_alive() + 256, windows.n_sequences(), n_ubatch);
        let mut judge = Perplexity::new(2);
        let mut done = Vec::new();
        let run = windows.run(&mut context, &tokens, &mut judge, |window, _| {
            done.push(window);
            Ok::<(), Error>(())
        });
        run.expect("it runs");
        assert_eq!(done, (0..tokens.len() / n_ctx).collect::<Vec<_>>());
        assert_eq!(judge.n_scored(), done.len() * (n_ctx - n_ctx / 2 - 1));
        assert_close(judge.log_estimate().value, by_definition(&tokens, n_ctx, bos), "nll");
    }
}

#[test]
fn strided_windows_score_their_ends() {
    let (tokens, n_ctx, stride) = (text(60), 24, 8);
    let model = dense();
    let windows = Windows::strided(tokens.len(), n_ctx, stride).expect("long enough");
    let mut wanted = Vec::new();
    for start in (0..windows.n_windows).map(|w| windows.start(w)) {
        let window = log_probs(&model, &tokens[start..start + n_ctx]);
        wanted.extend(window[n_ctx - stride - 1..].iter().map(|l| -l));
    }
    let mut judge = Perplexity::new(1);
    let mut context = context(&model, n_ctx + 64, 1, 16);
    windows.run(&mut context, &tokens, &mut judge, |_, _| Ok::<(), Error>(())).expect("it runs");
    assert_eq!(judge.n_scored(), wanted.len());
    assert_close(judge.log_estimate().value, wanted.iter().sum::<f64>() / wanted.len() as f64, "nll");
}

/// A model has no divergence from itself, but for the rounding of the file.
#[test]
fn a_model_is_its_own_base() {
    let tokens = text(64);
    let model = dense();
    let windows = Windows::side_by_side(tokens.len(), 16, 32, None).expect("long enough");
    let header = BaseHeader {
        n_ctx: 16,
        n_vocab: model.model().hparams().n_vocab,
        n_windows: windows.n_windows,
        tokens: tokens.clone(),
    };
    let mut saved = SavedPerplexity::new(2, BaseWriter::new(Vec::new(), &header).expect("memory takes it"));
    let mut context = context(&model, windows.n_alive() + 256, windows.n_sequences(), 16);
    let quiet = |_: usize, _: &_| Ok::<(), Error>(());
    windows.run(&mut context, &tokens, &mut saved, quiet).expect("it runs");
    let ppl = saved.perplexity.estimate().value;
    let file = saved.finish().expect("memory takes it");
    let reader = BaseReader::new(&file[..], file.len() as u64).expect("a whole file");
    assert_eq!(reader.header(), &header);
    let mut divergence = Divergence::new(reader, header.n_vocab, 2).expect("the same vocabulary");
    windows.run(&mut context, &tokens, &mut divergence, |_, _| Ok::<(), Error>(())).expect("it runs");
    let summary = divergence.summary();
    assert_close(summary.ppl.value, ppl, "its perplexity");
    assert_close(summary.ppl_base.value, ppl, "the base's");
    assert!(summary.divergence.value.abs() < 1e-4, "{summary:?}");
    assert_eq!(summary.same_top.value, 1.0);
    assert!(summary.probability_difference_rms.value < 1e-3, "{summary:?}");
}
