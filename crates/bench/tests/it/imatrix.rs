//! Collected sums are those of the inputs, however the text is cut into steps; experts count what they were given.

use bench::imatrix::{Collector, Squares, is_counted};
use bench::{Perplexity, Windows};
use engine::Mode;

use crate::{context, text};

fn collect(golden: &str, mode: Mode, n_ubatch: usize) -> Collector {
    let tokens = text(100);
    let windows = Windows::side_by_side(tokens.len(), 32, 32, Some(5)).expect("long enough");
    let mut context = context(golden, n_ubatch);
    context.observe(mode, |name| is_counted(name, true)).expect("a mode of the model");
    let mut collector = Collector::default();
    let mut judge = Perplexity::new(1);
    collector
        .run::<_, bench::Error>(&mut context, mode, &windows, &tokens, &mut judge, |_, _, _| Ok(()))
        .expect("it runs");
    assert_eq!(judge.n_scored(), if mode == Mode::Logits { 3 * 15 } else { 0 });
    collector
}

fn close(a: &Squares, b: &Squares) -> bool {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-4 * (a.abs() + b.abs() + 1e-6);
    a.counts == b.counts && a.sums.len() == b.sums.len() && a.sums.iter().zip(&b.sums).all(near)
}

#[test]
fn every_matrix_has_its_squares() {
    let collector = collect("llama-dense", Mode::Logits, 64);
    let squares = collector.squares();
    assert_eq!(squares.len(), 2 * 7 + 1);
    for (name, s) in squares {
        let n_in = if name.contains("ffn_down") { 384 } else { 256 };
        assert_eq!((s.sums.len(), s.counts.as_slice()), (n_in, &[96][..]), "{name}");
        assert!(s.sums.iter().all(|v| *v >= 0.0) && s.sums.iter().any(|v| *v > 0.0), "{name}");
    }
    let of = |name: &str| &squares[&format!("blk.1.{name}.weight")];
    assert_eq!(of("attn_q"), of("attn_k"));
    assert_eq!(of("ffn_up"), of("ffn_gate"));
    assert_ne!(of("attn_q"), of("ffn_up"));
}

#[test]
fn steps_and_modes_do_not_matter() {
    let want = collect("llama-dense", Mode::Logits, 64);
    for (mode, n_ubatch) in [(Mode::Logits, 10), (Mode::Embeddings, 64), (Mode::Embeddings, 32)] {
        let got = collect("llama-dense", mode, n_ubatch);
        let with_output = mode == Mode::Logits;
        assert_eq!(got.squares().len(), want.squares().len() - usize::from(!with_output));
        for (name, squares) in got.squares() {
            assert!(close(squares, &want.squares()[name]), "{name} {mode:?} {n_ubatch}");
        }
    }
}

#[test]
fn experts_count_the_tokens_sent_to_them() {
    let collector = collect("llama-moe", Mode::Logits, 64);
    let up = &collector.squares()["blk.0.ffn_up_exps.weight"];
    let router = &collector.squares()["blk.0.ffn_gate_inp.weight"];
    assert_eq!((up.counts.len(), up.sums.len()), (2, 512));
    // Both of the two experts are used for every token, so each saw what the router saw.
    assert_eq!(up.counts, [96, 96]);
    for expert in up.sums.chunks(256) {
        assert_eq!(expert, router.sums);
    }
    let down = &collector.squares()["blk.0.ffn_down_exps.weight"];
    assert_ne!(down.sums[..384], down.sums[384..]);
}
