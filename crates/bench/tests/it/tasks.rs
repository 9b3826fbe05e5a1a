//! Shared beginnings give the log-probabilities of whole texts, and tasks run together those of tasks run alone.

use bench::tasks::{self, Answer, HellaSwag, Limits, Task};
use engine::{Context, Entry, Mode, Wanted};

use crate::context;

fn tokenize(text: &str) -> Vec<u32> {
    text.bytes().map(|b| u32::from(b) % 128).collect()
}

fn file() -> String {
    let task = |i: usize| {
        let context = "a long way to the sea and back ".repeat(1 + i % 3);
        format!("{i} {context}\n{}\nhome\nby ship\nin a carriage\n{i}\n", i % 4)
    };
    (0..5).map(task).collect()
}

fn answers(limits: impl Fn(&[HellaSwag]) -> Limits) -> Vec<Answer> {
    let tasks = HellaSwag::choose(&file(), 5, &tokenize).expect("well-formed");
    let mut all = Vec::new();
    let accuracy = tasks::run::<_, bench::Error>(
        &mut context("llama-dense", 64),
        &tasks,
        limits(&tasks),
        |answer, _| {
            all.push(answer.clone());
            Ok(())
        },
    );
    assert_eq!(accuracy.expect("the tasks fit").n_done, 5);
    all
}

/// The mean log-probability of a text's tokens from `start` on, computed without any sharing.
fn direct(context: &mut Context, tokens: &[u32], start: usize) -> f64 {
    let seq = context.sequence().expect("room");
    let entry = Entry { seq, tokens, wanted: Wanted::All };
    let rows = context.decode(Mode::Logits, &[entry]).expect("a short text");
    let log_prob = |(row, target): (&[f32], &u32)| {
        let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
        f64::from(row[*target as usize]) - sum.ln()
    };
    let sum: f64 = rows.rows().zip(&tokens[1..]).skip(start - 1).map(log_prob).sum();
    context.remove(seq);
    sum / (tokens.len() - start) as f64
}

#[test]
fn sharing_and_batching_do_not_matter() {
    let alone = answers(|tasks| Limits { n_sequences: 4, ..Limits::of(tasks, 0, 1) });
    let together = answers(|tasks| Limits { n_sequences: 8, ..Limits::of(tasks, 256, 2) });
    let tasks = HellaSwag::choose(&file(), 5, &tokenize).expect("well-formed");
    let mut context = context("llama-dense", 64);
    for ((task, alone), together) in tasks.iter().zip(&alone).zip(&together) {
        for (i, ending) in task.prompt().endings.iter().enumerate() {
            let whole = [&task.prompt().prefix[..], ending].concat();
            let want = direct(&mut context, &whole, task.prompt().prefix.len());
            for got in [alone.scores[i], together.scores[i]] {
                assert!((got - want).abs() < 2e-3, "{got} {want}");
            }
        }
    }
}

#[test]
fn a_task_that_does_not_fit_is_named() {
    let tasks = HellaSwag::choose(&file(), 5, &tokenize).expect("well-formed");
    let limits = Limits { n_tokens: 10, ..Limits::of(&tasks, 0, 1) };
    let error = tasks::run::<_, bench::Error>(&mut context("llama-dense", 64), &tasks, limits, |_, _| Ok(()));
    assert!(error.expect_err("too small").to_string().contains("task 1 needs"));
}
