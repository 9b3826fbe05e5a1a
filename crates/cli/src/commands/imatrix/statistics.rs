//! The table of `--show-statistics`, in llama.cpp's columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use convert::Imatrix;
use convert::imatrix::Statistics;

/// Means over the weights of a layer, each as heavy as it has inputs.
#[derive(Default)]
struct Layer {
    n: f64,
    total: f64,
    z_share: f64,
    similarity: f64,
}

pub(super) fn table(imatrix: &Imatrix) -> Result<String> {
    let mut all = imatrix.statistics();
    all.sort_by(|a, b| a.kind().cmp(b.kind()).then(b.total.total_cmp(&a.total)));
    let mut out = String::new();
    writeln!(
        out,
        "{:>5}  {:20} {:>12} {:>10} {:>12} {:>8} {:>8} {:>9} {:>7} {:>10} {:>9} {:>8} {:>8}",
        "Layer",
        "Tensor",
        "Σ(Act²)",
        "Min",
        "Max",
        "μ",
        "σ",
        "% Active",
        "N",
        "Entropy",
        "E (norm)",
        "ZD",
        "CosSim"
    )?;
    let mut layers: BTreeMap<usize, Layer> = BTreeMap::new();
    for s in &all {
        line(&mut out, s)?;
        if let Some(layer) = s.layer {
            let layer = layers.entry(layer).or_default();
            let n = s.n as f64;
            layer.n += n;
            layer.total += n * s.total;
            layer.z_share += n * s.z_share;
            layer.similarity += n * s.similarity;
        }
    }
    writeln!(out, "\n{:>5} {:>14} {:>10} {:>8}", "Layer", "μΣ(Act²)", "μZD", "μCosSim")?;
    for (i, Layer { n, total, z_share, similarity }) in &layers {
        writeln!(out, "{i:>5} {:>14.2} {:>9.4}% {:>8.4}", total / n, 100.0 * z_share / n, similarity / n)?;
    }
    Ok(out)
}

fn line(out: &mut String, s: &Statistics) -> Result<()> {
    let layer = s.layer.map_or("-".to_owned(), |i| i.to_string());
    writeln!(
        out,
        "{layer:>5}  {:20} {:>12.2} {:>10.4} {:>12.4} {:>8.2} {:>8.2} {:>8.2}% {:>7} {:>10.4} {:>8.2}% {:>7.2}% {:>8.4}",
        s.kind(),
        s.total,
        s.min,
        s.max,
        s.mean,
        s.deviation,
        100.0 * s.active,
        s.n,
        s.entropy,
        100.0 * s.normalized_entropy(),
        100.0 * s.z_share,
        s.similarity,
    )?;
    Ok(())
}
