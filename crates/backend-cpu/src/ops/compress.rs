//! Compressing tokens: the sum of their vectors, each element weighed by the softmax of its scores.

/// Elements that are summed at a time.
pub(crate) const CHUNK: usize = 64;

/// Some elements of a token's vector, their scores, and what is added to these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) scores: &'a [f32],
    pub(crate) bias: &'a [f32],
}

/// The sum over `tokens`, of no more than [`CHUNK`] elements.
pub(crate) fn compress<'a>(tokens: impl Iterator<Item = Token<'a>> + Clone, out: &mut [f32]) {
    let mut max = [f32::NEG_INFINITY; CHUNK];
    for Token { scores, bias, .. } in tokens.clone() {
        for ((max, score), bias) in max.iter_mut().zip(scores).zip(bias) {
            *max = max.max(score + bias);
        }
    }
    let mut sum = [0.0; CHUNK];
    out.fill(0.0);
    for Token { values, scores, bias } in tokens {
        for (i, out) in out.iter_mut().enumerate() {
            let weight = (scores[i] + bias[i] - max[i]).exp();
            sum[i] += weight;
            *out += weight * values[i];
        }
    }
    for (out, sum) in out.iter_mut().zip(sum) {
        *out /= sum;
    }
}
