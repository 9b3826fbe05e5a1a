//! What weights see, however the text is cut into steps.

use bench::imatrix::{Collector, is_counted};
use bench::{Error, Perplexity, Windows};
use engine::Mode;

use super::{assert_close, context, model, text};

fn collect(golden: &str, n_ubatch: usize, mode: Mode) -> (Collector, Perplexity) {
    let tokens = text(96);
    let model = model(golden);
    let windows = Windows::side_by_side(tokens.len(), 24, 24, Some(1)).expect("long enough");
    let mut context = context(&model, 24 + 64, 1, n_ubatch);
    context.observe(mode, |name| is_counted(name, true)).expect("it can be observed");
    let mut collector = Collector::default();
    let mut judge = Perplexity::new(1);
    let done = |_: usize, _: &_, _: &_| Ok::<(), Error>(());
    collector.run(&mut context, mode, &windows, &tokens, &mut judge, done).expect("it runs");
    (collector, judge)
}

#[test]
fn sums_do_not_depend_on_the_steps() {
    for golden in ["llama-dense", "llama-moe"] {
        let (whole, judge) = collect(golden, 24, Mode::Logits);
        let (pieces, judge_of_pieces) = collect(golden, 5, Mode::Logits);
        assert_close(judge_of_pieces.log_estimate().value, judge.log_estimate().value, golden);
        assert_eq!(judge.n_scored(), 4 * 11);
        let names: Vec<_> = whole.squares().keys().collect();
        assert_eq!(names, pieces.squares().keys().collect::<Vec<_>>());
        assert!(names.iter().any(|name| *name == "blk.0.attn_q.weight"), "{names:?}");
        for (name, squares) in whole.squares() {
            let other = &pieces.squares()[name];
            assert_eq!(squares.counts, other.counts, "{name}");
            for (a, b) in squares.sums.iter().zip(&other.sums) {
                assert_close(*b, *a, name);
            }
        }
    }
}

#[test]
fn all_tokens_are_counted_and_weights_of_one_input_see_the_same() {
    let (collector, _) = collect("llama-dense", 24, Mode::Logits);
    for (name, squares) in collector.squares() {
        assert_eq!(squares.counts, [96], "{name}");
        assert!(squares.sums.iter().all(|sum| *sum >= 0.0) && squares.sums.iter().any(|sum| *sum > 0.0));
    }
    let squares = collector.squares();
    for [one, other] in [["attn_q", "attn_k"], ["attn_q", "attn_v"], ["ffn_gate", "ffn_up"]] {
        let sums = |part: &str| &squares[&format!("blk.1.{part}.weight")].sums;
        assert_eq!(sums(one), sums(other), "{one} and {other}");
    }
    let (without_logits, judge) = collect("llama-dense", 24, Mode::Embeddings);
    assert_eq!(judge.n_scored(), 0);
    let name = "blk.0.ffn_down.weight";
    for (a, b) in squares[name].sums.iter().zip(&without_logits.squares()[name].sums) {
        assert_close(*b, *a, name);
    }
}

#[test]
fn experts_have_what_was_sent_to_them() {
    let (collector, _) = collect("llama-moe", 24, Mode::Logits);
    let experts = |part: &str| &collector.squares()[&format!("blk.0.{part}_exps.weight")];
    let n_experts = experts("ffn_up").counts.len();
    assert!(n_experts > 1);
    // Both of two experts are used for every token.
    assert_eq!(experts("ffn_up").counts.iter().sum::<u64>(), 2 * 96);
    assert_eq!(experts("ffn_up").counts, experts("ffn_down").counts);
    assert_eq!(experts("ffn_up").sums, experts("ffn_gate").sums);
}
