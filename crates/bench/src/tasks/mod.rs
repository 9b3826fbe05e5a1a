//! Tasks with several endings of which the model should find one likeliest, and their scores.
//!
//! Which endings, and how their likelihoods become an answer, is each kind's own file.

mod hellaswag;
mod multiple_choice;
mod run;
mod select;
mod winogrande;

pub use hellaswag::HellaSwag;
pub use multiple_choice::MultipleChoice;
pub use run::{Limits, run};
pub use winogrande::WinoGrande;

use crate::{Error, Result};

/// Turns a text into tokens, with those that the model wants around it.
pub type Tokenize<'a> = dyn Fn(&str) -> Vec<u32> + 'a;

/// What to run: a common beginning, and endings of at least one token each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub prefix: Vec<u32>,
    pub endings: Vec<Vec<u32>>,
}

impl Prompt {
    /// Splits texts into what all begin with and the rest. Every text keeps a token of its own.
    fn new(task: usize, mut texts: Vec<Vec<u32>>) -> Result<Self> {
        let shortest = texts.iter().map(Vec::len).min().unwrap_or(0);
        let first = &texts[0];
        let same = |i: &usize| texts.iter().all(|t| t[*i] == first[*i]);
        let common = (0..shortest.saturating_sub(1)).take_while(same).count();
        if common == 0 {
            return Err(Error::BadTask { task, problem: "its texts do not begin with the same token" });
        }
        let prefix = texts[0][..common].to_vec();
        let endings = texts.iter_mut().map(|t| t.split_off(common)).collect();
        Ok(Self { prefix, endings })
    }

    fn n_tokens(&self) -> usize {
        self.prefix.len() + self.endings.iter().map(Vec::len).sum::<usize>()
    }
}

/// Which logits to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind the last token of the prefix.
    Prefix,
    /// Behind token `token` of ending `ending`.
    Ending { ending: usize, token: usize },
}

/// A question to the model: how likely is this token here?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    pub place: Place,
    pub target: u32,
}

/// One task, ready to run.
pub trait Task {
    fn prompt(&self) -> &Prompt;

    fn is_right(&self, ending: usize) -> bool;

    /// What must be known to answer: all of the endings, unless a kind asks for less.
    fn queries(&self) -> Vec<Query> {
        whole_endings(self.prompt())
    }

    /// What the model chooses, given the log-probabilities of the queries, in their order: the ending whose tokens are
    /// likeliest in the mean.
    fn answer(&self, log_probs: &[f64]) -> Answer {
        let scores = means_of_endings(self.prompt(), log_probs);
        let chosen = greatest(&scores);
        Answer { scores, chosen, is_right: self.is_right(chosen) }
    }
}

/// What the model chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Mean log-probability of each ending.
    pub scores: Vec<f64>,
    /// The ending with the greatest.
    pub chosen: usize,
    pub is_right: bool,
}

/// The running score of a kind of task.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accuracy {
    pub n_right: usize,
    pub n_done: usize,
}

impl Accuracy {
    pub fn share(&self) -> f64 {
        self.n_right as f64 / self.n_done.max(1) as f64
    }

    /// Standard error of the share.
    pub fn error(&self) -> f64 {
        let p = self.share();
        (p * (1.0 - p) / (self.n_done as f64 - 1.0).max(1.0)).sqrt()
    }

    /// The 95 % confidence interval of the share, by Wilson's score.
    pub fn interval(&self) -> (f64, f64) {
        /// The 97.5 % quantile of the normal distribution.
        const Z: f64 = 1.959_963_984_54;
        let (n, p) = (self.n_done.max(1) as f64, self.share());
        let z = Z * Z / n;
        let half = z * (n * (4.0 * p * (1.0 - p) + z)).sqrt() / (2.0 * Z);
        let middle = p + z / 2.0;
        ((middle - half) / (1.0 + z), (middle + half) / (1.0 + z))
    }
}

/// The queries for whole endings: the first token behind the prefix, each other behind the one before.
fn whole_endings(prompt: &Prompt) -> Vec<Query> {
    let of_ending = |(ending, tokens): (usize, &Vec<u32>)| {
        let place = move |i: usize| match i.checked_sub(1) {
            None => Place::Prefix,
            Some(token) => Place::Ending { ending, token },
        };
        let queries = tokens.iter().enumerate().map(|(i, &target)| Query { place: place(i), target });
        queries.collect::<Vec<_>>()
    };
    prompt.endings.iter().enumerate().flat_map(of_ending).collect()
}

/// The means of the endings' log-probabilities, as [`whole_endings`] asks for them.
fn means_of_endings(prompt: &Prompt, mut log_probs: &[f64]) -> Vec<f64> {
    let mean = |tokens: &Vec<u32>| {
        let (own, rest) = log_probs.split_at(tokens.len());
        log_probs = rest;
        own.iter().sum::<f64>() / own.len() as f64
    };
    prompt.endings.iter().map(mean).collect()
}

/// The first of the greatest.
fn greatest(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_share_what_is_common_and_no_more() {
        let check = |texts: &[&[u32]], prefix: &[u32], endings: &[&[u32]]| {
            let prompt = Prompt::new(1, texts.iter().map(|t| t.to_vec()).collect()).expect("a common token");
            assert_eq!(
                (prompt.prefix.as_slice(), prompt.endings.as_slice()),
                (prefix, endings.iter().map(|e| e.to_vec()).collect::<Vec<_>>().as_slice())
            );
        };
        check(&[&[1, 2, 3], &[1, 2, 4, 5]], &[1, 2], &[&[3], &[4, 5]]);
        check(&[&[1, 2], &[1, 2]], &[1], &[&[2], &[2]]);
        check(&[&[1, 2], &[1, 2, 3]], &[1], &[&[2], &[2, 3]]);
        for texts in [&[&[1][..], &[1, 2]][..], &[&[1, 2], &[2, 2]], &[&[], &[1]]] {
            assert!(Prompt::new(1, texts.iter().map(|t| t.to_vec()).collect()).is_err(), "{texts:?}");
        }
    }

    #[test]
    fn interval_is_wilsons() {
        let (low, high) = Accuracy { n_right: 8, n_done: 10 }.interval();
        assert!((low - 0.490_162).abs() < 1e-5 && (high - 0.943_318).abs() < 1e-5, "{low} {high}");
    }
}
