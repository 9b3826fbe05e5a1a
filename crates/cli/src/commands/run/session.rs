//! A loaded model with everything a conversation needs: engine, template, settings. Knows no terminal.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use engine::{ContextConfig, Engine, EngineConfig, Event, Finish, LoadConfig, Prompt, Request, Stats};
use sampling::{Params, expand_breakers};
use tokenizer::{Encode, Tokenizer};

use super::printer::Printer;
use crate::args::RunArgs;
use crate::chat::{Message, Template};
use crate::{devices, interrupt, models};

/// Context size if neither the user nor a smaller model says otherwise.
const DEFAULT_CONTEXT: usize = 4096;
/// How often a waiting answer looks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

pub(super) struct Session {
    engine: Engine,
    template: Result<Template>,
    params: Params,
    stop: Vec<String>,
    max_tokens: Option<usize>,
    print_special: bool,
}

/// What was answered, and how it ended.
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) finish: Finish,
    stats: Stats,
}

impl Session {
    pub(super) fn open(args: &RunArgs) -> Result<Self> {
        Self::open_model(args, &args.model)
    }

    /// As the flags say, but with another model.
    pub(super) fn open_model(args: &RunArgs, path: &Path) -> Result<Self> {
        let mut params = args.sampling.params()?;
        let devices = devices::open(&args.device)?;
        let mut load = LoadConfig::default();
        load.model.n_ctx = (args.ctx_size > 0).then_some(args.ctx_size);
        let model = models::load(path, &devices, &load)?;
        let n_ctx_train = model.model().hparams().n_ctx_train;
        let context = ContextConfig {
            n_ctx: if args.ctx_size > 0 { args.ctx_size } else { n_ctx_train.min(DEFAULT_CONTEXT) },
            n_ubatch: args.ubatch,
            n_seq_max: 2,
            key_type: args.key_type.dtype(),
            value_type: args.value_type.dtype(),
            ..ContextConfig::default()
        };
        let source = model.file().metadata().get::<&str>("tokenizer.chat_template")?;
        let template = Template::detect(source);
        let config = EngineConfig { context, n_parallel: 1, ..EngineConfig::default() };
        let engine = Engine::start(model, config).with_context(|| path.display().to_string())?;
        params.dry_breakers = breakers(engine.tokenizer(), &args.sampling.breakers());
        Ok(Self {
            engine,
            template,
            params,
            stop: args.stop.clone(),
            max_tokens: usize::try_from(args.predict).ok(),
            print_special: args.special,
        })
    }

    pub(super) fn n_ctx(&self) -> usize {
        self.engine.config().context.n_ctx
    }

    pub(super) fn n_ctx_train(&self) -> usize {
        self.engine.model().model().hparams().n_ctx_train
    }

    /// Fails if the model's chat template is not one we can render.
    pub(super) fn rendered(&self, messages: &[Message]) -> Result<Prompt> {
        match &self.template {
            Ok(template) => Ok(Prompt::rendered(template.render(messages))),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        }
    }

    /// How many tokens of the context a conversation takes.
    pub(super) fn n_tokens(&self, messages: &[Message]) -> Result<usize> {
        Ok(match self.rendered(messages)? {
            Prompt::Text { text, encode } => self.engine.tokenizer().encode(&text, encode).len(),
            Prompt::Tokens(tokens) => tokens.len(),
        })
    }

    /// Prints the answer as it comes; an interrupt ends it early.
    pub(super) fn generate(&mut self, prompt: Prompt, printer: &mut Printer) -> Result<Reply> {
        interrupt::clear();
        let request = Request {
            sampling: self.params.clone(),
            max_tokens: self.max_tokens,
            stop: self.stop.clone(),
            print_special: self.print_special,
            ..Request::new(prompt)
        };
        let mut answer = self.engine.submit(request)?;
        let mut text = String::new();
        let mut say = |piece: &str, printer: &mut Printer| {
            text.push_str(piece);
            printer.push(piece)
        };
        let (finish, stats) = loop {
            match answer.next_within(POLL) {
                Ok(Some(Event::Piece(piece))) => say(&piece.text, printer)?,
                Ok(Some(Event::Done(done))) => {
                    say(&done.text, printer)?;
                    break (done.finish, done.stats);
                }
                Ok(None) => break (Finish::Cancelled, Stats::default()),
                Err(_) => {}
            }
            if interrupt::is_asked() {
                break (Finish::Cancelled, Stats::default());
            }
        };
        printer.finish()?;
        interrupt::clear();
        Ok(Reply { text, finish, stats })
    }
}

/// Token sequences of the texts that end a repetition.
fn breakers(tokenizer: &Tokenizer, texts: &[&str]) -> Vec<Vec<u32>> {
    if texts.is_empty() {
        return Vec::new();
    }
    let encode = |text: &[u8]| tokenizer.encode(&String::from_utf8_lossy(text), Encode::default());
    expand_breakers(texts, tokenizer.vocab().len(), |id| tokenizer.piece(id, true), encode)
}

impl Reply {
    /// One line of numbers.
    pub(super) fn summary(&self) -> String {
        let Stats { n_prompt, n_reused, n_generated, prompt_time, generate_time, seed, .. } = self.stats;
        let rate = |n: usize, time: Duration| n as f64 / time.as_secs_f64().max(1e-9);
        let n_computed = n_prompt.saturating_sub(n_reused);
        let seed = seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
        format!(
            "prompt: {n_prompt} tokens ({n_reused} remembered), {:.0} ms, {:.1} tokens/s; \
             answer: {n_generated} tokens, {:.1} tokens/s{seed}",
            prompt_time.as_secs_f64() * 1e3,
            rate(n_computed, prompt_time),
            rate(n_generated.saturating_sub(1), generate_time),
        )
    }
}
