//! How fast memory is read, which bounds how fast a model that is larger than the caches can generate.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use engine::LoadedModel;

/// Larger than any cache.
const BYTES: usize = 512 << 20;

/// Bytes a second that threads read from memory together: the best of a few passes.
pub(super) fn of_memory(n_threads: usize) -> f64 {
    let words = vec![1_u64; BYTES / size_of::<u64>()];
    let parts = || words.chunks(words.len().div_ceil(n_threads.max(1)));
    let pass = || {
        let start = Instant::now();
        thread::scope(|scope| {
            parts().for_each(|part| {
                scope.spawn(|| black_box(part.iter().fold(0, |sum: u64, word| sum.wrapping_add(*word))));
            });
        });
        BYTES as f64 / start.elapsed().as_secs_f64()
    };
    (0..4).map(|_| pass()).fold(0.0, f64::max)
}

/// Bytes of weights that a token reads, if that can be told from the file: experts are chosen as it goes.
pub(super) fn weights_of_a_token(model: &LoadedModel) -> Option<u64> {
    if model.model().hparams().n_expert > 0 {
        return None;
    }
    let file = model.file();
    // Of the embedding a token reads one row, unless it is the output too.
    let is_unread = |name: &str| name == "token_embd.weight" && file.tensor("output.weight").is_some();
    Some(file.tensors().iter().filter(|t| !is_unread(&t.name)).map(|t| t.n_bytes()).sum())
}
