//! HellaSwag: which of four endings makes sense? (Zellers et al., 2019.) The score is acc_norm: the likeliest ending a
//! token wins.

use super::{Prompt, Task, Tokenize, select};
use crate::{Error, Result};

const LINES: usize = 6;

/// A task of a text file: its context, the number of the right ending, and four endings, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HellaSwag {
    prompt: Prompt,
    right: usize,
}

impl HellaSwag {
    /// Chooses `n` of the tasks of a file, or all, and turns them into tokens.
    ///
    /// # Errors
    /// If the file is malformed or a task cannot be scored.
    pub fn choose(file: &str, n: Option<usize>, tokenize: &Tokenize<'_>) -> Result<Vec<Self>> {
        let lines: Vec<&str> = file.strip_suffix('\n').unwrap_or(file).split('\n').collect();
        if !lines.len().is_multiple_of(LINES) {
            let problem = format!("it has {} lines; each task has {LINES}", lines.len());
            return Err(Error::BadTasks(problem));
        }
        let tasks: Vec<&[&str]> = lines.chunks_exact(LINES).collect();
        let chosen = select::uniform(n.unwrap_or(tasks.len()), tasks.len());
        chosen.into_iter().map(|i| Self::new(i, tasks[i], tokenize)).collect()
    }

    fn new(index: usize, lines: &[&str], tokenize: &Tokenize<'_>) -> Result<Self> {
        let (context, right, endings) = (lines[0], lines[1], &lines[2..]);
        let right = right.trim().parse().ok().filter(|n| *n < endings.len()).ok_or_else(|| {
            let line = index * LINES + 2;
            Error::BadTasks(format!("line {line} should be the number of an ending, 0 to 3, not {right:?}"))
        })?;
        let texts = endings.iter().map(|ending| tokenize(&format!("{context} {ending}"))).collect();
        Ok(Self { prompt: Prompt::new(index + 1, texts)?, right })
    }
}

impl Task for HellaSwag {
    fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    fn is_right(&self, ending: usize) -> bool {
        ending == self.right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u32> {
        text.bytes().map(u32::from).collect()
    }

    #[test]
    fn likeliest_ending_a_token_wins() {
        let file = "ab\n2\nc\ndd\nef\ng\n";
        let tasks = HellaSwag::choose(file, Some(400), &bytes).expect("well-formed");
        let prompt = tasks[0].prompt();
        assert_eq!((prompt.prefix.as_slice(), prompt.endings.len()), (&b"ab ".map(u32::from)[..], 4));
        assert_eq!(tasks[0].queries().len(), 6);
        let answer = tasks[0].answer(&[-4.0, -9.0, -1.0, -3.0, -4.0, -5.0]);
        assert_eq!((answer.scores.as_slice(), answer.chosen), (&[-4.0, -5.0, -3.5, -5.0][..], 2));
        assert!(answer.is_right);
    }

    #[test]
    fn malformed_files_are_refused() {
        for (file, want) in [
            ("a\n1\nb\n", "3 lines"),
            ("", "1 lines"),
            ("a\n4\nb\nc\nd\ne\n", "line 2"),
            ("a\nx\nb\nc\nd\ne\n", "line 2"),
        ] {
            let error = HellaSwag::choose(file, Some(400), &bytes).expect_err("malformed").to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
