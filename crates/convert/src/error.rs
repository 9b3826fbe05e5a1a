//! What can go wrong when files are converted. Every message names the thing, the values, and what to do.

use std::path::PathBuf;

use quant::DType;

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    File(#[from] gguf::Error),
    #[error(transparent)]
    Type(#[from] quant::Error),
    #[error("tensor {name}: {cause}")]
    Tensor { name: String, cause: quant::Error },
    #[error("tensor {name}: cannot make {to} of {from}: it holds integers, no weights")]
    NotWeights { name: String, from: DType, to: DType },
    #[error(
        "tensor {name} is {from} already; to quantize it again loses more than once: allow requantizing to do it"
    )]
    Requantize { name: String, from: DType },
    #[error("tensor {name}: {to} is garbage without an importance matrix; give one, or choose a larger type")]
    NeedsImatrix { name: String, to: DType },
    #[error(
        "the importance matrix has no values for tensor {name}, and {to} is garbage without; make one from this model"
    )]
    NotInImatrix { name: String, to: DType },
    #[error(
        "tensor {name}: the importance matrix has {found} values, the tensor needs {expected}; it was made from another model"
    )]
    ImatrixSize { name: String, expected: usize, found: usize },
    #[error("importance matrix {}: {problem}", path.display())]
    Imatrix { path: PathBuf, problem: String },
    #[error(
        "tensor {name}: rows of {len} values are no whole blocks of {to}, and no other type stands in for it; choose another type"
    )]
    NoFallback { name: String, len: u64, to: DType },
    #[error(
        "tensor {name}: a recipe needs its layer, as the model has experts, but the name should begin with blk.N., N below {n_layer}"
    )]
    NoLayer { name: String, n_layer: usize },
    #[error("{name} is not a quantization; known are {}", crate::recipe::names())]
    UnknownMix { name: String },
    #[error("tensor type rule {rule:?}: {problem}")]
    BadRule { rule: String, problem: String },
    #[error("{to} is no type of weights; use F32, F16, BF16 or a quantized one such as Q8_0")]
    NotForWeights { to: DType },
    #[error("layer {layer} cannot be pruned: the model has layers 0 to {}", n_layer.saturating_sub(1))]
    NoSuchLayer { layer: usize, n_layer: usize },
    #[error("{} is the file to be read; choose another name for the new one", path.display())]
    SameFile { path: PathBuf },
    #[error("{0}")]
    Override(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
