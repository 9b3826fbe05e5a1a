//! Masks of constraints are made while the device computes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::Step;
use engine::sampling::Constraint;
use engine::{Engine, EngineConfig, Request};
use grammar::{Error, Result, TokenSet};

use crate::common::{N_VOCAB, ask, config, drawn, engine, model, prompt};
use crate::visited::{Visitor, visited};

/// Only even tokens. A thread that asks for a mask is told of.
#[derive(Clone, Debug)]
struct Even {
    tokens: TokenSet,
    asked: Sender<Option<String>>,
}

/// Waits in each step with logits until somebody has asked for a mask.
#[derive(Debug)]
struct Patient(Mutex<Receiver<Option<String>>>);

impl Even {
    fn new(asked: Sender<Option<String>>) -> Box<Self> {
        let mut tokens = TokenSet::empty(N_VOCAB);
        (0..N_VOCAB as u32).step_by(2).for_each(|token| tokens.insert(token));
        Box::new(Self { tokens, asked })
    }
}

impl Constraint for Even {
    fn mask(&mut self) -> Result<Option<&TokenSet>> {
        // The reader may be gone.
        let _ = self.asked.send(std::thread::current().name().map(str::to_owned));
        Ok(Some(&self.tokens))
    }

    fn allows(&mut self, token: u32) -> Result<bool> {
        Ok(self.tokens.contains(token))
    }

    fn accept(&mut self, token: u32) -> Result<()> {
        self.allows(token)?.then_some(()).ok_or(Error::DeadEnd)
    }

    fn accept_bytes(&mut self, _bytes: &[u8]) -> Result<()> {
        Err(Error::DeadEnd)
    }

    fn is_complete(&self) -> bool {
        false
    }

    fn rollback(&mut self, _n_tokens: usize) -> Result<()> {
        Ok(())
    }

    fn reset(&mut self) -> Result<()> {
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

impl Visitor for Patient {
    fn before(&self, step: &Step<'_>) -> backend::Result<()> {
        let asked = self.0.lock().expect("no panic");
        // The sampler asks again where its free choice is refused: it is not what is waited for.
        while !step.outputs.is_empty() {
            let thread = asked.recv_timeout(Duration::from_secs(60)).expect("a mask beside the step");
            if thread.as_deref() == Some("masks") {
                break;
            }
        }
        Ok(())
    }
}

fn constrained(seed: u32, asked: &Sender<Option<String>>) -> Request {
    Request { constraint: Some(Even::new(asked.clone())), ..drawn(prompt(seed, 50), 20, seed) }
}

#[test]
fn a_mask_is_made_while_the_device_computes() {
    let (asked, hears) = channel();
    let patient = Arc::new(Patient(Mutex::new(hears)));
    let patient = Engine::start(model(visited(patient)), config()).expect("the engine starts");
    let tokens = ask(&patient, constrained(1, &asked)).tokens;
    assert!(tokens.len() == 20 && tokens.iter().all(|token| token % 2 == 0), "{tokens:?}");
    assert_eq!(tokens, ask(&engine(config()), constrained(1, &asked)).tokens);
}

#[test]
fn requests_keep_their_own_constraints() {
    let (asked, _) = channel();
    let engine = engine(EngineConfig { n_parallel: 4, ..config() });
    let request =
        |seed| if seed % 2 == 0 { constrained(seed, &asked) } else { drawn(prompt(seed, 50), 20, seed) };
    let alone: Vec<_> = (0..6).map(|seed| ask(&engine, request(seed)).tokens).collect();
    let answers: Vec<_> = (0..6).map(|seed| engine.submit(request(seed)).expect("valid")).collect();
    for (seed, (answer, alone)) in answers.into_iter().zip(alone).enumerate() {
        let tokens = answer.complete().expect("an answer").tokens;
        assert_eq!(tokens, alone);
        assert_eq!(tokens.iter().all(|token| token % 2 == 0), seed % 2 == 0, "{tokens:?}");
    }
}

/// A fault within a constraint.
#[derive(Clone, Debug)]
struct Bomb(Box<Even>);

impl Constraint for Bomb {
    fn mask(&mut self) -> Result<Option<&TokenSet>> {
        panic!("boom")
    }

    fn allows(&mut self, token: u32) -> Result<bool> {
        self.0.allows(token)
    }

    fn accept(&mut self, token: u32) -> Result<()> {
        self.0.accept(token)
    }

    fn accept_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.accept_bytes(bytes)
    }

    fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<()> {
        self.0.rollback(n_tokens)
    }

    fn reset(&mut self) -> Result<()> {
        self.0.reset()
    }

    fn boxed_clone(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

#[test]
fn a_constraint_that_panics_leaves_nobody_waiting() {
    let (asked, _) = channel();
    let engine = engine(config());
    let request =
        Request { constraint: Some(Box::new(Bomb(Even::new(asked)))), ..drawn(prompt(1, 50), 20, 1) };
    let error = engine.submit(request).expect("valid").complete().expect_err("it panics").to_string();
    // Said by the thread of masks or by the engine's own, whichever asks first.
    assert!(error.contains("a constraint has panicked") || error.contains("boom"), "{error}");
}
