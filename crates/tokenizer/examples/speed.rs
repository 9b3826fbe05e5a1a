//! How fast a vocabulary loads, encodes and decodes. Not a test: what it prints goes into `bench/record`.
//!
//! ```text
//! cargo run --release -p tokenizer --example speed -- MODEL.gguf [TEXT_FILE]     times MODEL on a text
//! cargo run --release -p tokenizer --example speed -- > text                     writes the text it would use
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};
use tokenizer::{Decode, Encode, Tokenizer};

/// English of the repository, as a source of words.
const SOURCES: [&str; 4] = [
    include_str!("../../../LICENSE-APACHE"),
    include_str!("../../../ARCHITECTURE.md"),
    include_str!("../../../STYLE.md"),
    include_str!("../../../README.md"),
];
const N_BYTES: usize = 10_000_000;
/// Work is repeated until it took so long: the system's clock of a thread is coarse.
const ENOUGH: Duration = Duration::from_millis(400);

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut stdout = std::io::stdout().lock();
    let Some(model) = args.next() else {
        stdout.write_all(english(N_BYTES).as_bytes())?;
        return Ok(());
    };
    let text = match args.next() {
        Some(path) => std::fs::read_to_string(path)?,
        None => english(N_BYTES),
    };
    let origin = Instant::now();
    let start = now(origin);
    let file = gguf::Gguf::open(&model)?;
    let tokenizer = Tokenizer::from_gguf(file.metadata())?;
    let loaded = now(origin) - start;

    let opts = Encode { add_special: true, parse_special: false };
    let (ids, encoded) = time(|| tokenizer.encode(&text, opts));
    let (back, decoded) = time(|| tokenizer.decode(&ids, Decode::default()));
    let mut report = String::new();
    writeln!(report, "load   {loaded:.1?}, {} tokens", tokenizer.vocab().len())?;
    writeln!(report, "encode {}, {} tokens", rate(text.len(), encoded), ids.len())?;
    writeln!(report, "decode {}", rate(back.len(), decoded))?;
    stdout.write_all(report.as_bytes())?;
    Ok(())
}

/// Time this thread ran, where the system tells; else time since some moment.
fn now(origin: Instant) -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_cpu = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    on_cpu.map_or_else(|| origin.elapsed(), Duration::from_nanos)
}

/// What the work makes, and the mean time it takes once it was done before.
fn time<T>(mut work: impl FnMut() -> T) -> (T, Duration) {
    work();
    let origin = Instant::now();
    let start = now(origin);
    for n in 1.. {
        let result = work();
        let elapsed = now(origin) - start;
        if elapsed >= ENOUGH {
            return (result, elapsed / n);
        }
    }
    unreachable!("time goes on")
}

fn rate(n_bytes: usize, time: Duration) -> String {
    let megabytes = n_bytes as f64 / 1e6;
    format!(
        "{megabytes:.2} MB in {:.1} ms: {:.1} MB/s",
        time.as_secs_f64() * 1e3,
        megabytes / time.as_secs_f64()
    )
}

/// Text in which every word follows one that it follows in the sources, always the same.
fn english(n_bytes: usize) -> String {
    let source = SOURCES.join(" ");
    let words: Vec<&str> = source.split_whitespace().collect();
    let mut text = String::with_capacity(n_bytes + 100);
    let mut state: u64 = 1;
    let mut word = 0;
    while text.len() < n_bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = (state >> 33) as usize;
        text.push_str(words[word]);
        text.push_str(if random.is_multiple_of(64) { "\n\n" } else { " " });
        // Some place where the same word stands, and on from there.
        let from = random % words.len();
        let same = (from..words.len()).chain(0..from).find(|&at| words[at] == words[word]);
        word = (same.unwrap_or(word) + 1) % words.len();
    }
    text
}
