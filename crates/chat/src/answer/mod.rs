//! Answers of a model become messages: reasoning, text and calls of tools, as they stream. The dialect of a model is
//! data, a file each in `dialects/`; without one it is derived from the template. Parsing never fails: what is not
//! understood stays text, and the answer says so.

mod arguments;
mod channels;
mod derive;
mod dialects;
mod input;
mod json;
mod layout;
mod machine;
mod output;

use crate::{Template, Tool};
use channels::{Channels, Headers};
use input::Input;
use layout::Layout;
use machine::Machine;
use output::Output;

pub use output::{Answer, Delta};

/// How a model writes its answers.
#[derive(Clone, Debug)]
pub struct Dialect {
    name: &'static str,
    form: Form,
}

/// The two ways of putting an answer together.
#[derive(Clone, Debug)]
enum Form {
    /// Text with marked parts.
    Layout(Layout),
    /// Messages with headers.
    Headers(Headers),
}

impl Dialect {
    /// The dialect of the models that this template belongs to.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        match dialects::find(template.source()) {
            Some((name, form)) => Self { name, form },
            None => Self { name: "derived", form: Form::Layout(derive::derive(template)) },
        }
    }

    /// Its name; `derived` if it was found out from the template.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The tags around what the model thinks, and whether this end of a prompt has opened them; `None` where no
    /// pair of tags marks it.
    #[must_use]
    pub fn thinking(&self, generation_prompt: &str) -> Option<ThinkingTags<'_>> {
        let Form::Layout(Layout { thinking: Some(thinking), .. }) = &self.form else { return None };
        let is_open = begins_thinking(generation_prompt, thinking);
        Some(ThinkingTags { start: thinking.start.trim(), end: thinking.end.trim(), is_open })
    }
}

/// How a model marks what it thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThinkingTags<'a> {
    /// Empty if only prompts open it.
    pub start: &'a str,
    pub end: &'a str,
    /// The prompt has opened it already.
    pub is_open: bool,
}

/// What to look for in an answer.
#[derive(Clone, Debug)]
pub struct AnswerOptions {
    /// The tools that may be called; without any, nothing is taken for a call.
    pub tools: Vec<Tool>,
    /// Tell reasoning from content. If not, its text and tags stay in the content.
    pub split_reasoning: bool,
    /// The end of the prompt, [`crate::Rendered::generation_prompt`]: it may have begun the answer.
    pub generation_prompt: String,
}

impl Default for AnswerOptions {
    fn default() -> Self {
        Self { tools: Vec::new(), split_reasoning: true, generation_prompt: String::new() }
    }
}

/// Reads an answer while it is being generated.
#[derive(Debug)]
pub struct AnswerParser {
    reader: Reader,
    input: Input,
    output: Output,
}

#[derive(Debug)]
enum Reader {
    Machine(Machine),
    Channels(Channels),
}

impl AnswerParser {
    #[must_use]
    pub fn new(dialect: &Dialect, options: &AnswerOptions) -> Self {
        let parses_calls = !options.tools.is_empty();
        let mut input = Input::default();
        let reader = match &dialect.form {
            Form::Layout(layout) => {
                let mut layout = layout.clone();
                layout.calls = layout.calls.filter(|_| parses_calls);
                let prompt = &options.generation_prompt;
                let mut is_thinking =
                    layout.thinking.as_ref().is_some_and(|thinking| begins_thinking(prompt, thinking));
                if let Some(thinking) = layout.thinking.take_if(|_| !options.split_reasoning) {
                    // The tags are part of the text then, those in the prompt too.
                    layout
                        .dropped
                        .retain(|text| !thinking.end.contains(text) && !thinking.start.contains(text));
                    if is_thinking && !thinking.start.is_empty() {
                        input.push(prompt.rfind(thinking.start.trim()).map_or("", |at| &prompt[at..]));
                    }
                    is_thinking = false;
                }
                Reader::Machine(Machine::new(layout, &options.tools, is_thinking))
            }
            Form::Headers(headers) => {
                let begun =
                    options.generation_prompt.rsplit_once(headers.start).map_or("", |(_, begun)| begun);
                input.push(begun);
                let split = options.split_reasoning;
                Reader::Channels(Channels::new(headers.clone(), &options.tools, parses_calls, split))
            }
        };
        Self { reader, input, output: Output::default() }
    }

    /// Takes more text and returns what can be told of it. Some of it may be held until more comes.
    pub fn push(&mut self, text: &str) -> Vec<Delta> {
        self.input.push(text);
        self.run()
    }

    /// The answer is over: returns the rest, and whether some of it was not understood.
    pub fn finish(mut self) -> (Vec<Delta>, bool) {
        self.input.is_finished = true;
        let deltas = self.run();
        (deltas, self.output.malformed)
    }

    fn run(&mut self) -> Vec<Delta> {
        match &mut self.reader {
            Reader::Machine(machine) => machine.run(&mut self.input, &mut self.output),
            Reader::Channels(channels) => channels.run(&mut self.input, &mut self.output),
        }
        std::mem::take(&mut self.output.deltas)
    }

    /// Reads a whole answer at once.
    #[must_use]
    pub fn parse(dialect: &Dialect, options: &AnswerOptions, text: &str) -> Answer {
        let mut parser = Self::new(dialect, options);
        let mut answer = Answer::default();
        parser.push(text).into_iter().for_each(|delta| answer.apply(delta));
        let (rest, malformed) = parser.finish();
        rest.into_iter().for_each(|delta| answer.apply(delta));
        answer.malformed = malformed;
        answer
    }
}

/// Whether the prompt has opened the thinking and not closed it.
fn begins_thinking(prompt: &str, thinking: &layout::Thinking) -> bool {
    if thinking.start.is_empty() {
        return !prompt.contains(thinking.end.trim());
    }
    let start = prompt.rfind(thinking.start.trim());
    let end = prompt.rfind(thinking.end.trim());
    start.is_some_and(|start| end.is_none_or(|end| end < start))
}
