//! Recurrences over the tokens of one sequence, for a range of channels or one head. Rows are read and written
//! through closures, so that the caller alone knows where they lie.

use super::elementwise::softplus;

/// One sequence's rows of a value, restricted to a range of a row.
pub(crate) trait RowsOf<'a> {
    fn row(&self, t: usize) -> &'a [f32];
}

impl<'a, F: Fn(usize) -> &'a [f32]> RowsOf<'a> for F {
    fn row(&self, t: usize) -> &'a [f32] {
        self(t)
    }
}

/// Causal convolution of `n` channels: `state` holds the `d_conv - 1` inputs before the first, oldest first, each
/// `n_state` apart and starting at the range's first channel.
pub(crate) fn conv1d<'a>(
    x: &impl RowsOf<'a>,
    weight: &[f32],
    bias: Option<&[f32]>,
    state: &mut StateRows<'_>,
    n_rows: usize,
    mut y: impl FnMut(usize) -> &'a mut [f32],
) {
    let d_conv = state.n_rows + 1;
    for t in 0..n_rows {
        let out = y(t);
        match bias {
            Some(bias) => out.copy_from_slice(bias),
            None => out.fill(0.0),
        }
        for i in 0..d_conv {
            let source = if t + i < d_conv - 1 { state.row(t + i) } else { x.row(t + i + 1 - d_conv) };
            for (c, (y, x)) in out.iter_mut().zip(source).enumerate() {
                *y += weight[c * d_conv + i] * x;
            }
        }
    }
    state.advance(x, n_rows);
}

/// Each row and those of the state before it as one: their mean or, with `bias`, one that weighs each element by the
/// softmax over the rows of the scores in the second half.
pub(crate) fn pool<'a>(
    x: &impl RowsOf<'a>,
    bias: Option<&[f32]>,
    state: &mut StateRows<'_>,
    n_rows: usize,
    mut y: impl FnMut(usize) -> &'a mut [f32],
) {
    let n_pooled = state.n_rows + 1;
    for t in 0..n_rows {
        let row =
            |i: usize| if t + i < state.n_rows { state.row(t + i) } else { x.row(t + i - state.n_rows) };
        let out = y(t);
        match bias {
            None => {
                out.fill(0.0);
                for i in 0..n_pooled {
                    out.iter_mut().zip(row(i)).for_each(|(out, x)| *out += x);
                }
                out.iter_mut().for_each(|out| *out *= 1.0 / n_pooled as f32);
            }
            Some(bias) => {
                let n = out.len();
                for (c, out) in out.iter_mut().enumerate() {
                    let score = |i: usize| row(i)[n + c] + bias[i * n + c];
                    let max = (0..n_pooled).map(score).fold(f32::NEG_INFINITY, f32::max);
                    let (mut total, mut sum) = (0.0, 0.0);
                    for i in 0..n_pooled {
                        let weight = (score(i) - max).exp();
                        total += weight;
                        sum += weight * row(i)[c];
                    }
                    *out = sum / total;
                }
            }
        }
    }
    state.advance(x, n_rows);
}

/// Rows of a state restricted to a range of channels.
#[derive(Debug)]
pub(crate) struct StateRows<'a> {
    /// From the first channel of the first row to behind the last channel of the last.
    pub(crate) data: &'a mut [f32],
    pub(crate) n_rows: usize,
    pub(crate) n_channels: usize,
    pub(crate) stride: usize,
}

impl StateRows<'_> {
    /// Keeps the last rows, after `n_rows` of `x`.
    fn advance<'a>(&mut self, x: &impl RowsOf<'a>, n_rows: usize) {
        for i in 0..self.n_rows {
            if n_rows + i < self.n_rows {
                self.move_row(n_rows + i, i);
            } else {
                let source = x.row(n_rows + i - self.n_rows);
                self.row_mut(i).copy_from_slice(source);
            }
        }
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.stride..i * self.stride + self.n_channels]
    }

    fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[i * self.stride..i * self.stride + self.n_channels]
    }

    fn move_row(&mut self, from: usize, to: usize) {
        let from = from * self.stride;
        self.data.copy_within(from..from + self.n_channels, to * self.stride);
    }
}

/// One head of a selective scan step: `state` is `[d_state, head_dim]`.
pub(crate) fn ssm_step(
    state: &mut [f32],
    x: &[f32],
    dt: f32,
    a: &[f32],
    b: &[f32],
    c: &[f32],
    y: &mut [f32],
) {
    let d_state = b.len();
    let dt = softplus(dt);
    for ((s, x), y) in state.chunks_exact_mut(d_state).zip(x).zip(y) {
        let input = x * dt;
        let mut sum = 0.0;
        for i in 0..d_state {
            let decay = (dt * a[if a.len() == 1 { 0 } else { i }]).exp();
            s[i] = s[i] * decay + b[i] * input;
            sum += s[i] * c[i];
        }
        *y = sum;
    }
}

/// One head of an RWKV-7 step: `state` is `[head_size, head_size]`, rows by value, columns by key.
pub(crate) fn wkv7_step(state: &mut [f32], [r, w, k, v, a, b]: [&[f32]; 6], y: &mut [f32]) {
    let n = r.len();
    for ((s, v), y) in state.chunks_exact_mut(n).zip(v).zip(y) {
        let removed: f32 = s.iter().zip(a).map(|(s, a)| s * a).sum();
        let mut sum = 0.0;
        for j in 0..n {
            s[j] = s[j] * w[j] + v * k[j] + removed * b[j];
            sum += s[j] * r[j];
        }
        *y = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pools of three rows, given in two steps.
    fn check<const N: usize>(rows: [[f32; N]; 5], bias: Option<&[f32]>, want: &[f32]) {
        let (mut data, mut got) = (vec![0.0; 2 * N], vec![0.0; want.len()]);
        let mut places = got.chunks_exact_mut(want.len() / rows.len());
        for rows in [&rows[..2], &rows[2..]] {
            let mut state = StateRows { data: &mut data, n_rows: 2, n_channels: N, stride: N };
            let x = |t: usize| &rows[t][..];
            pool(&x, bias, &mut state, rows.len(), |_| places.next().expect("a row of the result"));
        }
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-5, "{got} for {want}");
        }
    }

    #[test]
    fn rows_are_pooled_across_steps() {
        check([[3.0], [6.0], [0.0], [9.0], [3.0]], None, &[1.0, 3.0, 3.0, 5.0, 4.0]);
        // The score of the row in the middle is the highest, once by its own, once by the bias.
        let high = 30.0;
        let rows = [[1.0, 0.0], [2.0, high], [3.0, 0.0], [4.0, 0.0], [5.0, 0.0]];
        check(rows, None, &[1.0 / 3.0, 0.0, 1.0, high / 3.0, 2.0, high / 3.0, 3.0, high / 3.0, 4.0, 0.0]);
        check(rows, Some(&[0.0, 0.0, 0.0]), &[1.0 / 3.0, 2.0, 2.0, 2.0, 4.0]);
        check(rows, Some(&[0.0, 2.0 * high, 0.0]), &[0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}
