//! The flags of `synth`. Parsing only.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use quant::DType;

#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// File to write
    pub(crate) output: PathBuf,

    /// Size of the model
    #[arg(long, value_name = "NAME")]
    pub(crate) shape: ShapeName,

    /// Type of every matrix; of K and IQ types, the output has Q6_K
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) dtype: DType,

    /// Seed of the weights
    #[arg(short = 's', long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShapeName {
    /// 1.2 billion parameters: 16 layers of 2048
    #[value(name = "1b")]
    B1,
    /// 3.1 billion parameters: 28 layers of 3072
    #[value(name = "3b")]
    B3,
    /// 7.4 billion parameters: 32 layers of 4096
    #[value(name = "8b")]
    B8,
    /// 3.6 billion parameters, 0.8 of them a token: 16 layers of 2048, 4 of 32 experts
    Moe,
}
