//! Samplers and chains from outside.
#![expect(clippy::unwrap_used, reason = "a test that meets malformed data should stop")]

use sampling::Sampler;

mod chain;
mod constraint;
mod draws;
mod golden;
mod vocab;

fn boxed<S: Sampler + 'static>(sampler: Option<S>) -> Option<Box<dyn Sampler>> {
    sampler.map(|sampler| Box::new(sampler) as _)
}
