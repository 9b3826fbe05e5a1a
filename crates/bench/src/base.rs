//! Files of a base model's log-probabilities, as llama.cpp's `--kl-divergence-base` writes and reads them.
//!
//! `_logits_`, the window length, the vocabulary size and the number of windows (32 bits each), the tokens of the
//! windows; then a record for each scored token: scale and least log-probability (float32 each) and 16 bits a token
//! of the vocabulary, padded to an even count. All little-endian.

use std::io::{Read, Write};

use crate::logits::Row;
use crate::{Error, Result};

const MAGIC: &[u8; 8] = b"_logits_";
/// Bytes before the tokens.
const HEAD_BYTES: u64 = 20;
/// Less likely than the likeliest token by more than this power of e counts as this unlikely.
const RANGE: f32 = 16.0;
const STEPS: f32 = 65535.0;

/// What the records are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseHeader {
    /// Tokens of a window.
    pub n_ctx: usize,
    pub n_vocab: usize,
    pub n_windows: usize,
    /// Of all windows, `[n_ctx, n_windows]`.
    pub tokens: Vec<u32>,
}

fn record_bytes(n_vocab: usize) -> usize {
    8 + n_vocab.next_multiple_of(2) * 2
}

/// Writes a file.
#[derive(Debug)]
pub struct BaseWriter<W> {
    out: W,
}

impl<W: Write> BaseWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(mut out: W, header: &BaseHeader) -> Result<Self> {
        out.write_all(MAGIC)?;
        for n in [header.n_ctx, header.n_vocab, header.n_windows] {
            let n = i32::try_from(n).map_err(|_| Error::BadBase(format!("{n} does not fit its 32 bits")))?;
            out.write_all(&n.to_le_bytes())?;
        }
        for token in &header.tokens {
            out.write_all(&token.to_le_bytes())?;
        }
        Ok(Self { out })
    }

    /// The record of a row.
    pub(crate) fn encode(row: &Row<'_>) -> Vec<u8> {
        let floor = row.min.max(row.max - RANGE);
        let scale = (row.max - floor) / STEPS;
        let least = floor - row.max - row.log_sum as f32;
        let mut record = Vec::with_capacity(record_bytes(row.logits.len()));
        record.extend(scale.to_le_bytes());
        record.extend(least.to_le_bytes());
        let per_step = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        for &logit in row.logits {
            // Clamped by the cast, as rounding may carry the greatest logit one step too far.
            let step = if logit > floor { (per_step * (logit - floor)).round_ties_even() as u16 } else { 0 };
            record.extend(step.to_le_bytes());
        }
        record.resize(record_bytes(row.logits.len()), 0);
        record
    }

    pub(crate) fn write(&mut self, record: &[u8]) -> Result<()> {
        Ok(self.out.write_all(record)?)
    }

    pub(crate) fn finish(mut self) -> Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads a file.
#[derive(Debug)]
pub struct BaseReader<R> {
    header: BaseHeader,
    input: R,
    record: Vec<u8>,
}

impl<R: Read> BaseReader<R> {
    /// Reads the header of a file of `file_bytes` bytes, which must have room for everything the header promises.
    ///
    /// # Errors
    /// If it is no such file, or too short, or of no possible size.
    pub fn new(mut input: R, file_bytes: u64) -> Result<Self> {
        let mut head = [0; HEAD_BYTES as usize];
        input.read_exact(&mut head).map_err(|_| Error::BadBase(format!("it has {file_bytes} bytes")))?;
        if &head[..8] != MAGIC {
            return Err(Error::BadBase("it does not begin with `_logits_`".into()));
        }
        let number = |at: usize, what: &str| {
            let n = i32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
            usize::try_from(n).ok().filter(|n| *n > 0).ok_or_else(|| Error::BadBase(format!("{what} is {n}")))
        };
        let n_ctx = number(8, "its window length")?;
        let n_vocab = number(12, "its vocabulary size")?;
        let n_windows = number(16, "its number of windows")?;
        let n_tokens = n_ctx as u128 * n_windows as u128;
        let n_records = (n_ctx - n_ctx / 2).saturating_sub(1) as u128 * n_windows as u128;
        let needed = u128::from(HEAD_BYTES) + 4 * n_tokens + n_records * record_bytes(n_vocab) as u128;
        if u128::from(file_bytes) < needed {
            return Err(Error::BadBase(format!(
                "it has {file_bytes} bytes, but {n_windows} windows of {n_ctx} tokens over a vocabulary of {n_vocab} \
                 need {needed}: it is cut off"
            )));
        }
        let mut tokens = Vec::with_capacity(n_tokens as usize);
        let mut token = [0; 4];
        for _ in 0..n_tokens {
            input.read_exact(&mut token)?;
            let id = i32::from_le_bytes(token);
            let known = u32::try_from(id).ok().filter(|id| (*id as usize) < n_vocab);
            tokens.push(known.ok_or(Error::UnknownToken { token: id.into(), n_vocab })?);
        }
        let header = BaseHeader { n_ctx, n_vocab, n_windows, tokens };
        Ok(Self { header, input, record: vec![0; record_bytes(n_vocab)] })
    }

    pub fn header(&self) -> &BaseHeader {
        &self.header
    }

    /// The next record as log-probabilities, appended to `out`.
    pub(crate) fn read(&mut self, out: &mut Vec<f32>) -> Result<()> {
        self.input.read_exact(&mut self.record)?;
        let float = |at: usize| f32::from_le_bytes(self.record[at..at + 4].try_into().expect("four bytes"));
        let (scale, least) = (float(0), float(4));
        if !scale.is_finite() || !least.is_finite() {
            return Err(Error::BadBase(format!(
                "a record has the scale {scale} and the least value {least}"
            )));
        }
        let steps = self.record[8..].chunks_exact(2).take(self.header.n_vocab);
        out.extend(steps.map(|s| scale * f32::from(u16::from_le_bytes([s[0], s[1]])) + least));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(n_vocab: usize) -> Vec<u8> {
        let header = BaseHeader { n_ctx: 4, n_vocab, n_windows: 2, tokens: vec![0, 1, 2, 1, 0, 1, 2, 2] };
        let mut writer = BaseWriter::new(Vec::new(), &header).expect("memory takes it");
        for record in 0..2 {
            let logits: Vec<f32> = (0..n_vocab).map(|i| (i * 3 + record) as f32).collect();
            writer.write(&BaseWriter::<Vec<u8>>::encode(&Row::new(&logits))).expect("memory takes it");
        }
        writer.finish().expect("memory takes it")
    }

    #[test]
    fn what_is_written_is_read_to_within_a_step() {
        for n_vocab in [3, 4, 5] {
            let file = file(n_vocab);
            let mut reader = BaseReader::new(&file[..], file.len() as u64).expect("a whole file");
            assert_eq!(reader.header().tokens[2..5], [2, 1, 0]);
            for record in 0..2 {
                let mut got = Vec::new();
                reader.read(&mut got).expect("a whole record");
                let logits: Vec<f32> = (0..n_vocab).map(|i| (i * 3 + record) as f32).collect();
                let row = Row::new(&logits);
                for (i, got) in got.iter().enumerate() {
                    let want = row.log_prob(i as u32).max(-f64::from(RANGE) - row.log_sum);
                    assert!((f64::from(*got) - want).abs() < 3e-4, "{n_vocab} {i}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn equal_logits_have_no_scale_and_are_still_read() {
        let record = BaseWriter::<Vec<u8>>::encode(&Row::new(&[2.0; 4]));
        assert_eq!(record[..4], [0; 4]);
        assert_eq!(record[8..], [0; 8]);
    }

    #[test]
    fn malformed_files_are_refused_before_anything_is_allocated() {
        let good = file(3);
        let with = |at: usize, bytes: [u8; 4]| {
            let mut bad = good.clone();
            bad[at..at + 4].copy_from_slice(&bytes);
            bad
        };
        for (bad, want) in [
            (Vec::new(), "it has 0 bytes"),
            (with(0, *b"_lo?"), "does not begin"),
            (with(8, [0; 4]), "window length is 0"),
            (with(8, (-1i32).to_le_bytes()), "window length is -1"),
            (with(12, i32::MAX.to_le_bytes()), "cut off"),
            (with(16, i32::MAX.to_le_bytes()), "cut off"),
            (with(20, 3i32.to_le_bytes()), "token 3"),
            (good[..good.len() - 1].to_vec(), "cut off"),
        ] {
            let error = BaseReader::new(&bad[..], bad.len() as u64).expect_err("malformed").to_string();
            assert!(error.contains(want), "{error} has no {want}");
        }
        let mut reader_of_bad_scale = {
            let at = good.len() - 2 * record_bytes(3);
            let bad = with(at, f32::NAN.to_le_bytes());
            BaseReader::new(std::io::Cursor::new(bad), good.len() as u64).expect("the header is fine")
        };
        assert!(reader_of_bad_scale.read(&mut Vec::new()).is_err());
    }
}
