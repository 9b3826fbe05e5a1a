//! What a model says of how its tokens are to be chosen: the metadata keys `general.sampling.*`. Flags win over it.

use anyhow::{Context, Result, bail};
use gguf::{FromValue, Metadata};
use sampling::{Kind, Params};

use crate::args::{MIROSTATS, last_n};

/// The usual settings, with those of the model in their place.
///
/// # Errors
/// A key of the wrong type, or a sampler that nobody knows.
pub(super) fn of(metadata: &Metadata) -> Result<Params> {
    let mut params = Params::default();
    if let Some(names) = metadata.get::<&str>("general.sampling.sequence")? {
        params.order = Kind::parse_names(names)
            .context("general.sampling.sequence of the model; --samplers replaces it")?;
    }
    take(metadata, "top_k", &mut params.top_k)?;
    take(metadata, "top_p", &mut params.top_p)?;
    take(metadata, "min_p", &mut params.min_p)?;
    take(metadata, "xtc_probability", &mut params.xtc_probability)?;
    take(metadata, "xtc_threshold", &mut params.xtc_threshold)?;
    take(metadata, "temp", &mut params.temperature)?;
    if let Some(n) = metadata.get("general.sampling.penalty_last_n")? {
        params.penalty_last_n = last_n(n);
    }
    take(metadata, "penalty_repeat", &mut params.penalty_repeat)?;
    take(metadata, "mirostat_tau", &mut params.mirostat_tau)?;
    take(metadata, "mirostat_eta", &mut params.mirostat_eta)?;
    if let Some(version) = metadata.get::<usize>("general.sampling.mirostat")? {
        let Some(&mirostat) = MIROSTATS.get(version) else {
            bail!("general.sampling.mirostat of the model is {version}; there are 0, 1 and 2");
        };
        params.mirostat = mirostat;
    }
    Ok(params)
}

fn take<'a, T: FromValue<'a>>(metadata: &'a Metadata, name: &str, to: &mut T) -> Result<()> {
    if let Some(value) = metadata.get(&format!("general.sampling.{name}"))? {
        *to = value;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gguf::Gguf;
    use gguf::write::{Builder, OwnedValue};
    use sampling::Mirostat;

    use super::*;

    fn with(values: &[(&str, OwnedValue)]) -> Result<Params> {
        let mut builder = Builder::new();
        for (name, value) in values {
            builder.value(&format!("general.sampling.{name}"), value.clone());
        }
        let file = Gguf::from_bytes(builder.to_bytes().expect("valid")).expect("a whole file");
        of(file.metadata())
    }

    #[test]
    fn the_model_replaces_the_usual_settings() {
        assert_eq!(with(&[]).expect("nothing is wrong"), Params::default());
        let values = [
            ("temp", OwnedValue::F32(0.3)),
            ("top_k", OwnedValue::I32(20)),
            ("mirostat", OwnedValue::U32(2)),
            ("penalty_last_n", OwnedValue::I32(-1)),
            ("sequence", OwnedValue::String(b"top_k;temperature".to_vec())),
        ];
        let params = with(&values).expect("all are known");
        assert_eq!((params.temperature, params.top_k, params.mirostat), (0.3, 20, Mirostat::V2));
        assert_eq!(params.penalty_last_n, usize::MAX);
        assert_eq!(params.order, [Kind::TopK, Kind::Temperature]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value, what) in [
            ("temp", OwnedValue::String(b"hot".to_vec()), "general.sampling.temp"),
            ("mirostat", OwnedValue::U32(3), "general.sampling.mirostat"),
            ("sequence", OwnedValue::String(b"magic".to_vec()), "--samplers"),
        ] {
            let error = format!("{:#}", with(&[(name, value)]).expect_err(name));
            assert!(error.contains(what), "{error}");
        }
    }
}
