//! `graniteswitch`: Granite Switch: Granite with adapters of low rank, one of which a token of the prompt switches on for
//! all that follow. An attention head of its own finds that token.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("graniteswitch", |file, hp| {
    Ok(Box::new(Switch {
        router: Router::load(file, hp)?,
        table: file.weight("token_embd.weight", [hp.n_embd, hp.n_vocab])?,
        embedding_scale: super::granite::scale(file, "embedding_scale")?,
        layers: file.layers(hp.n_layer, |at| Layer::load(at, hp))?,
        head: super::granite::head(file, hp)?,
    }))
});

#[derive(Debug)]
struct Switch {
    router: Router,
    table: Weight,
    embedding_scale: f32,
    layers: Vec<Layer>,
    head: Head,
}

impl Architecture for Switch {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let tokens = step.tokens().reshape(&[1]).remap(self.router.substitutes.clone(), None).reshape(&[]);
        let mut x = tokens.lookup(self.table).scale(self.embedding_scale);
        let adapter = self.router.forward(step, x.slice(0, 0, 1));
        for layer in &self.layers {
            x = step.layer_output(layer.forward(step, x, adapter));
        }
        self.head.forward(step, x)
    }
}

/// Which adapter is on: none is number 0.
#[derive(Debug)]
struct Router {
    /// Tokens that switch, with the number of their adapter, and with the token that is read in their place.
    numbers: Vec<(i32, i32)>,
    substitutes: Vec<(i32, i32)>,
    gain: f32,
    memory: MemoryId,
    /// Elements of a key, as in other layers; all but the first are zero.
    key_dim: usize,
}

impl Router {
    fn load(file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let spec = AttentionSpec { n_head: 1, n_head_kv: 1, ..AttentionSpec::causal(file, hp)? };
        spec.check(file)?;
        let n = n_adapter(file)?;
        let ids = |key: &str| -> Result<Vec<i32>> {
            let ids: Vec<i32> = file.require(key)?;
            let known = |id: &i32| usize::try_from(*id).is_ok_and(|id| id < hp.n_vocab);
            if ids.len() != n || !ids.iter().all(known) {
                let problem = format!("must be {n} tokens, one an adapter, of {}", hp.n_vocab);
                return Err(Error::value(&file.full_key(key), format!("{} numbers", ids.len()), problem));
            }
            Ok(ids)
        };
        let switches = ids("adapters.token_ids_activate")?;
        let substitutes = ids("adapters.token_ids_substitute")?;
        Ok(Self {
            numbers: switches.iter().copied().zip(1..).collect(),
            substitutes: switches.into_iter().zip(substitutes).collect(),
            gain: file.get_or("adapters.router_gain", 15.0)?,
            memory: file.remember(AttentionSpec { value_dim: spec.key_dim, ..spec }.memory()),
            key_dim: spec.key_dim,
        })
    }

    /// The number of the adapter, i32 `[1]`. `any` is a number, whichever.
    fn forward<'g>(&self, step: &Step<'g>, any: Tensor<'g>) -> Tensor<'g> {
        let zero = any.clamp(0.0, 0.0);
        let n = self.numbers.len() + 1;
        let numbers = count_to(zero, n);
        let own = step.tokens().reshape(&[1]).remap(self.numbers.clone(), Some(0));
        // Keys of tokens that switch are so much greater that the others do not count.
        let gains = numbers.clamp(0.0, 1.0).affine(2.0 * self.gain, -self.gain);
        let head = |x: Tensor<'g>| {
            let rest = self.key_dim - 1;
            let all = if rest == 0 { x } else { x.concat(zero.repeat(&[rest]), 0) };
            all.reshape(&[self.key_dim, 1])
        };
        let kv = step.append_kv(self.memory, head(gains.gather(own)), Some(head(numbers.gather(own))));
        let op = tensor::Attention { scale: 1.0, ..tensor::Attention::causal(self.memory, self.key_dim) };
        let found = head(zero.affine(1.0, 1.0)).attention(kv, self.key_dim, op, None, None);
        let distance = numbers - found.reshape(&[self.key_dim]).slice(0, 0, 1);
        distance.unary(Unary::Square).unary(Unary::Neg).top_k(1)
    }
}

/// `0, 1, .., n - 1`.
fn count_to<'g>(zero: Tensor<'g>, n: usize) -> Tensor<'g> {
    let mut numbers = zero;
    while numbers.dim(0) < n {
        numbers = numbers.concat(numbers.affine(1.0, numbers.dim(0) as f32), 0);
    }
    numbers.slice(0, 0, n)
}

fn n_adapter(at: &Source<'_>) -> Result<usize> {
    const MAX_ADAPTERS: usize = 4096;
    Error::check_size(&at.full_key("adapters.count"), at.require("adapters.count")?, MAX_ADAPTERS)
}

#[derive(Debug)]
struct Layer {
    norm: Norm,
    qkv: Weight,
    adapted_qkv: [Adapters; 3],
    output: Switched,
    memory: MemoryId,
    spec: AttentionSpec,
    ffn_norm: Norm,
    gate: Switched,
    up: Switched,
    down: Switched,
    residual_scale: f32,
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        for part in ["attn_qkv", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
            at.ignore_each(&[&format!("{part}.scale"), &format!("{part}.input_scale")], "the reference engine does not apply it");
        }
        let spec = super::granite::attention(at, hp)?;
        spec.check(at)?;
        let AttentionSpec { n_embd, n_head, n_head_kv, key_dim, value_dim, .. } = spec;
        let (n_q, n_k, n_v) = (n_head * key_dim, n_head_kv * key_dim, n_head_kv * value_dim);
        let n_ff = FfnSpec::swiglu(at, hp)?.n_ff;
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, n_embd);
        Ok(Self {
            norm: norm("attn_norm")?,
            qkv: at.weight("attn_qkv.weight", [n_embd, n_q + n_k + n_v])?,
            adapted_qkv: [
                Adapters::load(at, "attn_q", n_embd, n_q)?,
                Adapters::load(at, "attn_k", n_embd, n_k)?,
                Adapters::load(at, "attn_v", n_embd, n_v)?,
            ],
            output: Switched::load(at, "attn_output", n_head * value_dim, n_embd)?,
            memory: at.remember(spec.memory()),
            spec,
            ffn_norm: norm("ffn_norm")?,
            gate: Switched::load(at, "ffn_gate", n_embd, n_ff)?,
            up: Switched::load(at, "ffn_up", n_embd, n_ff)?,
            down: Switched::load(at, "ffn_down", n_ff, n_embd)?,
            residual_scale: super::granite::scale(at, "residual_scale")?,
        })
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, adapter: Tensor<'g>) -> Tensor<'g> {
        let mixed = self.attend(step, self.norm.forward(x), adapter);
        let x = mixed.scale(self.residual_scale) + x;
        let normed = self.ffn_norm.forward(x);
        let gate = self.gate.forward(normed, adapter);
        let fed = self.down.forward(gate.glu(Unary::Silu, self.up.forward(normed, adapter)), adapter);
        fed.scale(self.residual_scale) + x
    }

    fn attend<'g>(&self, step: &Step<'g>, x: Tensor<'g>, adapter: Tensor<'g>) -> Tensor<'g> {
        let AttentionSpec { n_head, n_head_kv, key_dim, value_dim, scale, .. } = self.spec;
        let parts = x.matmul(self.qkv).split([n_head * key_dim, n_head_kv * key_dim, n_head_kv * value_dim]);
        let [q, k, v] = [0, 1, 2].map(|i| parts[i] + self.adapted_qkv[i].forward(x, adapter));
        let rotate = |x: Tensor<'g>| self.spec.rope.map_or(x, |rope| rope.forward(step, x));
        let q = rotate(q.reshape(&[key_dim, n_head]));
        let k = rotate(k.reshape(&[key_dim, n_head_kv]));
        let kv = step.append_kv(self.memory, k, Some(v.reshape(&[value_dim, n_head_kv])));
        let op = tensor::Attention { scale, ..tensor::Attention::causal(self.memory, key_dim) };
        let y = q.attention(kv, value_dim, op, None, None);
        self.output.forward(y.reshape(&[n_head * value_dim]), adapter)
    }
}

/// A matrix and what adapters add to it.
#[derive(Debug)]
struct Switched {
    weight: Weight,
    adapters: Adapters,
}

impl Switched {
    fn load(at: &Source<'_>, name: &str, n_in: usize, n_out: usize) -> Result<Self> {
        let weight = at.weight(&format!("{name}.weight"), [n_in, n_out])?;
        Ok(Self { weight, adapters: Adapters::load(at, name, n_in, n_out)? })
    }

    fn forward<'g>(&self, x: Tensor<'g>, adapter: Tensor<'g>) -> Tensor<'g> {
        x.matmul(self.weight) + self.adapters.forward(x, adapter)
    }
}

/// `b a x` of the adapter that is on; those of number 0 are zero.
#[derive(Debug)]
struct Adapters {
    a: Weight,
    b: Weight,
}

impl Adapters {
    fn load(at: &Source<'_>, name: &str, n_in: usize, n_out: usize) -> Result<Self> {
        let (rank, n) = (at.extent_of("adapters.lora_rank")?, n_adapter(at)? + 1);
        Ok(Self {
            a: at.weight(&format!("{name}.lora_a"), [n_in, rank, n])?,
            b: at.weight(&format!("{name}.lora_b"), [rank, n_out, n])?,
        })
    }

    fn forward<'g>(&self, x: Tensor<'g>, adapter: Tensor<'g>) -> Tensor<'g> {
        let x = x.reshape(&[x.dim(0), 1]).matmul_experts(self.a, adapter).matmul_experts(self.b, adapter);
        x.reshape(&[x.dim(0)])
    }
}
