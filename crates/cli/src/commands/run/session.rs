//! A loaded model with everything a conversation needs: engine, template, settings. Knows no terminal.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use chat::{AnswerParser, Delta, Message};
use engine::{Answer, ContextConfig, Engine, EngineConfig, Event, Finish, Prompt, Request, Stats};
use sampling::{Constraint, Params, expand_breakers};
use tokenizer::{Encode, Tokenizer};

use super::defaults;
use super::form::Form;
use super::printer::Printer;
use super::template::{ChatTemplate, TEMPLATE_KEY};
use crate::args::RunArgs;
use crate::interrupt::{self, Ear};
use crate::{devices, models, output};

/// Context size if neither the user nor a smaller model says otherwise.
const DEFAULT_CONTEXT: usize = 4096;
/// How often a waiting answer looks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

pub(super) struct Session {
    engine: Engine,
    /// Or why there is none: a text can be continued without.
    template: Result<ChatTemplate>,
    params: Params,
    form: Form,
    stop: Vec<String>,
    max_tokens: Option<usize>,
    print_special: bool,
    is_verbose: bool,
}

/// A prompt, and where its answer begins.
pub(super) struct Question {
    prompt: Prompt,
    parser: Option<AnswerParser>,
    constraint: Option<Box<dyn Constraint>>,
}

/// What was answered, and how it ended.
pub(super) struct Reply {
    pub(super) answer: chat::Answer,
    pub(super) finish: Finish,
    stats: Stats,
}

impl Session {
    pub(super) fn open(args: &RunArgs) -> Result<Self> {
        Self::open_model(args, args.model.path())
    }

    /// As the flags say, but with another model.
    pub(super) fn open_model(args: &RunArgs, path: &Path) -> Result<Self> {
        let devices = devices::open(&args.device)?;
        let mut load = devices::load_config(&args.device);
        let n_ctx = Some(args.ctx_size as usize).filter(|n| *n > 0);
        load.model.n_ctx = n_ctx;
        let model = models::load(path, &devices, &load)?;
        let defaults = defaults::of(model.file().metadata()).with_context(|| path.display().to_string())?;
        let mut params = args.sampling.params(&defaults)?;
        let n_ctx_train = model.model().hparams().n_ctx_train;
        let context = ContextConfig {
            n_ctx: n_ctx.unwrap_or(n_ctx_train.min(DEFAULT_CONTEXT)),
            n_ubatch: args.ubatch.min(args.batch),
            n_seq_max: 2,
            key_type: args.key_type,
            value_type: args.value_type,
            ..ContextConfig::default()
        };
        let config = EngineConfig { context, n_parallel: 1, ..EngineConfig::default() };
        let n_ctx = config.context.n_ctx;
        let engine = Engine::start(model, config)
            .with_context(|| format!("{} with a context of {n_ctx} tokens (-c)", path.display()))?;
        let tokenizer = engine.tokenizer();
        let texts: Vec<String> = args.sampling.breakers().iter().map(|text| args.unescaped(text)).collect();
        params.dry_breakers = breakers(tokenizer, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        let form = Form::open(args, tokenizer)?;
        let template = ChatTemplate::open(args, engine.model().file().metadata(), tokenizer);
        Ok(Self {
            engine,
            template,
            params,
            form,
            stop: args.stop.iter().map(|text| args.unescaped(text)).collect(),
            max_tokens: usize::try_from(args.predict).ok(),
            print_special: args.special,
            is_verbose: args.verbose,
        })
    }

    pub(super) fn n_ctx(&self) -> usize {
        self.engine.config().context.n_ctx
    }

    pub(super) fn n_ctx_train(&self) -> usize {
        self.engine.model().model().hparams().n_ctx_train
    }

    /// Whether the model file has a chat template, be it a broken one.
    pub(super) fn has_template(&self) -> bool {
        self.engine.model().file().metadata().get::<&str>(TEMPLATE_KEY).is_ok_and(|source| source.is_some())
    }

    pub(super) fn template(&self) -> Result<&ChatTemplate> {
        self.template.as_ref().map_err(|error| anyhow!("{error:#}"))
    }

    /// A text to be continued as it is.
    pub(super) fn raw(&self, text: String) -> Question {
        Question { prompt: Prompt::rendered(text), parser: None, constraint: self.form.of_text() }
    }

    /// What the model is given for a conversation.
    pub(super) fn question(&self, messages: &[Message]) -> Result<Question> {
        let template = self.template()?;
        let rendered = template.render(messages)?;
        let options = Encode { add_special: true, parse_special: true };
        let mut tokens = self.engine.tokenizer().encode_marked(&rendered.text, &rendered.plain, options);
        self.drop_second_start(&mut tokens);
        let tags = template.thinking(&rendered.generation_prompt);
        Ok(Question {
            prompt: Prompt::Tokens(tokens),
            parser: Some(template.parser(&rendered.generation_prompt)),
            constraint: self.form.of_answer(tags, self.engine.tokenizer())?,
        })
    }

    /// Templates that write the token a text starts with, which the vocabulary adds too, would give it twice.
    fn drop_second_start(&self, tokens: &mut Vec<u32>) {
        let bos = self.engine.tokenizer().vocab().special().bos;
        if tokens.len() > 1 && tokens[0] == tokens[1] && Some(tokens[0]) == bos {
            tokens.remove(0);
        }
    }

    /// How many tokens of the context a conversation takes.
    pub(super) fn n_tokens(&self, messages: &[Message]) -> Result<usize> {
        Ok(match self.question(messages)?.prompt {
            Prompt::Text { text, encode } => self.engine.tokenizer().encode(&text, encode).len(),
            Prompt::Tokens(tokens) => tokens.len(),
        })
    }

    /// The tokens of a prompt as text, one after the other.
    fn shown(&self, prompt: &Prompt) -> String {
        let tokenizer = self.engine.tokenizer();
        let tokens = match prompt {
            Prompt::Text { text, encode } => &tokenizer.encode(text, *encode),
            Prompt::Tokens(tokens) => tokens,
        };
        let bytes: Vec<u8> = tokens.iter().flat_map(|id| tokenizer.piece(*id, true)).copied().collect();
        format!("prompt of {} tokens: {:?}", tokens.len(), String::from_utf8_lossy(&bytes))
    }

    /// Prints the answer as it comes; an interrupt ends it early.
    pub(super) fn answer(&self, question: Question, printer: &mut Printer) -> Result<Reply> {
        if self.is_verbose {
            output::note(&self.shown(&question.prompt));
        }
        let ear = interrupt::hear();
        let request = Request {
            sampling: self.params.clone(),
            constraint: question.constraint,
            max_tokens: self.max_tokens,
            stop: self.stop.clone(),
            print_special: self.print_special,
            ..Request::new(question.prompt)
        };
        let mut speech = Speech { parser: question.parser, printer, answer: chat::Answer::default() };
        let answer = self.engine.submit(request).map_err(with_flag)?;
        let (finish, stats) = listen(answer, &mut speech, &ear)?;
        drop(ear);
        speech.finish()?;
        Ok(Reply { answer: speech.answer, finish, stats })
    }
}

/// What of this program's flags helps.
fn with_flag(error: engine::Error) -> anyhow::Error {
    match error {
        engine::Error::PromptTooLong { .. } => {
            anyhow!("{error}: -c N; in a chat, /undo and /clear make room")
        }
        _ => error.into(),
    }
}

/// Passes an answer on until it ends; an interrupt ends it soon.
fn listen(mut answer: Answer, speech: &mut Speech<'_>, ear: &Ear) -> Result<(Finish, Stats)> {
    loop {
        match answer.next_within(POLL) {
            Ok(Some(Event::Piece(piece))) => speech.push(&piece.text)?,
            Ok(Some(Event::Done(done))) => {
                speech.push(&done.text)?;
                return Ok((done.finish, done.stats));
            }
            Ok(None) => return Ok((Finish::Cancelled, Stats::default())),
            Err(_) => {}
        }
        if ear.is_asked() {
            answer.cancel();
        }
    }
}

/// An answer being read, printed and kept.
struct Speech<'a> {
    parser: Option<AnswerParser>,
    printer: &'a mut Printer,
    answer: chat::Answer,
}

impl Speech<'_> {
    fn push(&mut self, text: &str) -> Result<()> {
        let deltas = match &mut self.parser {
            Some(parser) => parser.push(text),
            None => vec![Delta::Content(text.to_owned())],
        };
        self.say(deltas)
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(parser) = self.parser.take() {
            let (rest, malformed) = parser.finish();
            self.say(rest)?;
            self.answer.malformed = malformed;
        }
        self.printer.finish(&self.answer.tool_calls)
    }

    fn say(&mut self, deltas: Vec<Delta>) -> Result<()> {
        for delta in deltas {
            match &delta {
                Delta::Content(text) => self.printer.content(text)?,
                Delta::Reasoning(text) => self.printer.thought(text)?,
                // Calls are shown when they are whole.
                Delta::Call { .. } => {}
            }
            self.answer.apply(delta);
        }
        Ok(())
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
