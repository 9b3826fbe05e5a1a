//! Models of the goldens: every tensor claimed, every graph well shaped.

use model::{LoadOptions, Model};

use super::{check_graphs, load, supported};

#[test]
fn every_supported_golden_loads_and_builds_its_graphs() {
    for golden in supported() {
        let file = golden.file_of_zeros().unwrap();
        let model = load(&file).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
        assert_eq!(model.architecture(), golden.architecture, "{}", golden.name);
        check_graphs(&golden.name, &model);
    }
}

#[test]
fn every_golden_has_its_architecture() {
    let missing: std::collections::BTreeSet<_> = testkit::goldens()
        .iter()
        .map(|name| testkit::Golden::load(name).architecture)
        .filter(|architecture| !model::architectures().any(|name| name == architecture))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn names_of_architectures_are_unique() {
    let mut names: Vec<_> = model::architectures().collect();
    let n = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n, "{names:?}");
}

#[test]
fn the_context_in_use_chooses_rotary_factors() {
    let Some(golden) = supported().find(|golden| golden.name == "phi3.longrope") else { return };
    let file = golden.file_of_zeros().unwrap();
    for (n_ctx, factors) in [(64, "rope_factors_short.weight"), (1 << 20, "rope_factors_long.weight")] {
        let model = Model::load(&file, &LoadOptions { n_ctx: Some(n_ctx) }).unwrap();
        let used: Vec<_> = model
            .weights()
            .iter()
            .map(|w| w.name.as_str())
            .filter(|name| name.starts_with("rope_factors"))
            .collect();
        assert_eq!(used, [factors], "context of {n_ctx}");
    }
}

/// The error of a golden changed by `change`.
fn check(name: &str, change: impl FnOnce(&mut testkit::Golden), want: &str) {
    let mut golden = testkit::Golden::load(name);
    change(&mut golden);
    let error = load(&golden.file_of_zeros().expect("a file")).expect_err(want);
    assert_eq!(error.to_string(), want);
}

#[test]
fn errors_name_the_thing_and_both_values() {
    let tensor = |golden: &mut testkit::Golden, name: &str| {
        golden.tensors.iter().position(|t| t.name == name).expect("a tensor of the golden")
    };
    check(
        "llama-dense",
        |g| g.tensors.retain(|t| t.name != "blk.1.ffn_up.weight"),
        "tensor blk.1.ffn_up.weight: missing; the file is truncated, or its metadata describes another model",
    );
    check(
        "llama-dense",
        |g| {
            let i = tensor(g, "blk.1.attn_k.weight");
            g.tensors[i].dims[1] = 3;
        },
        "tensor blk.1.attn_k.weight: expected [256, 256], found [256, 3]",
    );
    check(
        "llama-dense",
        |g| {
            let i = tensor(g, "output_norm.weight");
            g.tensors[i].name = "output_morn.weight".into();
            g.tensors.push(testkit::TensorSpec { name: "output_norm.weight".into(), ..g.tensors[i].clone() });
        },
        "1 tensors mean nothing to `llama`: output_morn.weight",
    );
    check(
        "llama-dense",
        |g| {
            let i = tensor(g, "blk.0.attn_norm.weight");
            g.tensors[i].dtype = "I32".into();
        },
        "tensor blk.0.attn_norm.weight: type I32 cannot be used element by element",
    );
    check(
        "llama-dense",
        |g| {
            let kv =
                g.metadata.iter_mut().find(|kv| kv.0 == "llama.block_count").expect("a key of the golden");
            kv.2 = 4_000_000_000_u32.into();
        },
        "metadata llama.block_count: 4000000000 is more than the limit of 512",
    );
    check(
        "llama-dense",
        |g| g.metadata[0].2 = "gpt5".into(),
        "architecture `gpt5` is not supported; docs/architectures.md lists those that are",
    );
}

#[test]
fn errors_of_indexers_say_what_is_possible() {
    let set = |golden: &mut testkit::Golden, key: &str, value: serde_json::Value| {
        golden.metadata.iter_mut().find(|kv| kv.0 == key).expect("a key of the golden").2 = value;
    };
    check(
        "glm-dsa.chosen",
        |g| set(g, "glm-dsa.attention.indexer.types", vec![0, 1, 1, 1].into()),
        "metadata glm-dsa.attention.indexer.types: 0 in layer 0, which no layer with an indexer precedes",
    );
    check(
        "deepseek32.chosen",
        |g| set(g, "deepseek32.attention.indexer.top_k", 0.into()),
        "metadata deepseek32.attention.indexer.top_k: 0 must be positive",
    );
    check(
        "deepseek32.chosen",
        |g| {
            set(g, "deepseek32.attention.indexer.top_k", (1 << 17).into());
            set(g, "deepseek32.context_length", (1 << 20).into());
        },
        "metadata deepseek32.attention.indexer.top_k: 131072 is more than the limit of 65536",
    );
    check(
        "deepseek32.chosen",
        |g| {
            let key = "deepseek32.attention.causal".into();
            g.metadata.push(testkit::KeyValue(key, "bool".into(), false.into()));
        },
        "metadata deepseek32.attention.causal: false but an indexer chooses from what precedes",
    );
    let minimax = |key: &str, value: u32, want: &str| {
        let key = format!("minimax-m3.attention.indexer.{key}");
        check("minimax-m3.chosen", |g| set(g, &key, value.into()), &format!("metadata {key}: {want}"));
    };
    minimax("head_count", 4, "4 must be one for each of 2 key-value heads");
    minimax("local_blocks", 5, "5 is more than the 4 that are chosen");
    minimax("block_size", 0, "0 must be positive");
    check(
        "glm5-next.chosen",
        |g| set(g, "glm5-next.attention.indexer.top_k", 13.into()),
        "metadata glm5-next.attention.indexer.top_k: 13 must be a multiple of the 4 tokens of a block",
    );
    check(
        "glm5-next.shared",
        |g| set(g, "glm5-next.attention.indexer.types", vec![false, true, true, true].into()),
        "metadata glm5-next.attention.indexer.types: 0 in layer 0, which no layer with an indexer precedes",
    );
    check(
        "qwen4exp.chosen",
        |g| set(g, "qwen4exp.attention.compress_ratios", vec![0, 0, 0, 65].into()),
        "metadata qwen4exp.attention.compress_ratios: 65 is more than the limit of 64",
    );
}

#[test]
fn errors_of_compression_name_the_thing() {
    let set = |golden: &mut testkit::Golden, key: &str, value: serde_json::Value| {
        let key = format!("deepseek4.{key}");
        golden.metadata.iter_mut().find(|kv| kv.0 == key).expect("a key of the golden").2 = value;
    };
    let ratios = "attention.compress_ratios";
    check(
        "deepseek4.long",
        |g| set(g, ratios, vec![0, 4, 64].into()),
        "metadata deepseek4.attention.compress_ratios: 64 is not one of 0, 4, 128",
    );
    check(
        "deepseek4.long",
        |g| set(g, ratios, vec![0, 4].into()),
        "metadata deepseek4.attention.compress_ratios: an array of 2 but there are 3 layers",
    );
    check(
        "deepseek4.long",
        |g| set(g, ratios, vec![0, 128, 128].into()),
        "tensor blk.1.attn_compressor_kv.weight: expected [64, 32], found [64, 64]",
    );
    check(
        "deepseek4.long",
        |g| set(g, "attention.output_group_count", 3.into()),
        "metadata deepseek4.attention.output_group_count: 3 does not divide 4 heads",
    );
    check(
        "deepseek4.long",
        |g| set(g, "rope.dimension_count", 34.into()),
        "metadata deepseek4.rope.dimension_count: 34 is more than the 32 elements of a head",
    );
    check(
        "deepseek4.long",
        |g| set(g, "attention.sliding_window", 0.into()),
        "metadata deepseek4.attention.sliding_window: 0 must be positive",
    );
    check(
        "deepseek4.hash",
        |g| g.tensors.retain(|t| t.name != "blk.1.ffn_gate_tid2eid.weight"),
        "tensor blk.1.ffn_gate_tid2eid.weight: missing; the file is truncated, or its metadata describes another model",
    );
}

#[test]
fn draft_layers_are_those_that_can_guess_ahead() {
    let n_layer = |change: fn(&mut testkit::Golden)| {
        let mut golden = testkit::Golden::load("deepseek4.long");
        let key = "deepseek4.nextn_predict_layers".into();
        golden.metadata.push(testkit::KeyValue(key, "u32".into(), 1.into()));
        change(&mut golden);
        load(&golden.file_of_zeros().expect("a file")).map(|model| model.hparams().n_layer)
    };
    assert_eq!(n_layer(|_| ()).expect("a model"), 3, "the file names a draft layer that it leaves out");
    let with_head = n_layer(|golden| {
        let head = testkit::TensorSpec {
            name: "blk.2.nextn.eh_proj.weight".into(),
            dims: vec![128, 64],
            ..golden.tensors[0].clone()
        };
        golden.tensors.push(head);
    });
    assert_eq!(with_head.expect("a model"), 2);
    let without = n_layer(|golden| golden.tensors.retain(|t| !t.name.starts_with("blk.2.")));
    assert_eq!(without.expect("a model"), 2, "the file leaves it out and counts it");
}

#[test]
fn tables_of_experts_are_checked() {
    let mut golden = testkit::Golden::load("deepseek4.hash");
    let table =
        golden.tensors.iter_mut().find(|t| t.name == "blk.1.ffn_gate_tid2eid.weight").expect("a table");
    (table.offset, table.scale) = (6.0, 0.0);
    let error = load(&golden.file().expect("a file")).expect_err("no expert 6");
    assert_eq!(error.to_string(), "tensor blk.1.ffn_gate_tid2eid.weight: 6 is no id, which are 0 to 5");
}

#[test]
fn the_document_lists_the_architectures_there_are() {
    let document = include_str!("../../../../docs/architectures.md");
    let mut listed: Vec<_> =
        document.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut there: Vec<_> = model::architectures().collect();
    listed.sort_unstable();
    there.sort_unstable();
    assert_eq!(listed, there, "docs/architectures.md");
}
