//! What an engine answers, alone and with others; how answers end.

use std::time::{Duration, Instant};

use engine::{
    Completion, Context, Engine, EngineConfig, Entry, Error, Event, Finish, LoadConfig, Mode, Prompt,
    Request, Wanted,
};

use crate::common::{
    END, N_VOCAB, ask, config, device, drawn, engine, greedy, model, model_of, prompt, text_of,
};

/// The definition: one token after the other, the best each time.
fn by_hand(prompt: &[u32], n: usize) -> Vec<u32> {
    let mut context = Context::new(model(device()), config().context).expect("a context");
    let seq = context.sequence().expect("a sequence");
    let mut tokens = prompt.to_vec();
    let mut n_done = 0;
    for _ in 0..n {
        let entry = Entry { seq, tokens: &tokens[n_done..], wanted: Wanted::Last };
        let outputs = context.decode(Mode::Logits, &[entry]).expect("a step");
        let logits = outputs.data().iter().enumerate().filter(|(token, _)| *token != END as usize);
        let best = logits.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).expect("logits").0;
        n_done = tokens.len();
        tokens.push(best as u32);
    }
    tokens.split_off(prompt.len())
}

#[test]
fn answers_are_what_the_model_says() {
    let engine = engine(config());
    let answer = ask(&engine, greedy(prompt(1, 50), 20));
    assert_eq!(answer.tokens, by_hand(&prompt(1, 50), 20));
    assert_eq!(answer.text, answer.tokens.iter().map(|t| text_of(*t)).collect::<String>());
    assert!(matches!(answer.finish, Finish::Length));
    assert_eq!((answer.stats.n_prompt, answer.stats.n_reused, answer.stats.n_generated), (50, 0, 20));
    engine.shutdown().expect("no fault");
}

#[test]
fn text_is_tokenized() {
    let engine = engine(config());
    let from_text = ask(&engine, Request { prompt: "abz".into(), ..greedy(vec![], 5) });
    let tokens =
        engine.tokenizer().encode("abz", tokenizer::Encode { add_special: true, parse_special: false });
    assert_eq!(tokens[0], 1);
    assert_eq!(from_text.stats.n_prompt, tokens.len());
    assert_eq!(from_text.tokens, ask(&engine, greedy(tokens, 5)).tokens);
    let rendered = ask(&engine, Request { prompt: Prompt::rendered("a</s>"), ..greedy(vec![], 5) });
    assert_eq!(rendered.stats.n_prompt, 3);
}

/// Requests of different lengths that end at different times, so that batches are of many kinds.
fn requests() -> Vec<Request> {
    let kinds = [(1, 5, 40), (2, 90, 25), (3, 33, 30), (4, 64, 12), (5, 1, 50), (6, 47, 18)];
    kinds.iter().map(|&(seed, n_prompt, n)| drawn(prompt(seed, n_prompt), n, seed)).collect()
}

fn alone(requests: &[Request]) -> Vec<Completion> {
    requests
        .iter()
        .map(|request| {
            let request = Request { cache_scope: None, ..request.clone() };
            ask(&engine(config()), request)
        })
        .collect()
}

fn tokens(answers: &[Completion]) -> Vec<&[u32]> {
    answers.iter().map(|answer| answer.tokens.as_slice()).collect()
}

fn together(engine: &Engine, requests: &[Request]) -> Vec<Completion> {
    let answers: Vec<_> =
        requests.iter().map(|r| engine.submit(r.clone()).expect("a valid request")).collect();
    answers.into_iter().map(|answer| answer.complete().expect("an answer")).collect()
}

#[test]
fn the_same_seed_gives_the_same_tokens_whatever_the_batch() {
    let requests = requests();
    let alone = alone(&requests);
    for n_parallel in [2, 4, 6] {
        let engine = engine(EngineConfig { n_parallel, ..config() });
        assert_eq!(tokens(&together(&engine, &requests)), tokens(&alone), "{n_parallel} at once");
    }
}

#[test]
fn a_request_that_lost_its_memory_to_others_gives_the_same_answer() {
    let requests = requests();
    let alone = alone(&requests);
    let mut config = EngineConfig { n_parallel: 6, ..config() };
    // Enough for any of them, not for all.
    config.context.n_ctx = 128;
    let engine = engine(config);
    assert_eq!(tokens(&together(&engine, &requests)), tokens(&alone));
}

#[test]
fn answers_end_for_a_reason() {
    let engine = engine(config());
    let whole = ask(&engine, greedy(prompt(1, 8), 30));
    let finish = |request| ask(&engine, request).finish;

    // A string that begins within one token and ends within a later one.
    let at = (1..20).find(|&i| whole.tokens[i] > 28 && whole.tokens[i + 1] > 28).expect("two pairs in a row");
    let stop = text_of(whole.tokens[at])[1..].to_owned() + &text_of(whole.tokens[at + 1])[..1];
    let stopped = ask(&engine, Request { stop: vec!["@".into(), stop.clone()], ..greedy(prompt(1, 8), 30) });
    let end = whole.text.find(&stop).expect("it is in there");
    assert_eq!(stopped.text, whole.text[..end]);
    assert!(matches!(stopped.finish, Finish::StopString(s) if s == stop));

    // What is held back comes in the end.
    let all_but_one = whole.text[1..].to_owned() + "@";
    let held = ask(&engine, Request { stop: vec![all_but_one], ..greedy(prompt(1, 8), 30) });
    assert_eq!(held.text, whole.text);

    assert!(matches!(finish(greedy(prompt(1, 8), 0)), Finish::Length));
    assert!(matches!(finish(greedy(prompt(1, 8), 1)), Finish::Length));
    let mut ends = greedy(prompt(1, 8), 30);
    ends.sampling.ignore_eos = false;
    ends.sampling.logit_bias = vec![(END, 1e6)];
    let ended = ask(&engine, ends.clone());
    assert_eq!((ended.text.as_str(), ended.tokens.as_slice()), ("", &[END][..]));
    assert!(matches!(ended.finish, Finish::EndOfGeneration));
    assert_eq!(ask(&engine, Request { print_special: true, ..ends }).text, "</s>");
}

#[test]
fn a_full_context_ends_the_answer() {
    let engine = engine(config());
    for n_prompt in [250, 256] {
        let answer = ask(&engine, Request { max_tokens: None, ..greedy(prompt(1, n_prompt), 0) });
        assert!(matches!(answer.finish, Finish::ContextFull));
        // The last token needs no memory.
        assert_eq!(answer.stats.n_generated, 257 - n_prompt);
    }
}

#[test]
fn log_probabilities_are_those_of_the_model() {
    let engine = engine(config());
    let request = Request { logprobs: Some(3), ..greedy(prompt(1, 8), 4) };
    for event in engine.submit(request).expect("a valid request") {
        if let Event::Piece(piece) = event {
            let logprobs = piece.logprobs.expect("asked for");
            assert_eq!(logprobs.top.len(), 3);
            assert_eq!(logprobs.top[0], (piece.token, logprobs.chosen));
            assert!(logprobs.top.is_sorted_by(|a, b| a.1 >= b.1) && logprobs.top[0].1 < 0.0);
        }
    }
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let engine = engine(config());
    let check = |request, want: &str| {
        let error = engine.submit(request).expect_err("cannot be answered").to_string();
        assert!(error.contains(want), "{error}");
    };
    check(greedy(vec![], 1), "no tokens");
    check(greedy(prompt(1, 257), 1), "257 tokens, the context 256");
    check(greedy(vec![5, N_VOCAB as u32], 1), "token 128 at index 1");
    let mut nonsense = greedy(prompt(1, 2), 1);
    nonsense.sampling.temperature = f32::NAN;
    check(nonsense, "temperature");
}

#[test]
fn a_dropped_answer_ends_its_request_and_no_other() {
    let requests = requests();
    let alone = alone(&requests);
    let engine = engine(config());
    let mut answers: Vec<_> =
        requests.iter().map(|r| Some(engine.submit(r.clone()).expect("valid"))).collect();
    // One in the middle of its answer, one that may not have begun, one that waits.
    answers[0].as_mut().and_then(Iterator::next).expect("a piece");
    for i in [0, 1, 5] {
        answers[i] = None;
    }
    for (i, answer) in answers.into_iter().enumerate() {
        if let Some(answer) = answer {
            assert_eq!(answer.complete().expect("an answer").tokens, alone[i].tokens);
        }
    }
    wait_until(|| engine.status().n_running == 0 && engine.status().n_waiting == 0);
}

/// For what another thread does soon.
fn wait_until(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never comes true");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_slow_reader_slows_only_itself() {
    let requests = requests();
    let alone = alone(&requests);
    let engine = engine(EngineConfig { n_unread: 2, ..config() });
    let mut slow = engine.submit(requests[0].clone()).expect("valid");
    let Some(Event::Piece(first)) = slow.next() else { panic!("a piece") };
    assert_eq!(ask(&engine, requests[1].clone()).tokens, alone[1].tokens);
    wait_until(|| engine.status().n_running == 1);
    let rest: Vec<u32> = slow
        .filter_map(|event| match event {
            Event::Piece(piece) => Some(piece.token),
            Event::Done(_) => None,
        })
        .collect();
    assert_eq!([&[first.token], &rest[..]].concat(), alone[0].tokens);
}

#[test]
fn slow_readers_keep_no_places() {
    let requests = requests();
    let alone = alone(&requests);
    let engine = engine(EngineConfig { n_parallel: 2, n_unread: 1, ..config() });
    let slow: Vec<_> = requests[..4].iter().map(|r| engine.submit(r.clone()).expect("valid")).collect();
    for i in [4, 5] {
        assert_eq!(ask(&engine, requests[i].clone()).tokens, alone[i].tokens);
    }
    for (answer, alone) in slow.into_iter().zip(alone) {
        assert_eq!(answer.complete().expect("an answer").tokens, alone.tokens);
    }
}

#[test]
fn too_many_requests_are_refused_not_hoarded() {
    let engine = engine(EngineConfig { n_parallel: 1, n_queue: 2, n_unread: 1, ..config() });
    // Nobody reads, so all soon stand still.
    let answers: Vec<_> = (0..3)
        .map(|n_before| {
            wait_until(|| engine.status().n_running + engine.status().n_waiting == n_before);
            let answer = engine.submit(greedy(prompt(1, 5), 3)).expect("room");
            wait_until(|| engine.status().n_running == 1 && engine.status().n_waiting == n_before);
            answer
        })
        .collect();
    assert!(matches!(engine.submit(greedy(prompt(1, 5), 3)), Err(Error::QueueFull { .. })));
    for answer in answers {
        assert_eq!(answer.complete().expect("an answer").tokens.len(), 3);
    }
}

#[test]
fn too_few_sequences_are_refused() {
    let mut config = config();
    config.context.n_seq_max = 3;
    let error = Engine::start(model(device()), config).expect_err("four at once").to_string();
    assert!(error.contains("4 requests") && error.contains("has 3"), "{error}");
}

#[test]
fn ending_the_engine_ends_its_answers() {
    let engine = engine(EngineConfig { n_parallel: 1, n_unread: 1, ..config() });
    let mut running = engine.submit(greedy(prompt(1, 5), 200)).expect("valid");
    let waiting = engine.submit(greedy(prompt(1, 5), 200)).expect("valid");
    running.next().expect("a piece");
    engine.shutdown().expect("no fault");
    for answer in [running, waiting] {
        let error = answer.complete().expect_err("cut off").to_string();
        assert!(error.contains("shut down"), "{error}");
    }
}

#[test]
fn an_answer_ends_where_the_model_was_loaded_to() {
    // It would choose 8 tokens of more.
    let mut load = LoadConfig::default();
    load.model.n_ctx = Some(8);
    let engine = Engine::start(model_of("deepseek32.chosen", device(), &load), config()).expect("it starts");
    let answer = ask(&engine, greedy(prompt(1, 4), 30));
    assert!(matches!(answer.finish, Finish::ContextFull), "{:?}", answer.finish);
    assert_eq!(answer.tokens.len(), 5);
    let error = engine.submit(greedy(prompt(1, 9), 1)).expect_err("too long");
    assert!(matches!(error, Error::PromptTooLong { n_tokens: 9, n_ctx: 8 }), "{error}");
}
