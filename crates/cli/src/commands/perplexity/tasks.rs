//! Scores of tasks, a line each and a result.

use anyhow::{Context as _, Result};
use bench::tasks::{self, Accuracy, Answer, HellaSwag, Limits, MultipleChoice, Task, WinoGrande};

use super::Subject;
use crate::output;

pub(super) fn run(subject: &Subject<'_>) -> Result<()> {
    let args = subject.args;
    let tokenize = |text: &str| subject.tokens(text);
    let all_or = |n: usize| (n > 0).then_some(n);
    let of = || args.file.as_deref().map(|f| f.display().to_string()).unwrap_or_default();
    if args.hellaswag {
        let n = all_or(args.hellaswag_tasks);
        let tasks = HellaSwag::choose(&subject.text()?, n, &tokenize).with_context(of)?;
        hellaswag(subject, &tasks)
    } else if args.winogrande {
        let n = all_or(args.winogrande_tasks);
        let tasks = WinoGrande::choose(&subject.text()?, n, &tokenize).with_context(of)?;
        winogrande(subject, &tasks)
    } else {
        let n = all_or(args.multiple_choice_tasks);
        let tasks = MultipleChoice::choose(&subject.bytes()?.1, n, &tokenize).with_context(of)?;
        multiple_choice(subject, &tasks)
    }
}

fn score<T: Task>(
    subject: &Subject<'_>,
    tasks: &[T],
    done: impl FnMut(&Answer, Accuracy) -> Result<()>,
) -> Result<Accuracy> {
    output::note(&format!("{} tasks", tasks.len()));
    let limits = Limits::of(tasks, subject.args.ubatch_size, subject.n_threads);
    let mut context = subject.context(limits.n_ctx(), limits.n_sequences)?;
    tasks::run(&mut context, tasks, limits, done)
}

fn hellaswag(subject: &Subject<'_>, tasks: &[HellaSwag]) -> Result<()> {
    output::emit("task\tacc_norm\t95% confidence interval\n")?;
    score(subject, tasks, |_, accuracy| {
        let (low, high) = accuracy.interval();
        let share = 100.0 * accuracy.share();
        output::emit(&format!(
            "{}\t{share:.8}%\t[{:.4}%, {:.4}%]\n",
            accuracy.n_done,
            100.0 * low,
            100.0 * high
        ))
    })?;
    Ok(())
}

fn winogrande(subject: &Subject<'_>, tasks: &[WinoGrande]) -> Result<()> {
    let accuracy = score(subject, tasks, |answer, accuracy| {
        let [first, second] = answer.scores[..] else { unreachable!("there are two words") };
        let chosen = answer.chosen + 1;
        let right = if answer.is_right { chosen } else { 3 - chosen };
        let share = 100.0 * accuracy.share();
        output::emit(&format!(
            "{}\t{share:.4}\t{first:10.6}  {second:10.6}  {chosen}  {right}\n",
            accuracy.n_done
        ))
    })?;
    output::emit(&format!(
        "\nFinal Winogrande score({} tasks): {:.4} +/- {:.4}\n",
        accuracy.n_done,
        100.0 * accuracy.share(),
        100.0 * accuracy.error()
    ))
}

fn multiple_choice(subject: &Subject<'_>, tasks: &[MultipleChoice]) -> Result<()> {
    output::emit("task\tacc_norm\n")?;
    let accuracy = score(subject, tasks, |_, accuracy| {
        output::emit(&format!("{}\t{:.8}\n", accuracy.n_done, 100.0 * accuracy.share()))
    })?;
    let n_answers: usize = tasks.iter().map(MultipleChoice::n_answers).sum();
    let chance = Accuracy { n_right: accuracy.n_done, n_done: n_answers };
    let n = (accuracy.n_done as f64 - 1.0).max(1.0);
    let p = chance.share();
    output::emit(&format!(
        "\nFinal result: {:.4} +/- {:.4}\nRandom chance: {:.4} +/- {:.4}\n",
        100.0 * accuracy.share(),
        100.0 * accuracy.error(),
        100.0 * p,
        100.0 * (p * (1.0 - p) / n).sqrt()
    ))
}
