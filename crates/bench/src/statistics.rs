//! Means with their errors, and percentiles.

/// A mean and the standard error of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub error: f64,
}

impl Estimate {
    /// The estimate of `exp(x)` from one of `x`.
    pub(crate) fn exp(self) -> Self {
        let value = self.value.exp();
        Self { value, error: value * self.error }
    }

    /// The estimate of `sqrt(x)` from one of `x`.
    pub(crate) fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        Self { value, error: if value > 0.0 { 0.5 / value * self.error } else { 0.0 } }
    }

    /// The estimate of a share: `n` of `of` things.
    pub(crate) fn share(n: usize, of: usize) -> Self {
        let value = n as f64 / of as f64;
        Self { value, error: (value * (1.0 - value) / (of as f64 - 1.0)).sqrt() }
    }
}

/// Sums from which means and errors follow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) n: usize,
    sum: f64,
    squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, x: f64) {
        self.n += 1;
        self.sum += x;
        self.squares += x * x;
    }

    pub(crate) fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum / self.n as f64 }
    }

    /// The error is 0 where there are too few values to say.
    pub(crate) fn estimate(&self) -> Estimate {
        let value = self.mean();
        let variance = self.squares / self.n.max(1) as f64 - value * value;
        let error =
            if self.n > 1 && variance > 0.0 { (variance / (self.n as f64 - 1.0)).sqrt() } else { 0.0 };
        Estimate { value, error }
    }
}

/// Covariance of the means of two series of `n` values, given the sum of their products.
pub(crate) fn covariance(a: &Moments, b: &Moments, products: f64) -> f64 {
    if a.n < 2 {
        return 0.0;
    }
    let n = a.n as f64;
    (products / n - a.mean() * b.mean()) / (n - 1.0)
}

/// Values in order, to ask for those at given shares.
#[derive(Clone, Debug, Default)]
pub struct Percentiles {
    sorted: Vec<f32>,
}

impl Percentiles {
    pub(crate) fn new(mut values: Vec<f32>) -> Self {
        values.sort_unstable_by(f32::total_cmp);
        Self { sorted: values }
    }

    /// The value that `share` of all values lie below, interpolated; 0 and 1 are the least and the greatest.
    pub fn at(&self, share: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return 0.0 };
        let place = share.clamp(0.0, 1.0) * last as f64;
        let below = place as usize;
        let part = place - below as f64;
        let value = |i: usize| f64::from(self.sorted[i.min(last)]);
        (1.0 - part) * value(below) + part * value(below + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate() {
        let values = Percentiles::new(vec![4.0, 1.0, 2.0, 3.0]);
        for (share, want) in [(0.0, 1.0), (1.0, 4.0), (0.5, 2.5), (0.25, 1.75), (7.0, 4.0)] {
            assert_eq!(values.at(share), want, "{share}");
        }
        assert_eq!(Percentiles::default().at(0.5), 0.0);
    }

    #[test]
    fn error_of_a_mean() {
        let mut moments = Moments::default();
        [1.0, 2.0, 3.0, 4.0].into_iter().for_each(|x| moments.add(x));
        let Estimate { value, error } = moments.estimate();
        assert_eq!(value, 2.5);
        assert!((error - (1.25f64 / 3.0).sqrt()).abs() < 1e-12, "{error}");
    }
}
