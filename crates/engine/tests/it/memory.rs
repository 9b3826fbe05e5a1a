//! Random operations on sequences, against a store that is just a list of tokens.

use std::collections::BTreeMap;

use engine::{Context, ContextConfig, Entry, Error, LoadConfig, LoadedModel, Mode, SeqId, Wanted};
use tensor::DType;
use testkit::{Golden, nmse};

use crate::common::device;

/// Numbers from a seed (Steele, Lea and Flood's generator).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn tokens(&mut self, n: usize) -> Vec<u32> {
        (0..n).map(|_| self.below(128) as u32).collect()
    }

    fn pick(&mut self, store: &BTreeMap<SeqId, Vec<u32>>) -> Option<SeqId> {
        if store.is_empty() { None } else { store.keys().nth(self.below(store.len())).copied() }
    }
}

/// The context under test, the store, and a context that is given everything anew each time.
struct Bench {
    random: Random,
    context: Context,
    store: BTreeMap<SeqId, Vec<u32>>,
    fresh: Context,
}

/// Products of few and of many tokens are summed in different orders, and so is attention to one row and to many. Where
/// GELU then rounds to the other half float, the results differ by 2^-11 of one value.
const TOLERANCE: f64 = 1e-8;
const N_SEQ_MAX: usize = 5;
const N_CTX: usize = 320;

impl Bench {
    fn new(golden: &str, seed: u64) -> Self {
        let config = ContextConfig {
            n_ctx: N_CTX,
            n_seq_max: N_SEQ_MAX,
            n_ubatch: 24,
            key_type: DType::F32,
            value_type: DType::F32,
            snapshot_interval: 16,
            ..ContextConfig::default()
        };
        let file = Golden::load(golden).file().expect("a valid file");
        let model = LoadedModel::load(file, &[device()], &LoadConfig::default(), |_, _| {}).expect("a model");
        let context = |config| Context::new(model.clone(), config).expect("a context");
        let fresh = ContextConfig { n_ubatch: N_CTX, ..config };
        Self { random: Random(seed), context: context(config), store: BTreeMap::new(), fresh: context(fresh) }
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0 | 1 => self.add(),
            2 => self.fork(),
            3 => self.truncate(),
            4 => self.remove(),
            _ => self.append(),
        }
        assert_eq!(self.context.n_sequences(), self.store.len());
        for (seq, tokens) in &self.store {
            assert_eq!(self.context.len(*seq).expect("it exists"), tokens.len());
        }
    }

    fn add(&mut self) {
        match self.context.sequence() {
            Ok(seq) => assert_eq!(self.store.insert(seq, Vec::new()), None),
            Err(error) => self.refused(&error),
        }
    }

    fn fork(&mut self) {
        let Some(from) = self.random.pick(&self.store) else { return };
        match self.context.fork(from) {
            Ok(seq) => assert_eq!(self.store.insert(seq, self.store[&from].clone()), None),
            Err(error) => self.refused(&error),
        }
    }

    fn refused(&self, error: &Error) {
        assert!(matches!(error, Error::TooManySequences { max: N_SEQ_MAX }), "{error}");
        assert_eq!(self.store.len(), N_SEQ_MAX);
    }

    fn truncate(&mut self) {
        let Some(seq) = self.random.pick(&self.store) else { return };
        let tokens = self.store.get_mut(&seq).expect("picked");
        let len = self.random.below(tokens.len() + 2);
        let promised = self.context.kept(seq, len).expect("it exists");
        let kept = self.context.truncate(seq, len).expect("it exists");
        assert!(kept == promised && kept <= len, "{kept} of {len}, {promised} promised");
        tokens.truncate(kept);
    }

    fn remove(&mut self) {
        let Some(seq) = self.random.pick(&self.store) else { return };
        self.store.remove(&seq);
        self.context.remove(seq);
        assert!(matches!(self.context.len(seq), Err(Error::UnknownSequence(_))));
    }

    /// More tokens for some sequences at once; the logits of each one's last token are those of the tokens anew.
    fn append(&mut self) {
        let mut new = Vec::new();
        for seq in self.store.keys().copied() {
            let n = [0, 0, 1, 1, 3, 30, 70][self.random.below(7)];
            if n > 0 {
                new.push((seq, self.random.tokens(n)));
            }
        }
        let entries: Vec<_> =
            new.iter().map(|(seq, tokens)| Entry { seq: *seq, tokens, wanted: Wanted::Last }).collect();
        let rows: Vec<_> = match self.context.decode(Mode::Logits, &entries) {
            Ok(outputs) => outputs.rows().map(<[f32]>::to_vec).collect(),
            Err(Error::ContextFull { .. }) => {
                let n_before: usize = self.store.values().map(Vec::len).sum();
                let n_new: usize = new.iter().map(|(_, tokens)| tokens.len()).sum();
                assert!(n_before + n_new > N_CTX, "{n_before} and {n_new} tokens fit");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(rows.len(), new.len());
        for ((seq, tokens), row) in new.into_iter().zip(rows) {
            let all = self.store.get_mut(&seq).expect("it exists");
            all.extend(tokens);
            let anew = self.fresh.sequence().expect("room");
            let entry = Entry { seq: anew, tokens: all, wanted: Wanted::Last };
            let want = self.fresh.decode(Mode::Logits, &[entry]).expect("a step").data().to_vec();
            self.fresh.remove(anew);
            let error = nmse(&row, &want);
            assert!(error <= TOLERANCE, "{seq:?} of {} tokens: {error}", all.len());
        }
    }
}

fn check(golden: &str) {
    for seed in 0..4 {
        let mut bench = Bench::new(golden, seed);
        (0..60).for_each(|_| bench.step());
        let sequences: Vec<_> = bench.store.keys().copied().collect();
        sequences.into_iter().for_each(|seq| bench.context.remove(seq));
        assert_eq!(bench.context.memory().used_bytes, 0, "all is free again");
    }
}

#[test]
fn sequences_remember_what_they_were_given() {
    check("llama-dense");
}

#[test]
fn sequences_with_windows_remember_what_they_were_given() {
    check("gemma3.swa");
}

#[test]
fn sequences_with_states_remember_what_they_were_given() {
    check("mamba-dense");
}

#[test]
fn sequences_with_states_and_keys_remember_what_they_were_given() {
    check("lfm2-dense");
}

#[test]
fn sequences_with_compressed_tokens_remember_what_they_were_given() {
    check("deepseek4.hash");
}

#[test]
fn a_sequence_longer_than_the_model_was_loaded_for_is_refused_where_it_matters() {
    // Chooses 8 tokens.
    let golden = Golden::load("deepseek32.chosen");
    let run = |n_ctx: usize, n_tokens: usize| {
        let mut config = LoadConfig::default();
        config.model.n_ctx = Some(n_ctx);
        let model = LoadedModel::load(golden.file().expect("a file"), &[device()], &config, |_, _| {});
        let mut context = Context::new(model.expect("a model"), ContextConfig::default()).expect("a context");
        let seq = context.sequence().expect("a sequence");
        let tokens: Vec<u32> = (0..n_tokens as u32).collect();
        let (first, rest) = tokens.split_at(n_tokens / 2);
        context.decode(Mode::Logits, &[Entry { seq, tokens: first, wanted: Wanted::None }]).map(|_| ())?;
        context.decode(Mode::Logits, &[Entry { seq, tokens: rest, wanted: Wanted::Last }]).map(|_| ())
    };
    run(8, 8).expect("no longer than what is chosen");
    run(9, 20).expect("chosen from");
    let error = run(8, 9).expect_err("longer");
    assert!(matches!(error, Error::SequenceTooLong { n_tokens: 9, max: 8 }), "{error}");
}
