//! Questions with any number of answers, of which the likeliest a token is taken: ARC, MMLU, TruthfulQA.

use super::{Prompt, Task, Tokenize, select};
use crate::{Error, Result};

const MAX_ANSWERS: usize = 100;

/// A task of a binary file: a question, and answers of which some are right.
///
/// The file: the number of tasks, the place of each, then the tasks. A task: the question and two lists of answers; a
/// list: their number, their texts, and for each 1 if it is right. Numbers have 32 bits, texts begin with their length;
/// all little-endian. The second list allows several right answers and is not scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipleChoice {
    prompt: Prompt,
    right: Vec<bool>,
}

impl MultipleChoice {
    /// Chooses `n` of the tasks of a file, or takes all of them in order, and turns them into tokens.
    ///
    /// # Errors
    /// If the file is malformed or a task cannot be scored.
    pub fn choose(file: &[u8], n: Option<usize>, tokenize: &Tokenize<'_>) -> Result<Vec<Self>> {
        let mut reader = Reader { file, at: 0 };
        let n_tasks = reader.number("the number of tasks")?;
        if n_tasks == 0 {
            return Err(Error::BadTasks("it has no tasks".into()));
        }
        let places = reader.take(n_tasks.saturating_mul(4), "the places of the tasks")?;
        let first = reader.at;
        if let Some(n) = n.filter(|n| *n < n_tasks) {
            let task = |i: usize| {
                let place = places[4 * i..4 * i + 4].try_into().expect("four bytes");
                Reader { file, at: u32::from_le_bytes(place) as usize }.task(i, tokenize)
            };
            return select::scaled(n, n_tasks).into_iter().map(task).collect();
        }
        let mut reader = Reader { file, at: first };
        (0..n_tasks).map(|i| reader.task(i, tokenize)).collect()
    }

    pub fn n_answers(&self) -> usize {
        self.right.len()
    }
}

impl Task for MultipleChoice {
    fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    fn is_right(&self, ending: usize) -> bool {
        self.right[ending]
    }
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8]> {
        let rest = self.file.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.get(..n) else {
            let (at, rest) = (self.at, rest.len());
            return Err(Error::BadTasks(format!("{what} at byte {at} needs {n} bytes, {rest} are left")));
        };
        self.at += n;
        Ok(taken)
    }

    fn number(&mut self, what: &str) -> Result<usize> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize)
    }

    fn text(&mut self, what: &str) -> Result<&'a str> {
        let at = self.at;
        let len = self.number(what)?;
        let bytes = self.take(len, what)?;
        std::str::from_utf8(bytes)
            .map_err(|_| Error::BadTasks(format!("{what} at byte {at} is not UTF-8 text")))
    }

    fn answers(&mut self) -> Result<Vec<(&'a str, bool)>> {
        let at = self.at;
        let n = self.number("the number of answers")?;
        if n > MAX_ANSWERS {
            return Err(Error::BadTasks(format!(
                "{n} answers at byte {at}, at most {MAX_ANSWERS} are allowed"
            )));
        }
        let texts: Vec<&str> = (0..n).map(|_| self.text("an answer")).collect::<Result<_>>()?;
        texts.into_iter().map(|text| Ok((text, self.number("whether an answer is right")? == 1))).collect()
    }

    fn task(&mut self, index: usize, tokenize: &Tokenize<'_>) -> Result<MultipleChoice> {
        let task = index + 1;
        let question = self.text("a question")?;
        let answers = self.answers()?;
        self.answers()?;
        if question.is_empty() || answers.is_empty() || answers.iter().any(|(text, _)| text.is_empty()) {
            return Err(Error::BadTask { task, problem: "its question or an answer is empty" });
        }
        let texts = answers.iter().map(|(text, _)| tokenize(&format!("{question} {text}"))).collect();
        let prompt = Prompt::new(task, texts)?;
        Ok(MultipleChoice { prompt, right: answers.iter().map(|(_, right)| *right).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u32> {
        text.bytes().map(u32::from).collect()
    }

    fn put(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.bytes());
    }

    fn task(question: &str, answers: &[&str], right: u32) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, question);
        out.extend((answers.len() as u32).to_le_bytes());
        answers.iter().for_each(|a| put(&mut out, a));
        (0..answers.len() as u32).for_each(|i| out.extend(u32::from(i == right).to_le_bytes()));
        out.extend(0u32.to_le_bytes());
        out
    }

    fn file(tasks: &[Vec<u8>]) -> Vec<u8> {
        let mut out = (tasks.len() as u32).to_le_bytes().to_vec();
        let mut at = 4 + 4 * tasks.len();
        for task in tasks {
            out.extend((at as u32).to_le_bytes());
            at += task.len();
        }
        out.extend(tasks.concat());
        out
    }

    #[test]
    fn tasks_are_read_in_order_or_by_their_places() {
        let tasks: Vec<_> = (0..5).map(|i| task("why", &["a", "bc", "d"][..2 + i % 2], 1)).collect();
        let file = file(&tasks);
        let all = MultipleChoice::choose(&file, None, &bytes).expect("well-formed");
        assert_eq!(all.iter().map(MultipleChoice::n_answers).collect::<Vec<_>>(), [2, 3, 2, 3, 2]);
        let some = MultipleChoice::choose(&file, Some(2), &bytes).expect("well-formed");
        let chosen = select::scaled(2, 5);
        assert_eq!(some, [all[chosen[0]].clone(), all[chosen[1]].clone()]);
        let answer = all[0].answer(&[-3.0, -1.0, -2.0]);
        assert_eq!((answer.chosen, answer.is_right), (1, true));
    }

    #[test]
    fn malformed_files_are_refused() {
        let good = file(&[task("why", &["a", "b"], 0)]);
        let with = |at: usize, n: u32| {
            let mut bad = good.clone();
            bad[at..at + 4].copy_from_slice(&n.to_le_bytes());
            bad
        };
        for (bad, want) in [
            (Vec::new(), "number of tasks"),
            (with(0, 0), "no tasks"),
            (with(0, u32::MAX), "places of the tasks"),
            (with(8, u32::MAX), "a question at byte 12"),
            (with(15, 101), "101 answers"),
            (with(15, 3), "an answer"),
            (good[..good.len() - 1].to_vec(), "number of answers"),
            (file(&[task("", &["a"], 0)]), "empty"),
            (file(&[task("why", &[], 0)]), "empty"),
        ] {
            let error = MultipleChoice::choose(&bad, None, &bytes).expect_err("malformed").to_string();
            assert!(error.contains(want), "{error} has no {want}");
        }
    }
}
