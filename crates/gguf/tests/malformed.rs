//! Files of strangers: thousands of broken headers, each refused or read, quickly, without a panic and without an
//! allocation that the file does not pay for. Its own binary, for the allocator is the program's.
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use gguf::write::{Builder, OwnedValue};
use gguf::{Gguf, TensorType, Value, ValueType};

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

impl Counting {
    fn grown(n: usize) {
        LARGEST.set(LARGEST.get().max(n));
        LIVE.set(LIVE.get() + n as isize);
        PEAK.set(PEAK.get().max(LIVE.get()));
    }
}

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grown(layout.size());
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: `pointer` came from `System` with this layout, by `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Messages and tables of a few entries: independent of what the file says.
const SLACK: usize = 4096;
/// All that is held at once: the tables, the names, and lists that are gone when reading ends.
const MAX_LIVE_FACTOR: usize = 3;
const MAX_TIME: Duration = Duration::from_millis(100);

struct Cost {
    largest: usize,
    peak: usize,
    time: Duration,
}

/// Opens the file and reads all that it holds, as a user would.
fn cost_of_reading(bytes: &[u8]) -> (Result<(), String>, Cost) {
    let file: std::sync::Arc<[u8]> = bytes.into();
    LARGEST.set(0);
    PEAK.set(LIVE.get());
    let before = LIVE.get();
    let start = Instant::now();
    let outcome = Gguf::from_bytes(file).map(|file| {
        for (_, value) in file.metadata().iter() {
            if let Value::Array(array) = value {
                assert_eq!(array.iter().count(), array.len());
            }
        }
        let sum: u64 = file.tensors().iter().map(|tensor| file.data(tensor).len() as u64).sum();
        assert!(sum <= bytes.len() as u64);
    });
    let time = start.elapsed();
    let cost = Cost { largest: LARGEST.get(), peak: (PEAK.get() - before) as usize, time };
    (outcome.map_err(|error| error.to_string()), cost)
}

fn check(what: &str, bytes: &[u8]) -> Result<(), String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| cost_of_reading(bytes)));
    let Ok((outcome, mut cost)) = outcome else { panic!("{what}: panic") };
    // A busy machine may be slow once, a bad algorithm is slow each time.
    for _ in 0..2 {
        if cost.time > MAX_TIME {
            cost.time = cost_of_reading(bytes).1.time;
        }
    }
    let len = bytes.len();
    assert!(cost.time <= MAX_TIME, "{what}: {:?} for {len} bytes", cost.time);
    assert!(cost.largest <= 2 * len + SLACK, "{what}: allocated {} at once for {len} bytes", cost.largest);
    assert!(cost.peak <= MAX_LIVE_FACTOR * len + SLACK, "{what}: held {} for {len} bytes", cost.peak);
    outcome
}

/// Steele, Lea and Flood's generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn tensor_type(name: &str) -> TensorType {
    TensorType::all().find(|ty| ty.name() == name).expect("a known type")
}

/// A file with every kind of value and some tensors.
fn seed_file() -> Vec<u8> {
    use OwnedValue as V;
    let mut file = Builder::new();
    let values = [
        V::U8(1),
        V::I8(-1),
        V::U16(1),
        V::I16(-1),
        V::U32(1),
        V::I32(-1),
        V::F32(1.0),
        V::Bool(true),
        "text".into(),
        V::U64(1),
        V::I64(-1),
        V::F64(1.0),
        V::Array(ValueType::String, vec!["a".into(), "bc".into(), "def".into()]),
        V::Array(ValueType::U32, (0..9).map(V::U32).collect()),
    ];
    for (i, value) in values.into_iter().enumerate() {
        file.value(&format!("key.{i}"), value);
    }
    file.value("general.alignment", V::U32(32));
    for (i, (ty, dims)) in
        [("F32", &[3][..]), ("Q4_0", &[32, 2]), ("F16", &[2, 2, 2]), ("Q6_K", &[256]), ("I8", &[1, 1, 1, 1])]
            .into_iter()
            .enumerate()
    {
        let ty = tensor_type(ty);
        let n = dims.iter().product::<u64>() / ty.block_len() * ty.block_bytes();
        file.tensor(&format!("blk.{i}.weight"), dims, ty, vec![i as u8; n as usize]);
    }
    file.to_bytes().expect("valid")
}

/// Where the lists begin and end: preamble, entries, tensors.
fn header_len(file: &[u8]) -> usize {
    let last = b"blk.4.weight";
    let at = file.windows(last.len()).position(|w| w == last).expect("the last tensor");
    at + last.len() + 4 + 4 * 8 + 4 + 8
}

#[test]
fn the_seed_is_fine() {
    check("the seed", &seed_file()).expect("valid");
}

#[test]
fn every_truncation_is_refused() {
    let file = seed_file();
    let end = header_len(&file);
    for len in 0..file.len() {
        let outcome = check(&format!("{len} bytes of it"), &file[..len]);
        assert!(outcome.is_err() || len > end, "{len} of {} bytes are no file", file.len());
    }
}

#[test]
fn every_flipped_bit_of_the_header_is_survived() {
    let file = seed_file();
    let mut n_refused = 0;
    for bit in 0..header_len(&file) * 8 {
        let mut mutant = file.clone();
        mutant[bit / 8] ^= 1 << (bit % 8);
        n_refused += usize::from(check(&format!("bit {bit} flipped"), &mutant).is_err());
    }
    assert!(n_refused > 2000, "only {n_refused} were refused");
}

/// Numbers that break arithmetic, written over every place of the header, and pairs of them.
#[test]
fn absurd_numbers_anywhere_are_survived() {
    const NUMBERS: [u64; 12] = [
        0,
        1,
        9,
        0xff,
        1 << 20,
        1 << 31,
        1 << 32,
        1 << 61,
        (1 << 62) + 1,
        i64::MAX as u64,
        u64::MAX - 7,
        u64::MAX,
    ];
    let file = seed_file();
    let end = header_len(&file);
    let mut random = Random(11);
    for at in 4..end - 8 {
        for _ in 0..2 {
            let mut mutant = file.clone();
            let number = NUMBERS[random.below(NUMBERS.len())];
            mutant[at..at + 8].copy_from_slice(&number.to_le_bytes());
            if random.below(3) == 0 {
                let other = 4 + random.below(end - 12);
                mutant[other..other + 4].copy_from_slice(&(number as u32).to_le_bytes());
            }
            drop(check(&format!("{number} at {at}"), &mutant));
        }
    }
}

/// Pieces cut out, doubled or swapped: lists that do not fit their counts.
#[test]
fn moved_pieces_are_survived() {
    let file = seed_file();
    let end = header_len(&file);
    let mut random = Random(12);
    for i in 0..1000 {
        let from = random.below(end);
        let len = 1 + random.below(64.min(file.len() - from - 1));
        let piece = file[from..from + len].to_vec();
        let mut mutant = file.clone();
        match i % 3 {
            0 => drop(mutant.drain(from..from + len)),
            1 => drop(mutant.splice(from..from, piece)),
            _ => {
                let to = random.below(end);
                let to = to.min(mutant.len() - len);
                mutant[to..to + len].copy_from_slice(&piece);
            }
        }
        drop(check(&format!("piece {i}: {len} from {from}"), &mutant));
    }
}

/// A header written by hand, so that it can say anything.
#[derive(Clone)]
struct Raw {
    version: u32,
    n_tensors: u64,
    n_entries: u64,
    body: Vec<u8>,
}

impl Raw {
    fn new(n_tensors: u64, n_entries: u64) -> Self {
        Self { version: 3, n_tensors, n_entries, body: Vec::new() }
    }

    fn string(mut self, text: &[u8]) -> Self {
        self.body.extend((text.len() as u64).to_le_bytes());
        self.body.extend(text);
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.body.extend(value.to_le_bytes());
        self
    }

    fn u64(mut self, value: u64) -> Self {
        self.body.extend(value.to_le_bytes());
        self
    }

    fn tensor(self, name: &str, dims: &[u64], ty: u32, offset: u64) -> Self {
        let named = self.string(name.as_bytes()).u32(dims.len() as u32);
        dims.iter().fold(named, |raw, d| raw.u64(*d)).u32(ty).u64(offset)
    }

    fn zeros(mut self, n: usize) -> Self {
        self.body.resize(self.body.len() + n, 0);
        self
    }

    fn bytes(self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(self.n_tensors.to_le_bytes());
        out.extend(self.n_entries.to_le_bytes());
        out.extend(self.body);
        out
    }
}

/// Each rule and each limit, run into.
#[test]
fn every_limit_says_what_is_wrong() {
    let entries = |n| Raw::new(0, n);
    let tensors = |n| Raw::new(n, 0);
    let array = |element: u32, n: u64| entries(1).string(b"k").u32(9).u32(element).u64(n);
    let alignment = |value| entries(1).string(b"general.alignment").u32(4).u32(value);
    let version = |version| Raw { version, ..entries(0) };
    let long = "n".repeat(64);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "not a GGUF file"),
        (b"GGML\x03\0\0\0".to_vec(), "not a GGUF file"),
        (version(1).bytes(), "version 1 is not supported"),
        (version(4).bytes(), "version 4 is not supported"),
        (version(3 << 24).bytes(), "big-endian"),
        (tensors(3).zeros(64).bytes(), "3 do not fit 64 bytes"),
        (tensors(u64::MAX).zeros(64).bytes(), "do not fit 64 bytes"),
        (entries(5).zeros(64).bytes(), "5 do not fit 64 bytes"),
        (entries(u64::MAX).zeros(64).bytes(), "do not fit 64 bytes"),
        (entries(1).string(&[b'k'; 65_536]).u32(4).u32(1).bytes(), "at most 65535"),
        (entries(1).u64(u64::MAX).zeros(32).bytes(), "at most 65535"),
        (entries(1).string(b"\xff\xfe").u32(4).u32(1).bytes(), "is not UTF-8"),
        (entries(2).string(b"k").u32(4).u32(1).string(b"k").u32(4).u32(1).bytes(), "occurs twice"),
        (entries(1).string(b"k").u32(13).zeros(16).bytes(), "value type 13 is unknown"),
        (entries(1).string(b"k").u32(8).u64(1 << 60).zeros(16).bytes(), "ends too soon"),
        (array(9, 1).u32(4).u64(1).u32(7).bytes(), "arrays of arrays"),
        (array(77, 1).zeros(16).bytes(), "value type 77 is unknown"),
        (array(12, 1 << 61).zeros(16).bytes(), "ends too soon"),
        (array(0, u64::MAX).zeros(16).bytes(), "ends too soon"),
        (array(8, 1 << 40).zeros(64).bytes(), "ends too soon"),
        (alignment(0).bytes(), "not a power of two"),
        (alignment(48).bytes(), "not a power of two"),
        (alignment(1 << 21).bytes(), "of at most 1048576"),
        (tensors(1).tensor(&long, &[1], 0, 0).zeros(64).bytes(), "at most 63"),
        (tensors(1).tensor("t", &[], 0, 0).zeros(64).bytes(), "has 0 dimensions"),
        (tensors(1).tensor("t", &[1; 5], 0, 0).zeros(64).bytes(), "has 5 dimensions"),
        (tensors(1).string(b"t").u32(u32::MAX).zeros(64).bytes(), "has 4294967295 dimensions"),
        (tensors(1).tensor("t", &[4, 0], 0, 0).zeros(64).bytes(), "empty dimension"),
        (tensors(1).tensor("t", &[1], 43, 0).zeros(64).bytes(), "type 43 is unknown"),
        (tensors(1).tensor("t", &[1], 4, 0).zeros(64).bytes(), "was removed"),
        (tensors(1).tensor("t", &[32], 31, 0).zeros(64).bytes(), "use a Q4_0 file"),
        (tensors(1).tensor("t", &[32], 36, 0).zeros(64).bytes(), "use an IQ4_NL file"),
        (tensors(1).tensor("t", &[33], 8, 0).zeros(64).bytes(), "not whole Q8_0 blocks"),
        (tensors(1).tensor("t", &[1 << 32, 1 << 32], 0, 0).zeros(64).bytes(), "overflow"),
        (tensors(1).tensor("t", &[1 << 62, 2], 24, 0).zeros(64).bytes(), "overflow"),
        (tensors(1).tensor("t", &[1 << 61, 3], 28, 0).zeros(64).bytes(), "overflow"),
        (tensors(1).tensor("t", &[1], 0, 8).zeros(64).bytes(), "not a multiple of the alignment"),
        (tensors(1).tensor("t", &[1 << 40], 0, 0).zeros(64).bytes(), "ends too soon"),
        (tensors(1).tensor("t", &[1], 0, 1 << 40).zeros(64).bytes(), "ends too soon"),
        (tensors(1).tensor("t", &[1], 0, u64::MAX - 31).zeros(64).bytes(), "ends too soon"),
        (tensors(2).tensor("t", &[1], 0, 0).tensor("t", &[1], 0, 32).zeros(96).bytes(), "occurs twice"),
        (tensors(2).tensor("a", &[9], 0, 0).tensor("b", &[1], 0, 32).zeros(96).bytes(), "overlap"),
        (tensors(2).tensor("a", &[1], 0, 0).tensor("b", &[1], 0, 0).zeros(96).bytes(), "overlap"),
    ];
    for (bytes, wanted) in cases {
        let error = check(wanted, &bytes).expect_err(wanted);
        assert!(error.contains(wanted), "wanted {wanted:?}, found {error:?}");
    }
}

/// Metadata may have 4 GiB; the file is sparse, and costs no disk.
#[test]
fn metadata_beyond_4_gib_is_refused() {
    let path = std::env::temp_dir().join(format!("gguf-large-{}", std::process::id()));
    let n = 1u64 << 32;
    let head = Raw::new(0, 1).string(b"k").u32(9).u32(0).u64(n).bytes();
    std::fs::write(&path, &head).expect("temporary files can be made");
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("it was made");
    file.set_len(head.len() as u64 + n).expect("sparse files can be made");
    let error = Gguf::open(&path).map(drop).expect_err("too large").to_string();
    std::fs::remove_file(&path).expect("it was made");
    assert!(error.contains("metadata key \"k\"") && error.contains("4294967295 bytes"), "{error}");
}

/// Long lists of the shortest entries: time and memory stay in proportion.
#[test]
fn long_lists_are_linear() {
    let n = 10_000u64;
    let keys = (0..n).fold(Raw::new(0, n), |raw, i| raw.string(i.to_string().as_bytes()).u32(0).zeros(1));
    check("many keys", &keys.bytes()).expect("valid");
    let far = (0..n).fold(Raw::new(n, 0), |raw, i| raw.tensor(&i.to_string(), &[1], 24, 32 * i));
    check("many tensors", &far.clone().zeros(32 * n as usize).bytes()).expect("valid");
    check("many tensors without data", &far.bytes()).expect_err("they are not there");
    let same = (0..n).fold(Raw::new(n, 0), |raw, i| raw.tensor(&i.to_string(), &[1], 24, 0));
    check("many tensors in one place", &same.zeros(64).bytes()).expect_err("they overlap");
    let strings = (0..n).fold(Raw::new(0, 1).string(b"k").u32(9).u32(8).u64(n), |raw, _| raw.string(b""));
    check("many empty strings", &strings.bytes()).expect("valid");
}
