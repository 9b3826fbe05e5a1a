//! The buffer against a plain sort.

use super::*;

/// Reproducible logits with ties and a few tokens ruled out.
fn logits(n: usize, seed: u32) -> Vec<f32> {
    let mut rng = crate::Mt19937::new(seed);
    (0..n)
        .map(|_| match rng.next_u32() % 50 {
            0 => f32::NEG_INFINITY,
            1..20 => (rng.next_f32() * 40.0).round() - 20.0,
            _ => rng.next_f32() * 40.0 - 20.0,
        })
        .collect()
}

fn sorted(logits: &[f32]) -> Vec<(TokenId, f32)> {
    let mut pairs: Vec<_> = logits.iter().enumerate().map(|(i, &logit)| (i as TokenId, logit)).collect();
    pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
    pairs
}

fn pairs(candidates: &Candidates) -> Vec<(TokenId, f32)> {
    candidates.ids().iter().copied().zip(candidates.logits().iter().copied()).collect()
}

#[test]
fn keep_top_is_a_prefix_of_the_sort() {
    let mut candidates = Candidates::new();
    for (n, k) in
        [(1, 1), (5, 2), (64, 64), (100, 1000), (10_000, 1), (10_000, 40), (10_000, 500), (6400, 6400)]
    {
        let logits = logits(n, k as u32);
        candidates.load(&logits).unwrap();
        candidates.keep_top(k);
        assert_eq!(pairs(&candidates), sorted(&logits)[..k.min(n)], "{k} of {n}");
        candidates.load(&logits).unwrap();
        assert!(candidates.top_logits(k).eq(sorted(&logits)[..k.min(n)].iter().map(|pair| pair.1)));
        assert_eq!(candidates.ids().last(), Some(&(n as TokenId - 1)), "the candidates stay");
    }
}

#[test]
fn keep_top_until_stops_with_the_first_that_is_enough() {
    let logits = logits(5000, 3);
    let sorted = sorted(&logits);
    for (n, n_min, floor) in [(1, 0, 15.0), (300, 0, -30.0), (2000, 2000, 5.0), (5000, 0, f32::NEG_INFINITY)]
    {
        let mut candidates = Candidates::new();
        candidates.load(&logits).unwrap();
        let mut seen = 0;
        let mut enough = |_| {
            seen += 1;
            seen == n
        };
        candidates.keep_top_until(n_min, floor, &mut enough);
        assert_eq!(pairs(&candidates), sorted[..n], "{n}");
    }
}

#[test]
fn load_restores_the_ids_that_were_moved() {
    let mut candidates = Candidates::new();
    for (n, change) in [
        (300, (|c| c.keep_top(7)) as fn(&mut Candidates)),
        (300, |c| c.retain(|id, _| id % 3 == 1)),
        (200, |c| c.sort()),
        (300, |c| c.load_single(9, 1.0)),
        (310, |c| c.drop_first(100)),
        (310, |c| c.reorder([4, 2].into_iter())),
        (320, |c| c.keep_only(8)),
        (320, |_| {}),
    ] {
        candidates.load(&logits(n, 1)).unwrap();
        assert!(candidates.ids().iter().copied().eq(0..n as TokenId));
        change(&mut candidates);
    }
}

#[test]
fn moves() {
    let check = |change: fn(&mut Candidates), expect: &[(TokenId, f32)]| {
        let mut candidates = Candidates::new();
        candidates.load(&[1.0, 3.0, 2.0, 0.0]).unwrap();
        change(&mut candidates);
        assert_eq!(pairs(&candidates), expect);
    };
    check(|c| c.sort(), &[(1, 3.0), (2, 2.0), (0, 1.0), (3, 0.0)]);
    check(|c| c.drop_first(2), &[(2, 2.0), (3, 0.0)]);
    check(|c| c.keep_only(1), &[(1, 3.0)]);
    check(|c| c.reorder([3, 0].into_iter()), &[(3, 0.0), (0, 1.0)]);
    check(|c| c.retain(|id, _| id > 1), &[(2, 2.0), (3, 0.0)]);
    check(|c| c.adjust(&[(1, 1.0), (9, 5.0)], |a, b| a + b), &[(0, 1.0), (1, 4.0), (2, 2.0), (3, 0.0)]);
    check(
        |c| {
            c.keep_top(2);
            c.adjust(&[(0, 9.0), (2, 7.0)], |a, b| a + b);
            assert!(!c.is_sorted());
        },
        &[(1, 3.0), (2, 9.0)],
    );
}

#[test]
fn the_best_is_found_after_some_changed() {
    let mut candidates = Candidates::new();
    candidates.load(&logits(1000, 3)).unwrap();
    for n in 0..200 {
        // The best becomes worse, another one rises, and some do neither.
        let best = candidates.argmax().unwrap() as TokenId;
        let mut changes = vec![(best, -3.0), ((n * 37) % 1000, 2.0), ((n * 71) % 1000, 0.0)];
        changes.sort_by_key(|change| change.0);
        changes.dedup_by_key(|change| change.0);
        candidates.adjust(&changes, |change, logit| logit + change);
        let all = candidates.logits();
        let max = all.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(candidates.argmax(), all.iter().position(|&logit| logit == max), "{n}");
        let top = candidates.top_logits(3).collect::<Vec<_>>();
        let mut sorted = candidates.logits().to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(top, sorted[..3], "{n}");
    }
}

#[test]
fn overflow_and_nan_of_a_sampler_do_not_spread() {
    let mut candidates = Candidates::new();
    candidates.load(&[1.0, f32::MAX, f32::NEG_INFINITY]).unwrap();
    candidates.map_logits(|id, logit| if id == 0 { f32::NAN } else { logit * 2.0 });
    assert_eq!(candidates.logits(), [f32::NEG_INFINITY, f32::MAX, f32::NEG_INFINITY]);
    assert_eq!(candidates.softmax(), [0.0, 1.0, 0.0]);
}

#[test]
fn draw_inverts_the_cumulative_distribution() {
    let check = |logits: &[f32], unit: f64, expect: TokenId| {
        let mut candidates = Candidates::new();
        candidates.load(logits).unwrap();
        candidates.draw(unit);
        assert_eq!(candidates.selected(), Some(expect), "{logits:?} {unit}");
    };
    check(&[0.0; 4], 0.0, 0);
    check(&[0.0; 4], 0.25, 0);
    check(&[0.0; 4], 0.2501, 1);
    check(&[0.0; 4], 1f64.next_down(), 3);
    check(&[-500.0, 0.0], 0.5, 1);
    check(&[3.0], 0.9, 0);
}
