//! Chat templates: a conversation becomes the prompt that the model was trained on. Knows nothing of tokens; text
//! that must not become control tokens is marked as such in the result.

pub mod builtin;
mod capabilities;
mod engine;
mod normalize;
mod python;
mod source;
mod tools;
mod value;
mod worker;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::Error;
use crate::marks::{self, Marker};
use crate::message::{Message, Role, Tool};
use capabilities::Probe;
use engine::Engine;

pub use capabilities::Capabilities;
pub use python::Moment;

/// What a template may cost. The defaults are far above what any known template needs.
#[derive(Clone, Debug)]
pub struct Limits {
    pub source_bytes: usize,
    /// Links of one expression, and branches of one `if`.
    pub chain: usize,
    /// Steps of the engine; one also pays for 64 bytes of text.
    pub fuel: u64,
    pub output_bytes: usize,
    /// How deep messages may be nested.
    pub value_depth: usize,
    /// How deep macros and loops may recurse.
    pub recursion: usize,
    /// Of one rendering, and of all together that find out what the template can do.
    pub time: Duration,
    /// Address space of the thread that renders; memory is used only as needed.
    pub stack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 256 << 10,
            chain: 500,
            fuel: 5_000_000,
            output_bytes: 64 << 20,
            value_depth: 128,
            recursion: 500,
            time: Duration::from_secs(10),
            stack_bytes: 64 << 20,
        }
    }
}

/// Whether a template may append to its lists, which Python's sandbox forbids and one family of models needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Appending {
    #[default]
    Allowed,
    Refused,
}

/// The special tokens of the model's vocabulary, as text.
#[derive(Clone, Debug, Default)]
pub struct Specials {
    /// Empty if the model has none.
    pub bos: String,
    pub eos: String,
    /// All control tokens: what a user must not be able to write.
    pub control: Vec<String>,
}

/// How a conversation is to be rendered.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Ask for an answer at the end.
    pub add_generation_prompt: bool,
    pub tools: Vec<Tool>,
    /// Whether the model shall think before it answers; `None` leaves it to the template.
    pub thinking: Option<bool>,
    pub reasoning_effort: Option<String>,
    pub now: Moment,
    /// More variables for the template; they come last and win.
    pub kwargs: Map<String, Json>,
    /// Keep user text from being read as control tokens.
    pub mark_user_text: bool,
    /// The last message is the beginning of the answer, to be continued.
    pub continue_last: bool,
    /// What stands for an image or a sound in templates that know only text.
    pub media_marker: String,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            add_generation_prompt: true,
            tools: Vec::new(),
            thinking: None,
            reasoning_effort: None,
            now: Moment::from_unix(0),
            kwargs: Map::new(),
            mark_user_text: true,
            continue_last: false,
            media_marker: "<__media__>".to_owned(),
        }
    }
}

/// A prompt, and which of its bytes are to be read as plain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// Ranges of bytes, in order, in which no control token may be recognized.
    pub plain: Vec<Range<usize>>,
    /// The end of `text` that asks for the answer and may begin it, for example with an open tag of thinking.
    pub generation_prompt: String,
}

impl Rendered {
    /// The pieces for the tokenizer, in order: text, and whether control tokens are recognized in it.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        let edges = self.plain.iter().flat_map(|range| [range.start, range.end]);
        let mut start = 0;
        let mut recognize = true;
        let pieces = edges.chain([self.text.len()]).map(move |end| {
            let piece = (&self.text[start..end], recognize);
            (start, recognize) = (end, !recognize);
            piece
        });
        pieces.filter(|(text, _)| !text.is_empty())
    }
}

/// A chat template, ready to render.
#[derive(Debug)]
pub struct Template {
    engine: Engine,
    source: String,
    specials: Specials,
    marker: Marker,
    capabilities: OnceLock<Capabilities>,
    /// What is left of the time for finding out what it can do.
    probe_time: Mutex<Duration>,
}

impl Template {
    /// Compiles a model's template.
    ///
    /// # Errors
    /// A syntax error, or a limit that the text exceeds.
    pub fn new(source: &str, specials: &Specials) -> Result<Self, Error> {
        Self::compile(source, specials, &Limits::default(), Appending::Allowed)
    }

    /// The format of that name, of those that [`builtin::names`] lists.
    ///
    /// # Errors
    /// No such name.
    pub fn named(name: &str, specials: &Specials) -> Result<Self, Error> {
        let source = builtin::source(name).ok_or_else(|| {
            let known = builtin::names().collect::<Vec<_>>().join(", ");
            Error::UnknownName { name: name.to_owned(), known }
        })?;
        Self::new(&source, specials)
    }

    /// Compiles a template exactly as it is meant for Python, and as strict.
    ///
    /// # Errors
    /// A syntax error, or a limit that the text exceeds.
    pub fn strict(source: &str, limits: &Limits) -> Result<Self, Error> {
        Self::compile(source, &Specials::default(), limits, Appending::Refused)
    }

    fn compile(
        source: &str,
        specials: &Specials,
        limits: &Limits,
        appending: Appending,
    ) -> Result<Self, Error> {
        Ok(Self {
            engine: Engine::new(source, limits, appending)?,
            source: source.to_owned(),
            specials: specials.clone(),
            marker: Marker::new(&specials.control),
            capabilities: OnceLock::new(),
            probe_time: Mutex::new(limits.time),
        })
    }

    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the template can express; found out at the first call.
    pub fn capabilities(&self) -> &Capabilities {
        self.capabilities.get_or_init(|| self.probe().run())
    }

    pub(crate) fn probe(&self) -> Probe<'_> {
        let (bos, eos) = (&self.specials.bos, &self.specials.eos);
        Probe { engine: &self.engine, bos, eos, time: &self.probe_time }
    }

    /// Renders a conversation, brought into the form that the template understands.
    ///
    /// # Errors
    /// What the template refuses, a limit it exceeds, or calls whose arguments are not JSON objects.
    pub fn render(&self, messages: &[Message], options: &RenderOptions) -> Result<Rendered, Error> {
        match messages.split_last() {
            Some((last, before)) if options.continue_last => {
                if last.role != Role::Assistant || !last.tool_calls.is_empty() {
                    let what = "only a text of the assistant can be continued".to_owned();
                    return Err(Error::Message { index: before.len(), what });
                }
                let mut rendered = self.render_whole(before, options)?;
                let start = rendered.text.len();
                let (text, plain) = marks::unmark(&self.marker(options).mark(&last.text(), true));
                rendered.plain.extend(plain.iter().map(|range| range.start + start..range.end + start));
                rendered.text.push_str(&text);
                rendered.generation_prompt.push_str(&text);
                Ok(rendered)
            }
            _ => self.render_whole(messages, options),
        }
    }

    /// What marks text, if it is to be marked.
    fn marker(&self, options: &RenderOptions) -> Cow<'_, Marker> {
        if options.mark_user_text { Cow::Borrowed(&self.marker) } else { Cow::Owned(Marker::default()) }
    }

    fn render_whole(&self, messages: &[Message], options: &RenderOptions) -> Result<Rendered, Error> {
        let capabilities = self.capabilities();
        let messages = tools::as_text(messages, &options.tools, capabilities)?;
        let marker = &self.marker(options);
        let mut vars = Map::new();
        vars.insert("messages".to_owned(), normalize::messages(&messages, capabilities, options, marker)?);
        vars.insert("bos_token".to_owned(), self.specials.bos.clone().into());
        vars.insert("eos_token".to_owned(), self.specials.eos.clone().into());
        if !options.tools.is_empty() && capabilities.tools {
            vars.insert("tools".to_owned(), normalize::tools(&options.tools, marker));
        }
        if let Some(thinking) = options.thinking {
            vars.insert("enable_thinking".to_owned(), thinking.into());
            vars.insert("thinking".to_owned(), thinking.into());
        }
        if let Some(effort) = &options.reasoning_effort {
            vars.insert("reasoning_effort".to_owned(), marker.mark(effort, false).into());
        }
        let mut kwargs = Json::Object(options.kwargs.clone());
        marker.mark_json(&mut kwargs);
        if let Json::Object(kwargs) = kwargs {
            vars.extend(kwargs);
        }
        self.finish(vars, options)
    }

    fn finish(&self, mut vars: Map<String, Json>, options: &RenderOptions) -> Result<Rendered, Error> {
        let mut render = |asks: bool| {
            vars.insert("add_generation_prompt".to_owned(), asks.into());
            self.engine.render(Json::Object(vars.clone()), options.now).map(|text| marks::unmark(&text))
        };
        let (text, plain) = render(options.add_generation_prompt)?;
        let generation_prompt = match options.add_generation_prompt {
            // A template that ends differently without the request to answer leaves nothing to tell apart.
            true => render(false).ok().and_then(|(before, _)| text.strip_prefix(&before).map(str::to_owned)),
            false => None,
        };
        Ok(Rendered { text, plain, generation_prompt: generation_prompt.unwrap_or_default() })
    }

    /// Renders with the variables given and nothing else: no message is touched, no text is marked.
    ///
    /// # Errors
    /// What the template refuses, or a limit it exceeds.
    pub fn render_raw(&self, vars: Map<String, Json>, now: Moment) -> Result<String, Error> {
        self.engine.render(Json::Object(vars), now)
    }
}
