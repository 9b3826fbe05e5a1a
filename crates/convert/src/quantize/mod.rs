//! Makes a file with other tensor types: first a plan of what each tensor becomes, then the work, streamed.

mod plan;
mod prune;
mod run;

use std::path::PathBuf;

use quant::DType;
use regex_lite::Regex;

use crate::{Error, Imatrix, Mix, Result};

pub use plan::{Plan, Planned};
pub(crate) use run::refuse_source;
pub use run::{Progress, run};

/// What is asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// `None` copies every tensor as it is.
    pub mix: Option<Mix>,
    /// The matrix, and the name that the new file will give for it.
    pub imatrix: Option<(Imatrix, PathBuf)>,
    /// All weights in the type of the mix, without its rules.
    pub pure: bool,
    pub output_type: Option<DType>,
    pub token_embedding_type: Option<DType>,
    /// The first rule that matches decides, against the mix.
    pub tensor_types: Vec<TensorRule>,
    pub leave_output: bool,
    /// Permits quantized sources.
    pub requantize: bool,
    /// Writes the parts that the source has.
    pub keep_split: bool,
    pub overrides: Vec<Override>,
    /// Layers to leave out.
    pub prune: Vec<usize>,
}

/// Reads the name of a type that a tensor may get.
///
/// # Errors
/// If there is no such type, or it is not for weights: no engine could use the file.
pub fn weight_type(name: &str) -> Result<DType> {
    let to: DType = name.parse()?;
    if to.is_for_weights() { Ok(to) } else { Err(Error::NotForWeights { to }) }
}

/// Tensors whose names match get a type.
#[derive(Clone, Debug)]
pub struct TensorRule {
    pattern: Regex,
    to: DType,
}

impl TensorRule {
    /// Reads `PATTERN=TYPE`: a regular expression, found anywhere in the name.
    ///
    /// # Errors
    /// If it has another form.
    pub fn parse(rule: &str) -> Result<Self> {
        let problem = |problem: String| Error::BadRule { rule: rule.into(), problem };
        let Some((pattern, ty)) = rule.rsplit_once('=').filter(|(pattern, _)| !pattern.is_empty()) else {
            return Err(problem("it should be PATTERN=TYPE".into()));
        };
        let pattern = Regex::new(&pattern.to_lowercase()).map_err(|error| problem(error.to_string()))?;
        let to = weight_type(ty).map_err(|error| problem(error.to_string()))?;
        Ok(Self { pattern, to })
    }

    fn is_for(&self, name: &str) -> bool {
        self.pattern.is_match(name)
    }
}

/// A metadata value that the new file gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    pub key: String,
    pub value: gguf::write::OwnedValue,
}

impl Override {
    /// Reads `KEY=TYPE:VALUE`, where TYPE is `int`, `float`, `bool` or `str`. Integers are written as `u32`.
    ///
    /// # Errors
    /// If it has another form, or the value is not of the type.
    pub fn parse(text: &str) -> Result<Self> {
        use gguf::write::OwnedValue as V;
        let (key, (ty, value)) = text
            .split_once('=')
            .and_then(|(key, rest)| Some((key, rest.split_once(':')?)))
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Error::Override(format!("{text:?}: it should be KEY=TYPE:VALUE")))?;
        let parsed = match ty {
            "int" => value.parse().ok().map(V::U32),
            "float" => value.parse().ok().map(V::F32),
            "bool" => value.parse().ok().map(V::Bool),
            "str" => Some(value.into()),
            _ => {
                let problem = format!("{text:?}: TYPE is {ty:?}; known are int, float, bool, str");
                return Err(Error::Override(problem));
            }
        };
        let value = parsed.ok_or_else(|| {
            let hint = if ty == "int" { " (0 to 4294967295)" } else { "" };
            Error::Override(format!("{text:?}: {value:?} is no {ty}{hint}"))
        })?;
        Ok(Self { key: key.into(), value })
    }
}
