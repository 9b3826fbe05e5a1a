//! Rows of logits as probabilities, several rows at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A row of logits and what turns it into log-probabilities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) logits: &'a [f32],
    /// Index and value of the first of the greatest logits.
    pub(crate) top: usize,
    pub(crate) max: f32,
    pub(crate) min: f32,
    /// Logarithm of the sum of `exp(logit - max)`.
    pub(crate) log_sum: f64,
}

impl<'a> Row<'a> {
    pub(crate) fn new(logits: &'a [f32]) -> Self {
        let (mut top, mut max, mut min) = (0, f32::NEG_INFINITY, f32::INFINITY);
        for (i, &x) in logits.iter().enumerate() {
            if x > max {
                (top, max) = (i, x);
            }
            min = min.min(x);
        }
        let sum: f64 = logits.iter().map(|&x| f64::from((x - max).exp())).sum();
        Self { logits, top, max, min, log_sum: sum.ln() }
    }

    /// Natural logarithm of the token's probability.
    pub(crate) fn log_prob(&self, token: u32) -> f64 {
        f64::from(self.logits[token as usize]) - f64::from(self.max) - self.log_sum
    }
}

/// `f` of every index below `n`, in order, computed by `n_threads` threads.
pub(crate) fn parallel<T: Send>(n_threads: usize, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let n_threads = n_threads.clamp(1, n.max(1));
    if n_threads == 1 {
        return (0..n).map(f).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return done;
            }
            done.push((i, f(i)));
        }
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().expect("a panic of a worker is a bug and goes on here"));
        }
        all
    });
    all.sort_unstable_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_are_those_of_softmax() {
        let row = Row::new(&[1.0, 3.0, 2.0, 3.0]);
        assert_eq!((row.top, row.max, row.min), (1, 3.0, 1.0));
        let sum: f64 = (0..4).map(|t| row.log_prob(t).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert!((row.log_prob(1) - row.log_prob(0) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn order_is_kept_whatever_the_number_of_threads() {
        for n_threads in [0, 1, 3, 64] {
            assert_eq!(parallel(n_threads, 10, |i| i * i), (0..10).map(|i| i * i).collect::<Vec<_>>());
        }
        assert!(parallel(4, 0, |i| i).is_empty());
    }
}
