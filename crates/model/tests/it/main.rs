//! Every golden model loads and describes itself; no broken one does harm.

mod goldens;
mod mutants;

use gguf::Gguf;
use model::{LoadOptions, Mode, Model};
use tensor::{Output, Rows};
use testkit::Golden;

const MODES: [Mode; 4] = [Mode::Logits, Mode::Embeddings, Mode::Scores, Mode::Encode];

fn load(file: &Gguf) -> model::Result<Model> {
    Model::load(file, &LoadOptions::default())
}

/// The goldens of architectures that there are.
fn supported() -> impl Iterator<Item = Golden> {
    testkit::goldens()
        .into_iter()
        .map(|name| Golden::load(&name))
        .filter(|golden| model::architectures().any(|name| name == golden.architecture))
}

/// Builds the graph of every mode the model has and checks what comes out.
fn check_graphs(name: &str, model: &Model) {
    for mode in MODES.into_iter().filter(|&mode| model.supports(mode)) {
        let (nodes, outputs) = model.graph(mode).into_parts();
        let hp = model.hparams();
        let (kind, width) = match mode {
            Mode::Logits => (Output::Logits, hp.n_vocab),
            Mode::Embeddings => (Output::Embeddings, hp.n_embd_out),
            Mode::Scores => (Output::Embeddings, hp.n_label()),
            Mode::Encode => (Output::Embeddings, hp.n_embd),
        };
        let shapes: Vec<_> = outputs
            .iter()
            .filter(|(output, _)| *output == kind)
            .map(|(_, id)| nodes[id.index()].shape)
            .collect();
        assert_eq!(shapes.len(), 1, "{name}, {mode:?}: one {kind:?}");
        assert_eq!((shapes[0].dims(), shapes[0].rows()), (&[width][..], Rows::Outputs), "{name}, {mode:?}");
    }
}
