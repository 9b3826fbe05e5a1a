//! Passes over a whole row of logits, written so that the compiler vectorizes them. They know no candidates.

use crate::Error;

/// Lanes of the running maximum; four vectors of the narrowest x86-64 machine, to hide their latency.
const LANES: usize = 16;

/// Values of which [`copy`] tells the largest: few enough that few blocks hold the best of a vocabulary, enough that
/// there are few blocks.
pub(crate) const BLOCK: usize = 128;

/// Largest value; -infinity for an empty slice. NaN is passed over.
pub(crate) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        raise(&mut lanes, chunk);
    }
    raise(&mut lanes, &padded(rest));
    max_of_lanes(lanes)
}

/// Copies a row and appends the largest value of each of its blocks, in one pass.
///
/// # Errors
/// As [`check`]; what was written is of no use then.
pub(crate) fn copy(from: &[f32], to: &mut Vec<f32>, maxima: &mut Vec<f32>) -> Result<(), Error> {
    to.reserve(from.len());
    maxima.reserve(from.len().div_ceil(BLOCK));
    // As wide as the values, so that both are vectors of one shape.
    let mut bad = [0_u32; LANES];
    let mut look = |lanes: &mut [f32; LANES], chunk: &[f32; LANES]| {
        raise(lanes, chunk);
        for (bad, &value) in bad.iter_mut().zip(chunk) {
            *bad |= if value < f32::INFINITY { 0 } else { u32::MAX };
        }
    };
    for block in from.chunks(BLOCK) {
        to.extend_from_slice(block);
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let (chunks, rest) = block.as_chunks::<LANES>();
        for chunk in chunks {
            look(&mut lanes, chunk);
        }
        if !rest.is_empty() {
            look(&mut lanes, &padded(rest));
        }
        maxima.push(max_of_lanes(lanes));
    }
    if bad == [0; LANES] { Ok(()) } else { check(from) }
}

fn raise(lanes: &mut [f32; LANES], chunk: &[f32; LANES]) {
    for (lane, &value) in lanes.iter_mut().zip(chunk) {
        *lane = if value > *lane { value } else { *lane };
    }
}

fn padded(rest: &[f32]) -> [f32; LANES] {
    let mut chunk = [f32::NEG_INFINITY; LANES];
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}

/// By halves, which are vectors too: one by one takes longer than a short row.
fn max_of_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = if lanes[i + width] > lanes[i] { lanes[i + width] } else { lanes[i] };
        }
    }
    lanes[0]
}

/// First index of the largest value; `None` for an empty slice or nothing above -infinity.
pub(crate) fn argmax(values: &[f32]) -> Option<usize> {
    let max = max(values);
    if max == f32::NEG_INFINITY {
        return None;
    }
    let has_max = |block: &[f32]| block.iter().fold(false, |found, &v| found | (v == max));
    let block = values.chunks(LANES * 4).position(has_max)? * LANES * 4;
    Some(block + values[block..].iter().position(|&v| v == max)?)
}

/// Fails on NaN and +infinity, which no sampler can order or weigh.
pub(crate) fn check(logits: &[f32]) -> Result<(), Error> {
    let is_bad = |v: f32| v.is_nan() | (v == f32::INFINITY);
    if !logits.chunks(LANES * 16).any(|chunk| chunk.iter().fold(false, |bad, &v| bad | is_bad(v))) {
        return Ok(());
    }
    let token = logits.iter().position(|&v| is_bad(v)).expect("a bad logit was just seen");
    Err(Error::BadLogit { token: token as u32, value: logits[token] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argmax_takes_the_first_of_equals() {
        let check = |values: &[f32], expect: Option<usize>| assert_eq!(argmax(values), expect, "{values:?}");
        check(&[], None);
        check(&[f32::NEG_INFINITY; 3], None);
        check(&[1.0, 3.0, 3.0], Some(1));
        check(&[-0.0, 0.0], Some(0));
        let mut long = vec![0.0; 1000];
        for at in [0, 15, 16, 63, 64, 500, 999] {
            long[at] = 2.0 + at as f32;
            check(&long, Some(at));
        }
    }

    #[test]
    fn copying_tells_the_largest_of_blocks_and_bad_values() {
        for n in [0, 1, 15, 16, 127, 128, 129, 300] {
            let row: Vec<f32> = (0..n).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
            let (mut copied, mut maxima) = (Vec::new(), Vec::new());
            assert_eq!(copy(&row, &mut copied, &mut maxima), Ok(()));
            let blocks =
                row.chunks(BLOCK).map(|block| block.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            assert_eq!((copied, maxima), (row.clone(), blocks.collect()), "{n}");
            for (at, value) in (0..n).flat_map(|at| [(at, f32::NAN), (at, f32::INFINITY)]) {
                let mut row = row.clone();
                row[at] = value;
                let error = copy(&row, &mut Vec::new(), &mut Vec::new());
                assert!(
                    matches!(error, Err(Error::BadLogit { token, .. }) if token == at as u32),
                    "{n} {at}"
                );
            }
        }
    }

    #[test]
    fn check_names_the_first_bad_logit() {
        let mut logits = vec![f32::NEG_INFINITY; 700];
        assert_eq!(check(&logits), Ok(()));
        logits[699] = f32::INFINITY;
        assert_eq!(check(&logits), Err(Error::BadLogit { token: 699, value: f32::INFINITY }));
        logits[300] = f32::NAN;
        assert!(matches!(check(&logits), Err(Error::BadLogit { token: 300, value }) if value.is_nan()));
    }
}
