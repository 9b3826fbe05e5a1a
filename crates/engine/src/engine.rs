//! The engine: a thread that owns a model's memory and answers requests. This is its outside; what it does step by step
//! is in `schedule`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use sampling::{Chain, PieceFn, VocabInfo};
use tokenizer::{TokenId, Tokenizer};

use crate::answer::{Answer, answer};
use crate::schedule::{Command, Counters, Job, Scheduler};
use crate::{Context, ContextConfig, Error, LoadedModel, MemoryUse, Mode, Prompt, Request, Result};

/// How an engine divides its time and memory.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// The memory of all requests together. Sequences that no request runs on remember finished ones, the least
    /// recently used giving way.
    pub context: ContextConfig,
    /// Requests that run at once; the others wait.
    pub n_parallel: usize,
    /// Requests that may wait.
    pub n_queue: usize,
    /// Prompt tokens of a step in which others generate, so that these do not wait long.
    pub n_chunk: usize,
    /// Pieces of an answer that may lie unread before its request pauses.
    pub n_unread: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            context: ContextConfig { n_seq_max: 16, n_snapshots: 32, ..ContextConfig::default() },
            n_parallel: 4,
            n_queue: 1024,
            n_chunk: 128,
            n_unread: 256,
        }
    }
}

/// What an engine is doing at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub n_running: usize,
    pub n_waiting: usize,
    /// Finished sequences that are remembered.
    pub n_idle: usize,
    pub memory: MemoryUse,
}

/// Answers requests, many at once.
///
/// What a request is answered does not depend on others, but for one thing: devices may sum products in another order
/// when a step has more tokens, so that logits differ in their last bits from batch to batch, and with quantized
/// activations by what a rounding makes of it. Where two tokens are so close that this decides, the same seed may give
/// another token.
///
/// Dropping it ends its thread; requests that are under way fail with [`Error::EngineStopped`].
#[derive(Debug)]
pub struct Engine {
    model: Arc<LoadedModel>,
    tokenizer: Arc<Tokenizer>,
    vocab: VocabInfo,
    config: EngineConfig,
    counters: Arc<Counters>,
    /// Why the thread has ended.
    obituary: Arc<OnceLock<String>>,
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Reserves the memory, compiles the model and starts the thread.
    ///
    /// # Errors
    /// Where the model cannot generate, its vocabulary is broken, or a device has too little memory.
    pub fn start(model: Arc<LoadedModel>, config: EngineConfig) -> Result<Self> {
        let (n_parallel, n_seq_max) = (config.n_parallel.max(1), config.context.n_seq_max);
        if n_parallel > n_seq_max {
            return Err(Error::TooFewSequences { n_parallel, n_seq_max });
        }
        if model.model().has_encoder() || !model.model().hparams().causal {
            return Err(Error::NotSupported { what: "an answer token by token: it reads texts as a whole" });
        }
        let tokenizer = Arc::new(Tokenizer::from_gguf(model.file().metadata())?);
        let mut context = Context::new(Arc::clone(&model), config.context)?;
        context.prepare(Mode::Logits)?;
        let config = EngineConfig { n_parallel, context: *context.config(), ..config };
        let counters = Arc::new(Counters::default());
        let obituary = Arc::new(OnceLock::new());
        let (commands, inbox) = channel();
        let scheduler = Scheduler::new(context, &config, Arc::clone(&counters))?;
        let last_words = Arc::clone(&obituary);
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || live(scheduler, &inbox, &last_words))
            .map_err(|error| Error::EngineStopped { cause: format!("no thread for it: {error}") })?;
        let vocab = vocab_info(&tokenizer, model.model().hparams().n_vocab);
        let thread = Some(thread);
        Ok(Self { model, tokenizer, vocab, config, counters, obituary, commands, thread })
    }

    /// Takes a request and returns at once; the answer comes piece by piece.
    ///
    /// # Errors
    /// Where the request cannot be answered whatever happens: its prompt is empty or longer than the context, its
    /// settings contradict the vocabulary. Where too many requests wait. Where the engine has stopped.
    pub fn submit(&self, mut request: Request) -> Result<Answer> {
        let tokens = self.tokens(&request.prompt)?;
        let mut chain = Chain::new(&request.sampling, &self.vocab)?;
        if let Some(constraint) = request.constraint.take() {
            chain.constrain(constraint);
        }
        if let Some(cause) = self.obituary.get() {
            return Err(Error::EngineStopped { cause: cause.clone() });
        }
        let n_waiting = self.counters.n_waiting.fetch_add(1, Ordering::SeqCst);
        if n_waiting >= self.config.n_queue.max(1) {
            self.counters.n_waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::QueueFull { n_waiting });
        }
        let commands = self.commands.clone();
        let wake = move || {
            // Fails where the engine has stopped, and then nothing is to be woken.
            let _ = commands.send(Command::Wake);
        };
        let (outlet, answer) = answer(self.config.n_unread, Arc::clone(&self.obituary), wake);
        let job = Job::new(request, tokens, chain, &self.tokenizer, self.n_ctx(), outlet);
        // A thread that ended in between drops the job, and the answer says why.
        let _ = self.commands.send(Command::Submit(Box::new(job)));
        Ok(answer)
    }

    /// The prompt's tokens, which are at least one and fit the context.
    fn tokens(&self, prompt: &Prompt) -> Result<Vec<TokenId>> {
        let tokens = match prompt {
            Prompt::Text { text, encode } => self.tokenizer.encode(text, *encode),
            Prompt::Tokens(tokens) => tokens.clone(),
        };
        let (n_tokens, n_ctx, n_vocab) = (tokens.len(), self.n_ctx(), self.vocab.n_tokens);
        if tokens.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        if n_tokens > n_ctx {
            return Err(Error::PromptTooLong { n_tokens, n_ctx });
        }
        match tokens.iter().position(|token| *token as usize >= n_vocab) {
            Some(index) => Err(Error::UnknownToken { token: tokens[index], index, n_vocab }),
            None => Ok(tokens),
        }
    }

    /// Tokens that a request may have, prompt and answer: a longer one would fail, and others of its step with it.
    fn n_ctx(&self) -> usize {
        let n_ctx = self.config.context.n_ctx;
        self.model.model().max_context().map_or(n_ctx, |max| max.min(n_ctx))
    }

    pub fn model(&self) -> &Arc<LoadedModel> {
        &self.model
    }

    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// The configuration in use.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    pub fn status(&self) -> Status {
        self.counters.status()
    }

    /// Ends the thread and waits for it.
    ///
    /// # Errors
    /// [`Error::EngineStopped`] if it had ended before, by a fault.
    pub fn shutdown(mut self) -> Result<()> {
        let fault = self.obituary.get().cloned();
        self.stop();
        fault.map_or(Ok(()), |cause| Err(Error::EngineStopped { cause }))
    }

    fn stop(&mut self) {
        // Fails where the thread has ended already.
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the thread catches its panics");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The life of the thread. The last words are written before the requests are dropped, as their readers look for them.
fn live(mut scheduler: Scheduler, inbox: &Receiver<Command>, last_words: &OnceLock<String>) {
    let end = catch_unwind(AssertUnwindSafe(|| scheduler.run(inbox)));
    let cause = match end {
        Ok(()) => "it was shut down".to_owned(),
        Err(panic) => format!("a fault of the program: {}", message(&*panic)),
    };
    last_words.set(cause).expect("a thread ends once");
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}

/// What samplers need to know of a vocabulary with `n_vocab` logits.
fn vocab_info(tokenizer: &Arc<Tokenizer>, n_vocab: usize) -> VocabInfo {
    let vocab = tokenizer.vocab();
    let is_known = |token: &TokenId| (*token as usize) < n_vocab;
    let pieces = Arc::clone(tokenizer);
    VocabInfo {
        n_tokens: n_vocab,
        eog: vocab.eog_ids().filter(is_known).collect(),
        end: vocab.special().eot.or(vocab.special().eos).filter(is_known),
        suppressed: vocab.suppressed().iter().copied().filter(is_known).collect(),
        pieces: Some(PieceFn::new(move |token, out| out.extend_from_slice(pieces.piece(token, false)))),
    }
}
