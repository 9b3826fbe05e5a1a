//! Passes over a whole row of logits, written so that the compiler vectorizes them. They know no candidates.

use crate::Error;

/// Lanes of the running maximum; four vectors of the narrowest x86-64 machine, to hide their latency.
const LANES: usize = 16;

/// Largest value; -infinity for an empty slice. NaN is passed over.
pub(crate) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    rest.iter().chain(&lanes).fold(f32::NEG_INFINITY, |max, &v| if v > max { v } else { max })
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
    fn check_names_the_first_bad_logit() {
        let mut logits = vec![f32::NEG_INFINITY; 700];
        assert_eq!(check(&logits), Ok(()));
        logits[699] = f32::INFINITY;
        assert_eq!(check(&logits), Err(Error::BadLogit { token: 699, value: f32::INFINITY }));
        logits[300] = f32::NAN;
        assert!(matches!(check(&logits), Err(Error::BadLogit { token: 300, value }) if value.is_nan()));
    }
}
