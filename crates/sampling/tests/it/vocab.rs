//! What needs the texts of tokens, against the reference on a made-up vocabulary (`data/vocab.json`): which token
//! sequences break a repetition, and what `infill` keeps.

use sampling::samplers::Infill;
use sampling::{
    Candidates, Chain, Error, Kind, Params, PieceFn, Sampler, TokenId, VocabInfo, expand_breakers,
};
use serde_json::Value;

fn data() -> Value {
    serde_json::from_str(include_str!("../data/vocab.json")).unwrap()
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(read).collect()
}

fn id(value: &Value) -> TokenId {
    value.as_u64().unwrap() as TokenId
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn breakers_expand_over_the_vocabulary() {
    let data = data();
    let pieces = list(&data["pieces"], text);
    for case in data["breakers"].as_array().unwrap() {
        let texts = list(&case["texts"], text);
        let tokenize = |rest: &[u8]| list(&case["tails"][std::str::from_utf8(rest).unwrap()], id);
        let found = expand_breakers(&texts, pieces.len(), |token| &pieces[token as usize], tokenize);
        assert_eq!(found, list(&case["sequences"], |sequence| list(sequence, id)), "{texts:?}");
    }
}

#[test]
fn infill_keeps_what_the_reference_keeps() {
    let data = data();
    let pieces = list(&data["plain"], text);
    let n_tokens = pieces.len();
    let append = move |token: TokenId, buffer: &mut Vec<u8>| {
        buffer.extend_from_slice(pieces[token as usize].as_bytes());
    };
    let vocab = VocabInfo {
        eog: list(&data["eog"], id),
        end: Some(id(&data["end"])),
        pieces: Some(PieceFn::new(append)),
        ..VocabInfo::of_size(n_tokens)
    };
    let mut infill = Infill::new(&vocab).unwrap();
    for case in data["infill"].as_array().unwrap() {
        let mut logits = vec![f32::NEG_INFINITY; n_tokens];
        for pair in case["in"].as_array().unwrap() {
            logits[id(&pair[0]) as usize] = pair[1].as_f64().unwrap() as f32;
        }
        let mut candidates = Candidates::new();
        candidates.load(&logits).unwrap();
        candidates.retain(|_, logit| logit > f32::NEG_INFINITY);
        infill.apply(&mut candidates);
        assert_eq!(candidates.ids(), list(&case["out"], id), "{}", case["in"]);
    }
}

#[test]
fn infill_on_everything_ruled_out_invents_no_end() {
    let vocab = VocabInfo {
        end: Some(0),
        pieces: Some(PieceFn::new(|_, buffer| buffer.push(b'a'))),
        ..VocabInfo::of_size(5000)
    };
    let params = Params { order: vec![Kind::Infill], seed: Some(1), ..Params::default() };
    let mut chain = Chain::new(&params, &vocab).unwrap();
    assert_eq!(chain.sample(&[f32::NEG_INFINITY; 5000]), Err(Error::NothingLeft));
    assert!(chain.sample(&[1.0; 5000]).is_ok());
}
