//! Faults below the engine: one request's stays its own, and none leaves anybody waiting for ever.

use std::sync::Arc;

use backend::{Error as DeviceError, Result, Step};
use engine::{Engine, Error, Event, Finish};

use crate::common::{ask, config, drawn, greedy, model, prompt};
use crate::visited::{Visitor, visited};

/// Tokens that make the device misbehave. No prompt of these tests has them by chance, and no answer may.
const NAN: u32 = 120;
const FAIL: u32 = 121;
const PANIC: u32 = 122;

/// Faults of a device by the tokens of a step.
#[derive(Debug)]
struct Faults;

impl Visitor for Faults {
    fn before(&self, step: &Step<'_>) -> Result<()> {
        let has = |token: u32| step.tokens.contains(&(token as i32));
        assert!(!has(PANIC), "the device is on fire");
        if has(FAIL) {
            return Err(DeviceError::Failed { device: "faulty".into(), what: "a cable is loose".into() });
        }
        Ok(())
    }

    fn after(&self, step: &Step<'_>, logits: &mut [f32]) {
        let width = logits.len() / step.outputs.len().max(1);
        for (row, logits) in step.outputs.iter().zip(logits.chunks_exact_mut(width.max(1))) {
            if step.tokens[*row as usize] == NAN as i32 {
                logits[1] = f32::NAN;
            }
        }
    }
}

fn engine() -> Engine {
    Engine::start(model(visited(Arc::new(Faults))), config()).expect("the engine starts")
}

/// A prompt without the tokens above, and with one of them at its end if wanted.
fn safe(seed: u32, n: usize, last: Option<u32>) -> Vec<u32> {
    prompt(seed, n).into_iter().map(|t| t % 100 + 3).chain(last).collect()
}

/// An answer that avoids the tokens above.
fn request(seed: u32, n: usize, last: Option<u32>) -> engine::Request {
    let mut request = drawn(safe(seed, 20, last), n, seed);
    request.sampling.logit_bias = [NAN, FAIL, PANIC].map(|t| (t, f32::NEG_INFINITY)).to_vec();
    request
}

#[test]
fn a_request_whose_logits_are_nan_fails_alone() {
    let engine = engine();
    let alone = ask(&engine, request(1, 30, None)).tokens;
    let others: Vec<_> = (0..2).map(|_| engine.submit(request(1, 30, None)).expect("valid")).collect();
    let broken = engine.submit(request(2, 30, Some(NAN))).expect("valid").complete();
    let error = broken.expect_err("NaN").to_string();
    assert!(error.contains("token 1 is NaN"), "{error}");
    for other in others {
        assert_eq!(other.complete().expect("an answer").tokens, alone);
    }
    // What it left behind is not used: the same prompt but for the last token begins anew.
    assert_eq!(ask(&engine, request(2, 1, None)).stats.n_reused, 0);
}

#[test]
fn a_failed_step_fails_its_requests_and_the_engine_goes_on() {
    let engine = engine();
    let alone = ask(&engine, request(1, 30, None)).tokens;
    let error = engine.submit(request(2, 3, Some(FAIL))).expect("valid").complete().expect_err("fails");
    assert!(matches!(&error, Error::StepFailed { cause } if cause.contains("a cable is loose")), "{error}");
    assert_eq!(ask(&engine, request(1, 30, None)).tokens, alone);
}

#[test]
fn a_panic_in_the_engine_is_an_error_for_everyone() {
    let engine = engine();
    let mut answers: Vec<_> = (0..6).map(|i| engine.submit(request(i, 100, None)).expect("valid")).collect();
    answers[0].next().expect("a piece");
    answers.push(engine.submit(request(2, 3, Some(PANIC))).expect("valid"));
    for answer in answers {
        let last = answer.last().expect("a last event");
        let Event::Done(done) = last else { panic!("{last:?}") };
        match done.finish {
            Finish::Length => {}
            Finish::Failed(error) => assert!(error.to_string().contains("the device is on fire"), "{error}"),
            other => panic!("{other:?}"),
        }
    }
    let refused = engine.submit(greedy(safe(1, 5, None), 1)).expect_err("it is gone").to_string();
    assert!(refused.contains("the device is on fire"), "{refused}");
    assert!(engine.shutdown().is_err());
}
