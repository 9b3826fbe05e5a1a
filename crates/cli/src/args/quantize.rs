//! The flags of `quantize`, named as those of llama-quantize.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use convert::Mix;
use convert::quantize::{Override, TensorRule, weight_type};
use quant::DType;

#[derive(Debug, Args)]
#[command(after_help = types_help())]
pub(crate) struct QuantizeArgs {
    /// File to read; of a split file, the first part
    pub(crate) input: PathBuf,

    /// File to write (default: ggml-model-TYPE.gguf beside the input), then TYPE, then threads (default: all cores)
    #[arg(value_name = "[OUTPUT] TYPE [THREADS]", required = true, num_args = 1..=3)]
    pub(crate) rest: Vec<String>,

    /// Importance matrix, GGUF or the older format
    #[arg(long, value_name = "FILE")]
    pub(crate) imatrix: Option<PathBuf>,

    /// Use only the importance of tensors with this in their names
    #[arg(long, value_name = "PART", requires = "imatrix")]
    pub(crate) include_weights: Vec<String>,

    /// Do not use the importance of tensors with this in their names
    #[arg(long, value_name = "PART", requires = "imatrix", conflicts_with = "include_weights")]
    pub(crate) exclude_weights: Vec<String>,

    /// Give all weights the same type, without the mix's exceptions
    #[arg(long)]
    pub(crate) pure: bool,

    /// Type of output.weight
    #[arg(long, value_name = "TYPE", value_parser = weight_type)]
    pub(crate) output_tensor_type: Option<DType>,

    /// Type of the token embedding
    #[arg(long, value_name = "TYPE", value_parser = weight_type)]
    pub(crate) token_embedding_type: Option<DType>,

    /// Give tensors whose names match a type: a regular expression, the first that matches decides
    #[arg(long, value_name = "PATTERN=TYPE", value_parser = TensorRule::parse)]
    pub(crate) tensor_type: Vec<TensorRule>,

    /// File with such rules, separated by spaces or line ends
    #[arg(long, value_name = "FILE")]
    pub(crate) tensor_type_file: Option<PathBuf>,

    /// Leave output.weight as it is
    #[arg(long)]
    pub(crate) leave_output_tensor: bool,

    /// Permit tensors that are quantized already, though it loses more
    #[arg(long)]
    pub(crate) allow_requantize: bool,

    /// Write as many parts as the input has
    #[arg(long)]
    pub(crate) keep_split: bool,

    /// Set metadata of the new file; TYPE is int, float, bool or str
    #[arg(long, value_name = "KEY=TYPE:VALUE", value_parser = Override::parse)]
    pub(crate) override_kv: Vec<Override>,

    /// Layers to leave out, separated by commas
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    pub(crate) prune_layers: Vec<usize>,

    /// Show what each tensor would become, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The words behind the input.
#[derive(Debug, PartialEq)]
pub(crate) struct Positional {
    pub(crate) output: Option<PathBuf>,
    /// `None`: copy.
    pub(crate) mix: Option<Mix>,
    pub(crate) threads: Option<NonZero<usize>>,
}

impl QuantizeArgs {
    /// Tells the output from the type: the first word is an output unless it is a type.
    pub(crate) fn positional(&self) -> anyhow::Result<Positional> {
        let mut words = self.rest.iter();
        let mut word = words.next().map_or("", String::as_str);
        let mut output = None;
        let mut mix = parse_mix(word);
        if mix.is_err() && self.rest.len() > 1 {
            output = Some(PathBuf::from(word));
            word = words.next().map_or("", String::as_str);
            mix = parse_mix(word);
        }
        let threads = match words.next() {
            Some(text) => {
                Some(text.parse().map_err(|_| anyhow::anyhow!("{text:?} is no number of threads"))?)
            }
            None => None,
        };
        if let Some(more) = words.next() {
            anyhow::bail!("{more:?} follows the number of threads, and means nothing");
        }
        Ok(Positional { output, mix: mix?, threads })
    }
}

fn parse_mix(word: &str) -> Result<Option<Mix>, convert::Error> {
    if word.eq_ignore_ascii_case("copy") { Ok(None) } else { word.parse().map(Some) }
}

fn types_help() -> String {
    let mut help = String::from("Types:\n");
    for mix in Mix::ALL {
        help += &format!("  {:>2}  {:10} {}\n", mix.id(), mix.name(), mix.about());
    }
    help + "      COPY       every tensor as it is"
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: QuantizeArgs,
    }

    #[test]
    fn words_are_told_apart() {
        let check = |line: &str, expect: Option<(Option<&str>, Option<Mix>, Option<usize>)>| {
            let words = std::iter::once("quantize").chain(line.split(' '));
            let found = Line::try_parse_from(words).expect("it parses").args.positional().ok();
            let expect = expect.map(|(output, mix, threads)| Positional {
                output: output.map(PathBuf::from),
                mix,
                threads: threads.and_then(NonZero::new),
            });
            assert_eq!(found, expect, "{line}");
        };
        check("in.gguf q4_k_m", Some((None, Some(Mix::Q4_K_M), None)));
        check("in.gguf 15 3", Some((None, Some(Mix::Q4_K_M), Some(3))));
        check("in.gguf out.gguf Q4_K", Some((Some("out.gguf"), Some(Mix::Q4_K_M), None)));
        check("in.gguf out.gguf copy 2", Some((Some("out.gguf"), None, Some(2))));
        check("--pure in.gguf out.gguf iq1_s 2", Some((Some("out.gguf"), Some(Mix::IQ1_S), Some(2))));
        check("in.gguf out.gguf", None);
        check("in.gguf out.gguf Q9", None);
        check("in.gguf out.gguf Q8_0 0", None);
        check("in.gguf Q8_0 2 more", None);
    }
}
