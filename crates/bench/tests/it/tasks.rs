//! Tasks: the likelihoods of endings are those of the whole texts, whichever run together.

use bench::Error;
use bench::tasks::{Answer, HellaSwag, Limits, Task, WinoGrande, run};

use super::{assert_close, context, dense, log_probs};

fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

fn answers<T: Task>(tasks: &[T], n_tokens: usize) -> Vec<Answer> {
    let limits = Limits::of(tasks, n_tokens, 2);
    let mut context = context(&dense(), limits.n_ctx(), limits.n_sequences, 16);
    let mut answers = Vec::new();
    let accuracy = run(&mut context, tasks, limits, |answer, _| {
        answers.push(answer.clone());
        Ok::<(), Error>(())
    });
    let accuracy = accuracy.expect("they run");
    assert_eq!(accuracy.n_done, tasks.len());
    assert_eq!(accuracy.n_right, answers.iter().filter(|a| a.is_right).count());
    answers
}

/// The scores of a file, alone and together with others, are these.
fn check<T: Task>(tasks: &[T], wanted: impl Fn(&T) -> Vec<f64>) {
    for n_tokens in [1, 60, 1000] {
        for (i, (answer, task)) in answers(tasks, n_tokens).iter().zip(tasks).enumerate() {
            let wanted = wanted(task);
            assert_eq!(answer.scores.len(), wanted.len());
            for (found, wanted) in answer.scores.iter().zip(&wanted) {
                assert_close(*found, *wanted, &format!("task {i} with {n_tokens} tokens at once"));
            }
            let is_best = |i: &usize| wanted.iter().all(|w| *w <= wanted[*i] + 1e-3);
            assert!(is_best(&answer.chosen), "{answer:?}, {wanted:?}");
        }
    }
}

/// The mean log-probability of each ending behind the prefix.
fn means(task: &impl Task) -> Vec<f64> {
    let prompt = task.prompt();
    let mean = |ending: &Vec<u32>| {
        let text = [&prompt.prefix[..], ending].concat();
        let own = &log_probs(&dense(), &text)[prompt.prefix.len() - 1..];
        own.iter().sum::<f64>() / own.len() as f64
    };
    prompt.endings.iter().map(mean).collect()
}

#[test]
fn hellaswag_scores_whole_endings() {
    let file = "the cat\n2\nsat\nran away\nis a cat\nzz\nit rains\n0\nin may\non\nxyz\nso much\n";
    let tasks = HellaSwag::choose(file, None, &bytes).expect("well-formed");
    check(&tasks, means);
}

#[test]
fn winogrande_scores_what_follows_the_word() {
    let file = "1,The _ is far too heavy for us.,cup,hat,1\n2,A _ was there and waited long.,man,dog,2\n";
    let tasks = WinoGrande::choose(file, None, &bytes).expect("well-formed");
    check(&tasks, |task| {
        let prompt = task.prompt();
        let of_ending = |ending: &Vec<u32>| {
            let text = [&prompt.prefix[..], ending].concat();
            let own = &log_probs(&dense(), &text)[prompt.prefix.len() - 1..];
            // Both words have three letters; neither they nor the full stop count.
            let counted = &own[3..own.len() - 1];
            counted.iter().sum::<f64>() / counted.len() as f64
        };
        prompt.endings.iter().map(of_ending).collect()
    });
}

#[test]
fn tasks_that_are_too_large_are_named() {
    let tasks = HellaSwag::choose("ab\n0\nc\nd\ne\nf\n", Some(1), &bytes).expect("well-formed");
    let limits = Limits { n_tokens: 3, ..Limits::of(&tasks, 10, 1) };
    let mut context = context(&dense(), 512, 8, 16);
    let error = run(&mut context, &tasks, limits, |_, _| Ok::<(), Error>(())).expect_err("it has no room");
    assert!(matches!(error, Error::TaskTooLarge { task: 1, room: 3, .. }), "{error}");
}
