//! Runs tasks on a model, several at a time; the common beginning of a task's endings is computed once and shared.

use engine::{Context, Entry, Mode, SeqId, Wanted};

use super::{Accuracy, Answer, Place, Prompt, Query, Task};
use crate::logits::{Row, parallel};
use crate::{Error, Result};

/// Memory is given out in blocks of at most this many tokens: what a sequence may waste at its end.
const SLACK: usize = 64;

/// How many tasks run at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens of all their texts, common beginnings counted once.
    pub n_tokens: usize,
    pub n_sequences: usize,
    /// To judge logits with.
    pub n_threads: usize,
}

impl Limits {
    /// Room for each task alone, and for several if their texts have at most `n_tokens` tokens together.
    pub fn of<T: Task>(tasks: &[T], n_tokens: usize, n_threads: usize) -> Self {
        const SEQUENCES: usize = 32;
        let most = |size: fn(&Prompt) -> usize| tasks.iter().map(|t| size(t.prompt())).max().unwrap_or(0);
        Self {
            n_tokens: most(Prompt::n_tokens).max(n_tokens),
            n_sequences: most(|p| p.endings.len()).max(SEQUENCES),
            n_threads,
        }
    }

    /// Tokens that a context must have room for.
    pub fn n_ctx(&self) -> usize {
        self.n_tokens + self.n_sequences * SLACK
    }
}

/// Runs all tasks; `done` hears of each answer, with the score so far.
///
/// # Errors
/// If a task does not fit the limits, or the model fails, or `done` does.
pub fn run<T: Task, E: From<Error>>(
    context: &mut Context,
    tasks: &[T],
    limits: Limits,
    mut done: impl FnMut(&Answer, Accuracy) -> Result<(), E>,
) -> Result<Accuracy, E> {
    let mut accuracy = Accuracy::default();
    let mut next = 0;
    while next < tasks.len() {
        let n = fitting(&tasks[next..], limits);
        if n == 0 {
            let prompt = tasks[next].prompt();
            return Err(E::from(Error::TaskTooLarge {
                task: next + 1,
                needed: prompt.n_tokens(),
                sequences: prompt.endings.len(),
                room: limits.n_tokens,
                max_sequences: limits.n_sequences,
            }));
        }
        let group = &tasks[next..next + n];
        for (task, log_probs) in group.iter().zip(log_probs(context, group, limits.n_threads)?) {
            let answer = task.answer(&log_probs);
            accuracy.n_done += 1;
            accuracy.n_right += usize::from(answer.is_right);
            done(&answer, accuracy)?;
        }
        next += n;
    }
    Ok(accuracy)
}

/// How many of the first tasks fit together.
fn fitting<T: Task>(tasks: &[T], limits: Limits) -> usize {
    let (mut n_tokens, mut n_sequences) = (0, 0);
    let fits = |task: &&T| {
        n_tokens += task.prompt().n_tokens();
        n_sequences += task.prompt().endings.len();
        n_tokens <= limits.n_tokens && n_sequences <= limits.n_sequences
    };
    tasks.iter().take_while(fits).count()
}

/// The log-probabilities of each task's queries.
fn log_probs<T: Task>(context: &mut Context, tasks: &[T], n_threads: usize) -> Result<Vec<Vec<f64>>> {
    let mut sequences = Sequences { alive: Vec::new() };
    let result = sequences.log_probs(context, tasks, n_threads);
    sequences.alive.into_iter().for_each(|seq| context.remove(seq));
    result
}

/// The sequences of a group of tasks, to be removed in the end whatever happens.
struct Sequences {
    alive: Vec<SeqId>,
}

impl Sequences {
    fn log_probs<T: Task>(
        &mut self,
        context: &mut Context,
        tasks: &[T],
        n_threads: usize,
    ) -> Result<Vec<Vec<f64>>> {
        let queries: Vec<Vec<Query>> = tasks.iter().map(Task::queries).collect();
        let mut log_probs: Vec<Vec<f64>> = queries.iter().map(|q| vec![f64::NAN; q.len()]).collect();
        let mut answer = |row_of: &dyn Fn(usize, Place) -> Option<usize>, logits: &[f32], n_vocab: usize| {
            let mut asked = Vec::new();
            for (task, queries) in queries.iter().enumerate() {
                let here = queries.iter().enumerate();
                asked.extend(here.filter_map(|(i, q)| Some((task, i, row_of(task, q.place)?, q.target))));
            }
            let found = parallel(n_threads, asked.len(), |i| {
                let (_, _, row, target) = asked[i];
                Row::new(&logits[row * n_vocab..][..n_vocab]).log_prob(target)
            });
            asked.iter().zip(found).for_each(|(&(task, i, ..), found)| log_probs[task][i] = found);
        };

        let prompts: Vec<&Prompt> = tasks.iter().map(Task::prompt).collect();
        let mut first = Vec::new();
        for _ in &prompts {
            first.push(self.keep(context.sequence()?));
        }
        let entries: Vec<_> = prompts
            .iter()
            .zip(&first)
            .map(|(prompt, &seq)| Entry { seq, tokens: &prompt.prefix, wanted: Wanted::Last })
            .collect();
        let rows = context.decode(Mode::Logits, &entries)?;
        let behind_prefix = |task: usize, place: Place| (place == Place::Prefix).then_some(task);
        answer(&behind_prefix, rows.data(), rows.width());

        let mut entries = Vec::new();
        let mut first_rows: Vec<Vec<usize>> = Vec::new();
        let mut n_rows = 0;
        for (prompt, &seq) in prompts.iter().zip(&first) {
            let mut rows = Vec::new();
            for (i, tokens) in prompt.endings.iter().enumerate() {
                // The last ending goes on in the sequence of the prefix, once all others have been forked off.
                let is_last = i + 1 == prompt.endings.len();
                let seq = if is_last { seq } else { self.keep(context.fork(seq)?) };
                entries.push(Entry { seq, tokens, wanted: Wanted::All });
                rows.push(n_rows);
                n_rows += tokens.len();
            }
            first_rows.push(rows);
        }
        let rows = context.decode(Mode::Logits, &entries)?;
        let in_ending = |task: usize, place: Place| match place {
            Place::Prefix => None,
            Place::Ending { ending, token } => Some(first_rows[task][ending] + token),
        };
        answer(&in_ending, rows.data(), rows.width());
        Ok(log_probs)
    }

    fn keep(&mut self, seq: SeqId) -> SeqId {
        self.alive.push(seq);
        seq
    }
}
