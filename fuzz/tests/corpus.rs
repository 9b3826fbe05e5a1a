//! Every input that is kept, and a few changed ones of each: seeded, so that it is the same everywhere.

use std::fs;
use std::path::PathBuf;

use fuzz::TARGETS;

/// Changed inputs made of each kept one.
const N_CHANGED: usize = 3;

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("a kept input"))).collect()
}

#[test]
fn kept_inputs_find_nothing() {
    for target in TARGETS {
        let kept = corpus(target.name);
        assert!(!kept.is_empty(), "{}: no inputs are kept", target.name);
        for (path, bytes) in &kept {
            println!("{}", path.display());
            (target.run)(bytes);
        }
        println!("{}: {} inputs", target.name, kept.len());
    }
}

#[test]
fn changed_inputs_find_nothing() {
    let mut state = 1u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for target in TARGETS {
        for (path, bytes) in corpus(target.name) {
            for _ in 0..N_CHANGED {
                let mut changed = bytes.clone();
                for _ in 0..=below(4) {
                    let at = below(changed.len().max(1));
                    match (below(3), changed.is_empty()) {
                        (_, true) => changed.push(below(256) as u8),
                        (0, _) => changed[at] = below(256) as u8,
                        (1, _) => changed.truncate(at),
                        _ => changed.insert(at, bytes[below(bytes.len())]),
                    }
                }
                println!("{} as {changed:?}", path.display());
                (target.run)(&changed);
            }
        }
    }
}
