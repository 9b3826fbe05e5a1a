//! Files are read as they were written, in both formats; merging equals one long text; statistics of known values.

use super::*;

fn sample() -> Imatrix {
    let entry = |sums: &[f32], counts: &[f32]| Entry { sums: sums.to_vec(), counts: counts.to_vec() };
    let entries = [
        ("blk.0.ffn_down.weight", entry(&[8.0, 16.0, 24.0, 32.0], &[8.0])),
        ("blk.0.ffn_up_exps.weight", entry(&[4.0, 8.0, 0.0, 0.0], &[4.0, 0.0])),
        ("blk.1.ffn_down.weight", entry(&[4.0, 8.0, 12.0, 16.0], &[8.0])),
    ];
    let entries = entries.into_iter().map(|(name, entry)| (name.to_owned(), entry)).collect();
    let datasets = vec!["text".to_owned()];
    Imatrix { entries, datasets, n_chunks: 2, counted: Counted::Activations }
}

fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("llama-rs-{}-{name}", std::process::id()))
}

#[test]
fn gguf_files_are_read_as_written() {
    let path = file("imatrix.gguf");
    sample().write_gguf(&path, 4).expect("the folder of temporary files takes it");
    let read = Imatrix::open(&path);
    drop(fs::remove_file(&path));
    assert_eq!(read.expect("just written"), sample());
}

#[test]
fn older_files_keep_the_means() {
    let path = file("imatrix.dat");
    for datasets in [sample().datasets, Vec::new()] {
        let written = Imatrix { datasets, ..sample() };
        written.write_dat(&path, 4).expect("the folder of temporary files takes it");
        let read = Imatrix::open(&path);
        drop(fs::remove_file(&path));
        let read = read.expect("just written");
        assert_eq!(read.counted, Counted::Chunks);
        assert_eq!((read.n_chunks, &read.datasets), (2, &written.datasets));
        for (name, entry) in &written.entries {
            assert_eq!(read.entries[name].means(), entry.means(), "{name}");
        }
    }
}

#[test]
fn merging_adds_up() {
    let mut all = Imatrix::default();
    all.merge(sample(), 4).expect("nothing to differ from");
    all.merge(sample(), 4).expect("the same sizes");
    assert_eq!(all.n_chunks, 4);
    assert_eq!(all.datasets.len(), 2);
    assert_eq!(all.entries["blk.0.ffn_up_exps.weight"].counts, [8.0, 0.0]);
    assert_eq!(all.entries["blk.0.ffn_down.weight"].sums, [16.0, 32.0, 48.0, 64.0]);

    let chunks = Imatrix { counted: Counted::Chunks, ..sample() };
    let mut all = Imatrix::default();
    all.merge(chunks, 4).expect("nothing to differ from");
    assert_eq!(all.entries["blk.0.ffn_down.weight"].counts, [32.0]);

    let mut other = sample();
    other.entries.insert("blk.0.ffn_down.weight".into(), Entry { sums: vec![1.0], counts: vec![1.0] });
    let problem = all.merge(other, 4).expect_err("another size");
    assert!(problem.contains("4 sums in one file and 1 in another"), "{problem}");
}

#[test]
fn statistics_are_of_the_mean_squares() {
    let all = sample().statistics();
    let down = &all[0];
    assert_eq!((down.kind(), down.layer, down.n), ("ffn_down", Some(0), 4));
    assert_eq!((down.total, down.min, down.max, down.mean), (10.0, 1.0, 4.0, 2.5));
    assert!((down.deviation - 1.25f64.sqrt()).abs() < 1e-12);
    assert_eq!((down.active, down.z_share, down.similarity), (1.0, 0.25, 0.0));
    let bits: f64 = [0.1f64, 0.2, 0.3, 0.4].iter().map(|p| -p * p.log2()).sum();
    assert!((down.entropy - bits).abs() < 1e-6);
    assert_eq!(all[1].n, 2);
    assert!((all[2].similarity - 1.0).abs() < 1e-12);
}
