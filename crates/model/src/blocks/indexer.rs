//! Attention to chosen tokens (DeepSeek-V3.2) or blocks of tokens (MiniMax M3; Qwen 4 and GLM-5.3 with one key for each
//! block): an indexer with small keys of its own scores what a token sees, and lets it attend to the `top_k` highest. While
//! there are no more than that, all of them go through, and nothing needs to be scored.

use tensor::{Choose, Chosen, Scores};

use super::{
    AttentionSpec, Compressor, CompressorSpec, Error, Hparams, Linear, MemoryId, MemorySpec, MlaSpec, Norm,
    NormKind, NormSpec, Result, Rope, RopeOrder, Source, Step, Tensor, Timeline, ValueStore, Weight,
};
use crate::limits::MAX_CHOSEN;

pub(crate) const TOP_K: &str = "attention.indexer.top_k";
/// Scores of the elements of keys that are pooled, and what is added to them by the place in the block.
const GATE: &str = "indexer_compressor_gate";
const POSITIONS: &str = "indexer_compressor_ape";
const COMPRESSOR: &str = "indexer_compressor";

/// What differs between the indexers of models.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexerSpec {
    pub(crate) rotated: Rotated,
    /// Of the norm of keys.
    pub(crate) eps: f32,
    /// Tokens whose keys become one (GLM-5.3); 1 where each has its own.
    pub(crate) n_pooled: usize,
}

/// Which elements of an indexer's queries and keys are rotated, by the angles of the layer's own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rotated {
    First(RopeOrder),
    Last(RopeOrder),
}

/// Which blocks of tokens an indexer chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSpec {
    /// How many.
    pub(crate) k: usize,
    /// Tokens of each.
    pub(crate) block: usize,
    pub(crate) by: Scores,
}

impl BlockSpec {
    /// Blocks of `block` tokens with one key, at least one, for as many tokens as the file says.
    pub(crate) fn with_key(at: &Source<'_>, block: usize) -> Result<Self> {
        let n: usize = at.require(TOP_K)?;
        if !n.is_multiple_of(block) {
            let problem = format!("must be a multiple of the {block} tokens of a block");
            return Err(Error::value(&at.full_key(TOP_K), n, problem));
        }
        Ok(Self { k: n / block, block, by: Scores::Sum })
    }

    fn choose(self, memory: MemoryId) -> Choose {
        let Self { k, block, by } = self;
        Choose { memory, k, block, by }
    }
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
        let blocks = BlockSpec::with_key(at, spec.n_pooled)?;
        if goes_through(at, hp, blocks)? {
            return Ok(None);
        }
        Ok(Some(Self::Own(Box::new(Indexer::lightning(at, mla, spec, blocks)?))))
    }

    /// Of blocks, by an indexer with norms and rotation as of the attention.
    pub(crate) fn of_blocks(
        at: &Source<'_>,
        hp: &Hparams,
        attention: &AttentionSpec,
        norm: NormSpec,
        blocks: BlockSpec,
    ) -> Result<Option<Self>> {
        if goes_through(at, hp, blocks)? {
            return Ok(None);
        }
        Ok(Some(Self::Own(Box::new(Indexer::of_blocks(at, attention, norm, blocks)?))))
    }

    /// Among compressed tokens, by an indexer whose keys are compressed alike (DeepSeek-V4). Its queries are made from
    /// vectors of `n_low`.
    pub(crate) fn of_compressed(
        at: &Source<'_>,
        hp: &Hparams,
        n_low: usize,
        like: CompressorSpec,
    ) -> Result<Option<Self>> {
        let blocks = BlockSpec { k: at.require(TOP_K)?, block: 1, by: Scores::Sum };
        if go_through(at, hp, blocks.k, blocks.k.saturating_mul(like.ratio))? {
            return Ok(None);
        }
        Ok(Some(Self::Own(Box::new(Indexer::of_compressed(at, n_low, like, blocks)?))))
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
        let flags = at.flags_per_layer(key, hp.n_layer)?;
        let is_own = |i: usize| flags.as_ref().map_or_else(|| default(i), |flags| flags[i]);
        // Some layers are recurrent, and have nothing to choose.
        let first = (0..hp.n_layer).find(|&i| hp.layer(i).n_head_kv > 0).unwrap_or(0);
        if !is_own(first) {
            let problem = format!("in layer {first}, which no layer with an indexer precedes");
            return Err(Error::value(&at.full_key(key), 0, problem));
        }
        if is_own(at.index()) {
            return Self::own(at, hp, mla, spec);
        }
        ignore(at, "the layer shares the choice of one before");
        Ok((!goes_through(at, hp, BlockSpec::with_key(at, spec.n_pooled)?)?).then_some(Self::Shared))
    }

    /// What the tokens of `x` attend to. `low` are the vectors that the layer makes its queries from.
    pub(crate) fn forward<'g>(
        &self,
        step: &Step<'g>,
        x: Tensor<'g>,
        low: Tensor<'g>,
    ) -> (Chosen, Tensor<'g>) {
        if let Self::Own(indexer) = self {
            step.chosen.set(Some(indexer.forward(step, x, low)));
        }
        step.chosen.get().expect("the first layer has an indexer")
    }
}

/// Whether the context is so short that all of it goes through, and the layer's indexer is not needed.
fn goes_through(at: &Source<'_>, hp: &Hparams, blocks: BlockSpec) -> Result<bool> {
    let n = blocks.k.saturating_mul(blocks.block);
    go_through(at, hp, n, n)
}

/// The same, where `n` rows are chosen, which stand for `n_tokens`.
fn go_through(at: &Source<'_>, hp: &Hparams, n: usize, n_tokens: usize) -> Result<bool> {
    if hp.n_ctx <= n_tokens {
        ignore(at, "a context no longer than what it chooses goes through whole");
        at.limit_context(n_tokens);
        return Ok(true);
    }
    Error::check_size(&at.full_key(TOP_K), n, MAX_CHOSEN)?;
    if !hp.causal {
        return Err(Error::value(
            &at.full_key("attention.causal"),
            false,
            "but an indexer chooses from what precedes",
        ));
    }
    Ok(false)
}

/// Scores tokens by queries of many heads and keys that they share. The scale and the Hadamard transform of the paper are
/// left out: neither changes the order of scores.
#[derive(Debug)]
pub(crate) struct Indexer {
    query: Linear,
    query_norm: Option<Norm>,
    keys: Keys,
    /// How much each head counts.
    weigh: Option<Linear>,
    rope: Option<Rope>,
    rotated: Rotated,
    /// `[key_dim, n_head]`, of the queries.
    dims: [usize; 2],
    choose: Choose,
}

/// Where keys come from.
#[derive(Debug)]
enum Keys {
    Projected { key: Linear, norm: Norm, pooling: Pooling },
    Compressed(Compressor),
}

/// How the keys of the tokens of a block become one, that of its last token. One is made for every token, of itself and the
/// tokens before it; only those of last tokens are kept.
#[derive(Debug)]
enum Pooling {
    None,
    /// Their mean, before it is normalized and rotated as the first of them (Qwen 4).
    Mean {
        memory: MemoryId,
        n: usize,
    },
    /// A mean that weighs each element by the softmax of scores of its own (GLM-5.3).
    Weighted {
        memory: MemoryId,
        gate: Linear,
        bias: Weight,
    },
}

impl Pooling {
    fn mean(at: &Source<'_>, key_dim: usize, n: usize) -> Self {
        if n == 1 {
            return Self::None;
        }
        Self::Mean { memory: at.remember(MemorySpec::State { len: (n - 1) * key_dim }), n }
    }

    fn weighted(at: &Source<'_>, n_embd: usize, key_dim: usize, n: usize) -> Result<Self> {
        if n == 1 {
            return Ok(Self::None);
        }
        Ok(Self::Weighted {
            memory: at.remember(MemorySpec::State { len: (n - 1) * 2 * key_dim }),
            gate: Linear::load(at, GATE, n_embd, key_dim)?,
            bias: at.vector(&format!("{POSITIONS}.weight"), [key_dim, n])?,
        })
    }
}

impl Indexer {
    /// That of DeepSeek-V3.2.
    fn lightning(at: &Source<'_>, mla: &MlaSpec, spec: IndexerSpec, blocks: BlockSpec) -> Result<Self> {
        let [key_dim, n_head] = dims(at)?;
        let (Rotated::First(order) | Rotated::Last(order)) = spec.rotated;
        let rope = mla.rope.map(|rope| rope.ordered(order));
        rope.map_or(Ok(()), |rope| rope.check(at, key_dim))?;
        let n_low = mla.q_rank.unwrap_or(mla.n_embd);
        let pooling = Pooling::weighted(at, mla.n_embd, key_dim, spec.n_pooled)?;
        let at = &at.at("indexer");
        let norm = NormSpec { kind: NormKind::Layer, eps: spec.eps };
        Ok(Self {
            query: Linear::load(at, "attn_q_b", n_low, key_dim.saturating_mul(n_head))?,
            query_norm: None,
            keys: Keys::Projected {
                key: Linear::load(at, "attn_k", mla.n_embd, key_dim)?,
                norm: Norm::load(at, "k_norm", norm, key_dim)?,
                pooling,
            },
            weigh: Some(Linear::load(at, "proj", mla.n_embd, n_head)?),
            rope,
            rotated: spec.rotated,
            dims: [key_dim, n_head],
            choose: blocks.choose(remember_keys(at, key_dim, blocks)),
        })
    }

    /// That of MiniMax M3 and Qwen 4.
    fn of_blocks(
        at: &Source<'_>,
        attention: &AttentionSpec,
        norm: NormSpec,
        blocks: BlockSpec,
    ) -> Result<Self> {
        let [key_dim, n_head] = dims(at)?;
        let rope = attention.rope.expect("what blocks are chosen for has positions");
        rope.check(at, key_dim)?;
        if matches!(blocks.by, Scores::Max { .. }) {
            Error::check_size(&at.full_key(TOP_K), blocks.k.saturating_mul(n_head), MAX_CHOSEN)?;
        }
        let n_embd = attention.n_embd;
        let at = &at.at("indexer");
        Ok(Self {
            query: Linear::load(at, "q_proj", n_embd, key_dim.saturating_mul(n_head))?,
            query_norm: Some(Norm::load(at, "q_norm", norm, key_dim)?),
            keys: Keys::Projected {
                key: Linear::load(at, "k_proj", n_embd, key_dim)?,
                norm: Norm::load(at, "k_norm", norm, key_dim)?,
                pooling: match blocks.by {
                    Scores::Sum => Pooling::mean(at, key_dim, blocks.block),
                    Scores::Max { .. } => Pooling::None,
                },
            },
            weigh: None,
            rope: Some(rope),
            rotated: Rotated::First(rope.order),
            dims: [key_dim, n_head],
            choose: blocks.choose(remember_keys(at, key_dim, blocks)),
        })
    }

    /// That of DeepSeek-V4.
    fn of_compressed(at: &Source<'_>, n_low: usize, like: CompressorSpec, blocks: BlockSpec) -> Result<Self> {
        let [key_dim, n_head] = dims(at)?;
        let spec = CompressorSpec { dim: key_dim, value: ValueStore::None, ..like };
        let keys = Compressor::load(at, COMPRESSOR, spec)?;
        let choose = blocks.choose(keys.memory());
        let at = &at.at("indexer");
        Ok(Self {
            query: Linear::load(at, "attn_q_b", n_low, key_dim.saturating_mul(n_head))?,
            query_norm: None,
            keys: Keys::Compressed(keys),
            weigh: Some(Linear::load(at, "proj", like.n_embd, n_head)?),
            rope: Some(like.rope),
            rotated: Rotated::Last(like.rope.order),
            dims: [key_dim, n_head],
            choose,
        })
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, low: Tensor<'g>) -> (Chosen, Tensor<'g>) {
        let q = self.query.forward(low).reshape(&self.dims);
        let q = self.query_norm.as_ref().map_or(q, |norm| norm.forward(q));
        let q = self.rotate(step, q, self.rope);
        let keys = match &self.keys {
            Keys::Compressed(compressor) => compressor.forward(step, x),
            Keys::Projected { key, norm, pooling } => {
                let k = self.key(step, x, key, norm, pooling);
                step.append_kv(self.choose.memory, k, None)
            }
        };
        let weights = self.weigh.as_ref().map(|weigh| weigh.forward(x));
        let spec = step.spec(self.choose.memory);
        (self.choose.chosen(), q.choose(keys, weights, self.choose, spec))
    }

    /// `[key_dim, 1, r]`.
    fn key<'g>(
        &self,
        step: &Step<'g>,
        x: Tensor<'g>,
        key: &Linear,
        norm: &Norm,
        pooling: &Pooling,
    ) -> Tensor<'g> {
        let (k, rope) = (key.forward(x), self.rope);
        let (k, rope) = match pooling {
            Pooling::None => (norm.forward(k), rope),
            Pooling::Mean { memory, n } => {
                (norm.forward(k.pool_mean(*memory, *n)), rope.map(|rope| rope.back(n - 1)))
            }
            Pooling::Weighted { memory, gate, bias } => {
                (norm.forward(k).concat(gate.forward(x), 0).pool_weighted(*memory, *bias), rope)
            }
        };
        self.rotate(step, k.reshape(&[self.dims[0], 1]), rope)
    }

    fn rotate<'g>(&self, step: &Step<'g>, x: Tensor<'g>, rope: Option<Rope>) -> Tensor<'g> {
        match (rope, self.rotated) {
            (None, _) => x,
            (Some(rope), Rotated::First(_)) => rope.forward(step, x),
            (Some(rope), Rotated::Last(_)) => rope.forward_last(step, x),
        }
    }
}

/// Elements of a key, and heads.
fn dims(at: &Source<'_>) -> Result<[usize; 2]> {
    Ok([at.extent_of("attention.indexer.key_length")?, at.extent_of("attention.indexer.head_count")?])
}

/// A key for each token, or for each block.
fn remember_keys(at: &Source<'_>, key_dim: usize, blocks: BlockSpec) -> MemoryId {
    at.remember(MemorySpec::Kv {
        n_head_kv: 1,
        key_dim,
        value: ValueStore::None,
        ratio: if blocks.by == Scores::Sum { blocks.block } else { 1 },
        window: None,
        timeline: Timeline::Sequence,
    })
}

/// Passes over the indexer of a layer.
fn ignore(at: &Source<'_>, why: &'static str) {
    at.at("indexer").ignore_all(why);
    Compressor::ignore(at, COMPRESSOR, why);
}
