//! In which types keys and values are stored. Parsing only.

use clap::Args;
use tensor::DType;

/// Types of the key-value cache.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct CacheArgs {
    /// Type of stored keys
    #[arg(long, visible_alias = "ctk", value_name = "TYPE", default_value = "f16", value_parser = kv_type)]
    pub(crate) cache_type_k: DType,

    /// Type of stored values
    #[arg(long, visible_alias = "ctv", value_name = "TYPE", default_value = "f16", value_parser = kv_type)]
    pub(crate) cache_type_v: DType,
}

/// The types a device may be asked to store keys and values in.
const KV_TYPES: [DType; 9] = [
    DType::F32,
    DType::F16,
    DType::BF16,
    DType::Q8_0,
    DType::Q4_0,
    DType::Q4_1,
    DType::IQ4_NL,
    DType::Q5_0,
    DType::Q5_1,
];

pub(crate) fn kv_type(name: &str) -> Result<DType, String> {
    let found = KV_TYPES.into_iter().find(|t| t.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let names: Vec<_> = KV_TYPES.iter().map(|t| t.name().to_lowercase()).collect();
        format!("use one of {}", names.join(", "))
    })
}
