//! No text is slow: time grows with its length, whatever is in it.

use crate::{files, golden};
use std::time::{Duration, Instant};
use testkit::Random;
use tokenizer::{Decode, Encode, Tokenizer};

/// A megabyte takes a fraction of a second. The bound leaves room for slow and busy machines: what it is there to
/// catch takes minutes.
const N_BYTES: usize = 1_000_000;
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// What the texts repeat.
const PATTERNS: [&str; 24] = [
    "a", "Z", " ", "\n", "\t", "\r\n", "0", ".", "'", "<", "_", "é", "世", "😀", "\u{301}", "\u{3000}", "가",
    "ab", " a", "a'", "<|", "\u{0}", "\u{a0}x", "  \n",
];

/// How many of the patterns each vocabulary is tried on; all of them take a minute.
const N_PATTERNS: usize = 2;

fn check(name: &str, what: &str, tokenizer: &Tokenizer, text: &str) {
    let (ids, encoded) = timed(|| tokenizer.encode(text, Encode { add_special: true, parse_special: true }));
    let (_, decoded) = timed(|| tokenizer.decode(&ids, Decode::default()));
    assert!(encoded + decoded < BOUND, "{name}: {what}: encode {encoded:?}, decode {decoded:?}");
}

/// What `work` returns, and the time it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let origin = Instant::now();
    let start = now(origin);
    let result = work();
    (result, now(origin) - start)
}

/// Time this thread ran, where the system tells: a machine may be busy with other things for long. Else time since
/// some moment.
fn now(origin: Instant) -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_cpu = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    on_cpu.map_or_else(|| origin.elapsed(), Duration::from_nanos)
}

#[test]
fn one_thing_again_and_again() {
    let files = golden::NAMES.iter().map(|&name| (name.to_owned(), files::open(name).metadata().clone()));
    let mut patterns = PATTERNS.iter().cycle();
    let mut random = Random::new(3);
    for (name, metadata) in files.chain(golden::synthetic()) {
        let tokenizer = Tokenizer::from_gguf(&metadata).expect("a good vocabulary");
        for pattern in patterns.by_ref().take(N_PATTERNS) {
            check(&name, &format!("{pattern:?}"), &tokenizer, &pattern.repeat(N_BYTES / pattern.len()));
        }
        check(&name, "random", &tokenizer, &random.unicode(N_BYTES / 4));
    }
}
