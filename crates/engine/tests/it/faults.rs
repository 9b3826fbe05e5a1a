//! Faults below the engine: one request's stays its own, and none leaves anybody waiting for ever.

use std::sync::Arc;

use backend::{
    Buffer, Bytes, Device, DeviceInfo, Error as DeviceError, Executor, Memory, MemoryLayout, Part, Result,
    Step,
};
use engine::{Engine, Error, Event, Finish};
use tensor::{Node, Output, Weight};

use crate::common::{ask, config, device, drawn, greedy, model, prompt};

/// Tokens that make the device misbehave. No prompt of these tests has them by chance, and no answer may.
const NAN: u32 = 120;
const FAIL: u32 = 121;
const PANIC: u32 = 122;

/// A device that computes rightly but for some tokens.
#[derive(Debug)]
struct Faulty(Arc<dyn Device>);

#[derive(Debug)]
struct FaultyExecutor {
    inner: Box<dyn Executor>,
    output: Vec<u8>,
}

impl Device for Faulty {
    fn info(&self) -> DeviceInfo {
        self.0.info()
    }

    fn supports(&self, node: &Node, inputs: &[&Node]) -> bool {
        self.0.supports(node, inputs)
    }

    fn load(&self, weight: &Weight, data: Bytes) -> Result<Arc<dyn Buffer>> {
        self.0.load(weight, data)
    }

    fn memory(&self, layouts: &[MemoryLayout]) -> Result<Arc<dyn Memory>> {
        self.0.memory(layouts)
    }

    fn compile(&self, part: Part<'_>) -> Result<Box<dyn Executor>> {
        Ok(Box::new(FaultyExecutor { inner: self.0.compile(part)?, output: Vec::new() }))
    }
}

impl Executor for FaultyExecutor {
    fn import(&mut self, index: u32, rows: &[u8]) {
        self.inner.import(index, rows);
    }

    fn run(&mut self, step: &Step<'_>) -> Result<()> {
        let has = |token: u32| step.tokens.contains(&(token as i32));
        assert!(!has(PANIC), "the device is on fire");
        if has(FAIL) {
            return Err(DeviceError::Failed { device: "faulty".into(), what: "a cable is loose".into() });
        }
        self.inner.run(step)?;
        self.output.clear();
        self.output.extend_from_slice(self.inner.output(Output::Logits));
        let width = self.output.len() / step.outputs.len().max(1);
        for (row, logits) in step.outputs.iter().zip(self.output.chunks_exact_mut(width.max(1))) {
            if step.tokens[*row as usize] == NAN as i32 {
                logits[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
            }
        }
        Ok(())
    }

    fn output(&self, _output: Output) -> &[u8] {
        &self.output
    }
}

fn engine() -> Engine {
    Engine::start(model(Arc::new(Faulty(device()))), config()).expect("the engine starts")
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
