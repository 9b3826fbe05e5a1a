//! The list of samplers, their names, and how an order of them is read. What each does is in its own file.

mod dist;
mod greedy;
mod logit_bias;
mod mirostat;
mod mirostat_v2;

use crate::{Error, Params, Sampler, VocabInfo};

pub use dist::Dist;
pub use dry::{DEFAULT_BREAKERS, expand_breakers};
pub use greedy::Greedy;
pub use logit_bias::LogitBias;
pub use mirostat::MirostatV1;
pub use mirostat_v2::MirostatV2;

/// What a sampler may do to the most likely token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes logits, so that another token may become the most likely.
    Reweighs,
    /// The most likely token stays and remains so.
    KeepsBest,
    /// The most likely token may be dropped.
    MayDropBest,
    /// Selects the token, and so comes last wherever it is listed.
    Selects,
}

/// A sampler, or `None` when its settings have no effect.
pub(crate) type Built = Result<Option<Box<dyn Sampler>>, Error>;

/// What the list knows of a sampler.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) letter: char,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) effect: Effect,
    pub(crate) build: fn(&Params, &VocabInfo) -> Built,
}

macro_rules! samplers {
    ($($(#[$doc:meta])* $kind:ident = $file:ident,)*) => {
        $(mod $file; pub use $file::$kind;)*

        /// A sampler that an order may name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            pub(crate) fn entry(self) -> &'static Entry {
                match self { $(Self::$kind => &$file::ENTRY,)* }
            }
        }
    };
}

samplers! {
    /// Repetition, frequency and presence penalties.
    Penalties = penalties,
    /// Penalty on continuing a repeated sequence.
    Dry = dry,
    /// Cut at standard deviations below the best.
    TopNSigma = top_n_sigma,
    /// Cut to the best k.
    TopK = top_k,
    /// Locally typical sampling.
    Typical = typical,
    /// Nucleus sampling.
    TopP = top_p,
    /// Cut relative to the best.
    MinP = min_p,
    /// Removal of the likeliest.
    Xtc = xtc,
    /// Fixed or dynamic temperature.
    Temperature = temperature,
    /// Decision between text and end in fill-in-the-middle.
    Infill = infill,
    /// Selection near a target probability.
    AdaptiveP = adaptive_p,
}

impl Kind {
    /// llama.cpp's order.
    pub const DEFAULT_ORDER: [Self; 9] = [
        Self::Penalties,
        Self::Dry,
        Self::TopNSigma,
        Self::TopK,
        Self::Typical,
        Self::TopP,
        Self::MinP,
        Self::Xtc,
        Self::Temperature,
    ];

    /// Canonical name, e.g. `top_k`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Letter in a short order, e.g. `k`.
    pub fn letter(self) -> char {
        self.entry().letter
    }

    /// The sampler of this name: canonical, an alias, with `-` or nothing for `_`, in either case.
    ///
    /// # Errors
    /// [`Error::UnknownSampler`].
    pub fn from_name(name: &str) -> Result<Self, Error> {
        let wanted = name.trim().to_ascii_lowercase();
        let matches = |name: &str| {
            name == wanted || name.replace('_', "-") == wanted || name.replace('_', "") == wanted
        };
        let is_called = |kind: &Self| matches(kind.name()) || kind.entry().aliases.contains(&wanted.as_str());
        Self::ALL.iter().copied().find(is_called).ok_or_else(|| Error::UnknownSampler {
            name: name.to_owned(),
            known: Self::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The sampler of this letter.
    ///
    /// # Errors
    /// [`Error::UnknownSampler`].
    pub fn from_letter(letter: char) -> Result<Self, Error> {
        let found = Self::ALL.iter().copied().find(|kind| kind.letter() == letter);
        found.ok_or_else(|| Error::UnknownSampler {
            name: letter.to_string(),
            known: Self::ALL.iter().map(|kind| kind.letter()).collect(),
        })
    }

    /// Reads an order written as names: `top_k;top-p;temp`. An empty text is an empty order.
    ///
    /// # Errors
    /// [`Error::UnknownSampler`] for the first unknown name.
    pub fn parse_names(order: &str) -> Result<Vec<Self>, Error> {
        order.split(';').filter(|name| !name.trim().is_empty()).map(Self::from_name).collect()
    }

    /// Reads an order written as letters: `edskypmxt`.
    ///
    /// # Errors
    /// [`Error::UnknownSampler`] for the first unknown letter.
    pub fn parse_letters(order: &str) -> Result<Vec<Self>, Error> {
        order.chars().map(Self::from_letter).collect()
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases() {
        let check = |name: &str, kind: Kind| assert_eq!(Kind::from_name(name), Ok(kind), "{name}");
        for &kind in Kind::ALL {
            check(kind.name(), kind);
            assert_eq!(Kind::from_letter(kind.letter()), Ok(kind));
        }
        check("top-n-sigma", Kind::TopNSigma);
        check("TopNSigma", Kind::TopNSigma);
        check("minp", Kind::MinP);
        check("nucleus", Kind::TopP);
        check("temp", Kind::Temperature);
        check("typ", Kind::Typical);
        check("TYP-P", Kind::Typical);
    }

    #[test]
    fn orders() {
        assert_eq!(Kind::parse_letters("edskypmxt"), Ok(Kind::DEFAULT_ORDER.to_vec()));
        let names = "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature";
        assert_eq!(Kind::parse_names(names), Ok(Kind::DEFAULT_ORDER.to_vec()));
        assert_eq!(Kind::parse_names(""), Ok(vec![]));
        assert_eq!(Kind::parse_names("top_k; temp"), Ok(vec![Kind::TopK, Kind::Temperature]));
    }

    #[test]
    fn unknown_names_are_errors_that_list_the_known() {
        let error = Kind::parse_names("top_k;tfs_z").unwrap_err().to_string();
        assert!(error.contains("\"tfs_z\"") && error.contains("top_n_sigma"), "{error}");
        let error = Kind::parse_letters("kf").unwrap_err().to_string();
        assert!(error.contains("\"f\"") && error.contains("edskypmxt"), "{error}");
    }
}
