//! WinoGrande: which of two words fills the blank? (Sakaguchi et al., 2020.) Scored by what comes behind the word.

use super::{Answer, Place, Prompt, Query, Task, Tokenize, select};
use crate::{Error, Result};

/// Where both texts differ by more tokens than this, the word itself does not count.
const MIN_TRAILING: usize = 3;

/// A line of a CSV file: its number, the sentence with `_` for the blank, two words, and which fits (1 or 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WinoGrande {
    prompt: Prompt,
    /// For each text, tokens of its ending that do not count.
    skipped: [usize; 2],
    right: usize,
}

struct Line<'a> {
    before: &'a str,
    after: &'a str,
    words: [&'a str; 2],
    right: usize,
}

impl WinoGrande {
    /// Chooses `n` of the tasks of a file, or takes all of them in order, and turns them into tokens.
    ///
    /// # Errors
    /// If the file is malformed or a task cannot be scored.
    pub fn choose(file: &str, n: Option<usize>, tokenize: &Tokenize<'_>) -> Result<Vec<Self>> {
        let lines: Vec<Line<'_>> = file
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(i, line)| parse(i + 1, line))
            .collect::<Result<_>>()?;
        if lines.is_empty() {
            return Err(Error::BadTasks("it has no tasks".into()));
        }
        let chosen: Vec<usize> = match n {
            Some(n) if n < lines.len() => select::scaled(n, lines.len()),
            _ => (0..lines.len()).collect(),
        };
        chosen.into_iter().map(|i| Self::new(i, &lines[i], tokenize)).collect()
    }

    fn new(index: usize, line: &Line<'_>, tokenize: &Tokenize<'_>) -> Result<Self> {
        let Line { before, after, words, right } = *line;
        let texts = words.map(|word| tokenize(&format!("{before}{word}{after}")));
        let n_base = words.map(|word| tokenize(&format!("{before}{word}")).len());
        let prompt = Prompt::new(index + 1, texts.to_vec())?;
        let common = prompt.prefix.len();
        let far = prompt.endings.iter().all(|e| e.len() > MIN_TRAILING);
        let skipped = [0, 1].map(|i| {
            let skipped = if far { n_base[i].saturating_sub(common) } else { 0 };
            skipped.min(prompt.endings[i].len() - 1)
        });
        Ok(Self { prompt, skipped, right })
    }

    /// Tokens of ending `i` that count: behind the word, and without the last one, which is the full stop.
    fn counted(&self, i: usize) -> std::ops::Range<usize> {
        let len = self.prompt.endings[i].len();
        let last = usize::from(len - self.skipped[i] > 1);
        self.skipped[i]..len - last
    }
}

impl Task for WinoGrande {
    fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    fn is_right(&self, ending: usize) -> bool {
        ending == self.right
    }

    fn queries(&self) -> Vec<Query> {
        let mut queries = Vec::new();
        for ending in 0..2 {
            for i in self.counted(ending) {
                let place = match i.checked_sub(1) {
                    Some(token) => Place::Ending { ending, token },
                    None if ending == 0 => Place::Prefix,
                    // Scores are compared with llama.cpp's, which looks here: behind the whole first text.
                    None => Place::Ending { ending: 0, token: self.prompt.endings[0].len() - 1 },
                };
                queries.push(Query { place, target: self.prompt.endings[ending][i] });
            }
        }
        queries
    }

    fn answer(&self, log_probs: &[f64]) -> Answer {
        let (first, second) = log_probs.split_at(self.counted(0).len());
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let scores = vec![mean(first), mean(second)];
        let chosen = usize::from(scores[0] <= scores[1]);
        Answer { scores, chosen, is_right: self.is_right(chosen) }
    }
}

/// Splits a line at its first four commas that are not between quotes.
fn parse(number: usize, line: &str) -> Result<Line<'_>> {
    let bad = |problem: &str| Error::BadTasks(format!("line {number} {problem}: {line:?}"));
    let mut quoted = false;
    let commas: Vec<usize> = line
        .bytes()
        .enumerate()
        .filter(|(_, byte)| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        })
        .map(|(i, _)| i)
        .take(4)
        .collect();
    let [a, b, c, d] = commas[..] else {
        return Err(bad("should be a number, a sentence, two words and 1 or 2, with commas between them"));
    };
    let sentence = &line[a + 1..b];
    let sentence = sentence.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(sentence);
    let (before, after) = sentence.split_once('_').ok_or_else(|| bad("has no `_` for the blank"))?;
    let right = match line[d + 1..].trim() {
        "1" => 0,
        "2" => 1,
        _ => return Err(bad("does not end with 1 or 2")),
    };
    Ok(Line { before, after, words: [&line[b + 1..c], &line[c + 1..d]], right })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u32> {
        text.bytes().map(u32::from).collect()
    }

    #[test]
    fn what_comes_behind_the_word_counts_without_the_last_token() {
        let tasks = WinoGrande::choose("0,\"So, _ ran.\",Al,Bo,2\n", None, &bytes).expect("well-formed");
        let task = &tasks[0];
        assert_eq!(task.prompt().prefix, bytes("So, "));
        assert_eq!((task.counted(0), task.counted(1)), (2..6, 2..6));
        let queries = task.queries();
        assert_eq!(
            queries[0],
            Query { place: Place::Ending { ending: 0, token: 1 }, target: u32::from(b' ') }
        );
        let answer = task.answer(&[-2.0, -2.0, -2.0, -2.0, -1.0, -1.0, -1.0, -1.0]);
        assert_eq!((answer.chosen, answer.is_right), (1, true));
    }

    #[test]
    fn short_endings_count_whole() {
        let tasks = WinoGrande::choose("0,It is _.,a,b,1", None, &bytes).expect("well-formed");
        let queries = tasks[0].queries();
        assert_eq!(queries.len(), 2);
        assert_eq!(queries[0].place, Place::Prefix);
        assert_eq!(queries[1].place, Place::Ending { ending: 0, token: 1 });
    }

    #[test]
    fn malformed_lines_are_named() {
        for (file, want) in [
            ("", "no tasks"),
            ("0,a _,b,1\n", "line 1 should be"),
            ("0,a _,b,c,1\n1,a,b,c,1\n", "line 2 has no `_`"),
            ("0,a _,b,c,3", "1 or 2"),
        ] {
            let error = WinoGrande::choose(file, None, &bytes).expect_err("malformed").to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
