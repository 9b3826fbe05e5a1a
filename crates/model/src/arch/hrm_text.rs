//! `hrm_text`: HRM-Text, a hierarchical reasoning model: two stacks of layers, low and high, that take turns to refine
//! what they hold. Each turn has a memory of its own.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("hrm_text", |file, hp| {
    let count = |key: &str| Error::check_size(&file.full_key(key), file.require(key)?, MAX_CYCLES);
    let n_layer = count("hrm.layers_per_stack")?;
    let (n_high, n_low) = (count("hrm.h_cycles")?, count("hrm.l_cycles")?);
    let norm = NormSpec::rms(file, hp)?;
    let stack = |first: usize| -> Result<Stack> {
        let layers = (first..first + n_layer).map(|i| layer(&file.layer(i), hp, norm)).collect::<Result<_>>()?;
        Ok(Stack { layers, norm: Norm::bare(norm) })
    };
    let turns = |_| -> Result<Turns> {
        Ok(Turns { low: (0..n_low).map(|_| stack(0)).collect::<Result<_>>()?, high: stack(n_layer)? })
    };
    Ok(Box::new(Hrm {
        embedding: Embedding::load(file, hp)?.scaled(super::granite::scale(file, "embedding_scale")?),
        low_start: file.vector("hrm.z_l_init", [hp.n_embd])?,
        cycles: (0..n_high).map(turns).collect::<Result<_>>()?,
        head: Head::without_norm(file, hp)?,
    }))
});

/// Of each kind.
const MAX_CYCLES: usize = 64;

#[derive(Debug)]
struct Hrm {
    embedding: Embedding,
    low_start: Weight,
    cycles: Vec<Turns>,
    head: Head,
}

/// The low stack several times, then the high one.
#[derive(Debug)]
struct Turns {
    low: Vec<Stack>,
    high: Stack,
}

#[derive(Debug)]
struct Stack {
    layers: Vec<Layer>,
    norm: Norm,
}

impl Architecture for Hrm {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut high = self.embedding.forward(step);
        let mut low = None;
        for turns in &self.cycles {
            for stack in &turns.low {
                let sum = low.map_or_else(|| high + self.low_start, |low| high + low);
                low = Some(stack.forward(step, sum));
            }
            high = turns.high.forward(step, low.map_or(high, |low| high + low));
        }
        self.head.forward(step, high)
    }
}

impl Stack {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.norm.forward(self.layers.iter().fold(x, |x, layer| step.layer_output(layer.forward(step, x))))
    }
}

fn layer(at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Layer> {
    let spec = AttentionSpec { gate: Some(Unary::Sigmoid), ..AttentionSpec::neox(at, hp)? };
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::BARE, norm), Attention::load(at, spec)?, ffn)
}
