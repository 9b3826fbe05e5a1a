//! `nanbeige`: Nanbeige: Llama whose layers are gone through several times, each time with a memory of its own.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("nanbeige", |file, hp| {
    let n_loops = Error::check_size(&file.full_key("num_loops"), file.get_or("num_loops", 1)?, MAX_LOOPS)?;
    let norm = || Norm::load(file, "output_norm", NormSpec::rms(file, hp)?, hp.n_embd);
    let layer = |at: &Source<'_>| {
        let attention = AttentionSpec::interleaved(at, hp)?;
        Ok(Layer::llama(at, hp, attention)?.into())
    };
    let mut layers: Vec<Box<dyn Block>> = Vec::new();
    for i in 0..n_loops {
        if i > 0 && !file.get_or("skip_loop_final_norm", false)? {
            layers.push(norm()?.into());
        }
        layers.extend(file.layers(hp.n_layer, layer)?);
    }
    let embedding = Embedding::load(file, hp)?;
    Ok(Box::new(Decoder { embedding, layers, head: Head::with(file, hp, norm()?)? }))
})
.scales(Scales::FFN);

const MAX_LOOPS: usize = 64;
