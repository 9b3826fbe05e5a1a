//! Attention to chosen tokens (DeepSeek-V3.2): an indexer with small keys of its own scores what a token sees, and lets
//! it attend to the `top_k` highest. While there are no more than that, all of them go through, and nothing needs to be
//! scored.

use tensor::Choose;

use super::{
    Compressor, CompressorSpec, Error, Hparams, Linear, MemorySpec, MlaSpec, Norm, NormKind, NormSpec,
    Result, Rope, RopeOrder, Source, Step, Tensor, Timeline, ValueStore,
};
use crate::limits::MAX_CHOSEN;

const TOP_K: &str = "attention.indexer.top_k";

/// What differs between the indexers of models.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexerSpec {
    pub(crate) rotated: Rotated,
    /// Of the norm of keys.
    pub(crate) eps: f32,
}

/// Which elements of an indexer's queries and keys are rotated, by the angles of the layer's own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rotated {
    First(RopeOrder),
    Last(RopeOrder),
}

/// Where a layer's choice comes from.
#[derive(Debug)]
pub(crate) enum Choice {
    Own(Box<Indexer>),
    /// From the last layer before that has an indexer.
    Shared,
}

impl Choice {
    /// By an indexer of the layer. Nothing is chosen where the whole context is short enough to go through.
    pub(crate) fn own(
        at: &Source<'_>,
        hp: &Hparams,
        mla: &MlaSpec,
        spec: IndexerSpec,
    ) -> Result<Option<Self>> {
        let Some(k) = top_k(at, hp, 1)? else { return Ok(None) };
        Ok(Some(Self::Own(Box::new(Indexer::load(at, mla, spec, k)?))))
    }

    /// Among compressed tokens, by an indexer of the layer whose keys are compressed alike (DeepSeek-V4). Its queries are
    /// made from vectors of `n_low`. Nothing is chosen where the whole context is short enough to go through.
    pub(crate) fn of_compressed(
        at: &Source<'_>,
        hp: &Hparams,
        n_low: usize,
        like: CompressorSpec,
    ) -> Result<Option<Self>> {
        const COMPRESSOR: &str = "indexer_compressor";
        let Some(k) = top_k(at, hp, like.ratio)? else {
            Compressor::ignore(at, COMPRESSOR, "nothing is chosen");
            return Ok(None);
        };
        let dims = dims(at)?;
        let spec = CompressorSpec { dim: dims[0], value: ValueStore::None, ..like };
        let keys = Compressor::load(at, COMPRESSOR, spec)?;
        let memory = keys.memory();
        let at = &at.at("indexer");
        Ok(Some(Self::Own(Box::new(Indexer {
            query: Linear::load(at, "attn_q_b", n_low, dims[0].saturating_mul(dims[1]))?,
            keys: Keys::Compressed(keys),
            weigh: Linear::load(at, "proj", like.n_embd, dims[1])?,
            rope: Some(like.rope),
            rotated: Rotated::Last(like.rope.order),
            dims,
            choose: Choose { memory, k },
        }))))
    }

    /// By an indexer of the layer where the flags of the file say so (all layers without flags, or those of `default`), or as
    /// in the layer before.
    pub(crate) fn own_or_shared(
        at: &Source<'_>,
        hp: &Hparams,
        mla: &MlaSpec,
        spec: IndexerSpec,
        default: impl Fn(usize) -> bool,
    ) -> Result<Option<Self>> {
        let key = "attention.indexer.types";
        let flags: Option<Vec<u32>> = at.per_layer(key, hp.n_layer)?;
        let is_own = |i: usize| flags.as_ref().map_or_else(|| default(i), |flags| flags[i] != 0);
        if !is_own(0) {
            return Err(Error::value(&at.full_key(key), 0, "in the first layer, which no layer precedes"));
        }
        if is_own(at.index()) {
            return Self::own(at, hp, mla, spec);
        }
        at.at("indexer").ignore_all("the layer shares the choice of one before");
        Ok(top_k(at, hp, 1)?.map(|_| Self::Shared))
    }

    /// i32 `[k, r]`: what the tokens of `x` attend to. `low` are the vectors that the layer makes its queries from.
    pub(crate) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, low: Tensor<'g>) -> Tensor<'g> {
        if let Self::Own(indexer) = self {
            step.chosen.set(Some(indexer.forward(step, x, low)));
        }
        step.chosen.get().expect("the first layer has an indexer")
    }
}

/// `[key_dim, n_head]`, of an indexer's queries.
fn dims(at: &Source<'_>) -> Result<[usize; 2]> {
    Ok([at.extent_of("attention.indexer.key_length")?, at.extent_of("attention.indexer.head_count")?])
}

/// How many keys are chosen, of one for each `ratio` tokens; `None` in a context that has no more.
fn top_k(at: &Source<'_>, hp: &Hparams, ratio: usize) -> Result<Option<usize>> {
    let k: usize = at.require(TOP_K)?;
    let n_tokens = k.saturating_mul(ratio);
    if hp.n_ctx <= n_tokens {
        let_go_through(at, n_tokens);
        return Ok(None);
    }
    Error::check_size(&at.full_key(TOP_K), k, MAX_CHOSEN).map(Some)
}

/// Scores tokens by queries of many heads and keys that they share. The scale and the Hadamard transform of the paper are
/// left out: neither changes the order of scores.
#[derive(Debug)]
pub(crate) struct Indexer {
    query: Linear,
    keys: Keys,
    /// How much each head counts.
    weigh: Linear,
    rope: Option<Rope>,
    rotated: Rotated,
    /// `[key_dim, n_head]`, of the queries.
    dims: [usize; 2],
    choose: Choose,
}

/// Where the keys come from.
#[derive(Debug)]
enum Keys {
    Projected { key: Linear, norm: Norm },
    Compressed(Compressor),
}

impl Indexer {
    fn load(at: &Source<'_>, mla: &MlaSpec, spec: IndexerSpec, k: usize) -> Result<Self> {
        let [key_dim, n_head] = dims(at)?;
        let (Rotated::First(order) | Rotated::Last(order)) = spec.rotated;
        let rope = mla.rope.map(|rope| rope.ordered(order));
        rope.map_or(Ok(()), |rope| rope.check(at, key_dim))?;
        let n_low = mla.q_rank.unwrap_or(mla.n_embd);
        let at = &at.at("indexer");
        let memory = at.remember(MemorySpec::Kv {
            n_head_kv: 1,
            key_dim,
            value: ValueStore::None,
            ratio: 1,
            window: None,
            timeline: Timeline::Sequence,
        });
        let norm = NormSpec { kind: NormKind::Layer, eps: spec.eps };
        Ok(Self {
            query: Linear::load(at, "attn_q_b", n_low, key_dim.saturating_mul(n_head))?,
            keys: Keys::Projected {
                key: Linear::load(at, "attn_k", mla.n_embd, key_dim)?,
                norm: Norm::load(at, "k_norm", norm, key_dim)?,
            },
            weigh: Linear::load(at, "proj", mla.n_embd, n_head)?,
            rope,
            rotated: spec.rotated,
            dims: [key_dim, n_head],
            choose: Choose { memory, k },
        })
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, low: Tensor<'g>) -> Tensor<'g> {
        let q = self.rotate(step, self.query.forward(low).reshape(&self.dims));
        let keys = match &self.keys {
            Keys::Projected { key, norm } => {
                let k = norm.forward(key.forward(x)).reshape(&[self.dims[0], 1]);
                step.append_kv(self.choose.memory, self.rotate(step, k), None)
            }
            Keys::Compressed(compressor) => compressor.forward(step, x),
        };
        q.choose(self.weigh.forward(x), keys, self.choose, step.spec(self.choose.memory))
    }

    fn rotate<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        match (&self.rope, self.rotated) {
            (None, _) => x,
            (Some(rope), Rotated::First(_)) => rope.forward(step, x),
            (Some(rope), Rotated::Last(_)) => rope.forward_last(step, x),
        }
    }
}

/// Passes over the indexer of a layer that chooses blocks of tokens (MiniMax M3), which is not supported.
///
/// # Errors
/// If the context that will be used is longer than what is chosen from it.
pub(crate) fn let_all_through(at: &Source<'_>, hp: &Hparams) -> Result<()> {
    let top_k: usize = at.require(TOP_K)?;
    let n_chosen = top_k.saturating_mul(at.get_or("attention.indexer.block_size", 1)?);
    if hp.n_ctx > n_chosen {
        let problem = format!(
            "blocks of tokens are chosen from a context of {}, which is not supported; use a context of at most \
             {n_chosen}",
            hp.n_ctx
        );
        return Err(Error::value(&at.full_key(TOP_K), top_k, problem));
    }
    let_go_through(at, n_chosen);
    Ok(())
}

fn let_go_through(at: &Source<'_>, n_chosen: usize) {
    at.at("indexer").ignore_all("a context no longer than what it chooses goes through whole");
    at.limit_context(n_chosen);
}
