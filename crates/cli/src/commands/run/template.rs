//! The chat template of a session: which it is, what it makes of a conversation, how answers are read back.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use chat::{
    AnswerOptions, AnswerParser, Dialect, Message, Moment, RenderOptions, Rendered, Specials, Template,
    ThinkingTags,
};
use gguf::Metadata;
use serde_json::{Map, Value};
use tokenizer::{TokenAttr, TokenId, Tokenizer};

use super::tools;
use crate::args::{Reasoning, RunArgs};
use crate::{output, text_file};

pub(super) const TEMPLATE_KEY: &str = "tokenizer.chat_template";

pub(super) struct ChatTemplate {
    template: Template,
    dialect: Dialect,
    options: RenderOptions,
    split_reasoning: bool,
}

impl ChatTemplate {
    /// The template the flags name, or else the model's.
    ///
    /// # Errors
    /// If there is none, or it cannot be compiled.
    pub(super) fn open(args: &RunArgs, metadata: &Metadata, tokenizer: &Tokenizer) -> Result<Self> {
        let specials = specials(tokenizer);
        let template = match (&args.chat_template, &args.chat_template_file) {
            (Some(name), _) if chat::builtin::names().any(|known| known == name) => {
                Template::named(name, &specials).context("--chat-template")?
            }
            (Some(text), _) if text.contains("{%") || text.contains("{{") => {
                Template::new(text, &specials).context("--chat-template")?
            }
            (Some(name), _) => Template::named(name, &specials).context("--chat-template")?,
            (None, Some(path)) => {
                let text = text_file::read(path)?;
                Template::new(&text, &specials).with_context(|| path.display().to_string())?
            }
            (None, None) => {
                let Some(source) = metadata.get::<&str>(TEMPLATE_KEY)? else {
                    bail!(
                        "this model has no chat template: give --raw to continue the text as it is, or \
                         --chat-template NAME"
                    );
                };
                Template::new(source, &specials)
                    .context("the model's chat template; --chat-template replaces it")?
            }
        };
        check_switches(args, &template)?;
        let dialect = Dialect::of(&template);
        let kwargs = kwargs(args.chat_template_kwargs.as_deref()).context("--chat-template-kwargs")?;
        let thinking = match args.reasoning {
            Reasoning::On => Some(true),
            Reasoning::Off => Some(false),
            Reasoning::Auto => None,
        };
        let tools = tools::open(args.tools.as_deref())?;
        Ok(Self {
            template,
            dialect,
            split_reasoning: args.reasoning_format.splits(),
            options: RenderOptions {
                kwargs,
                thinking,
                reasoning_effort: args.reasoning_effort.clone(),
                tools,
                ..RenderOptions::default()
            },
        })
    }

    pub(super) fn render(&self, messages: &[Message]) -> Result<Rendered> {
        let options = RenderOptions { now: now()?, ..self.options.clone() };
        self.template.render(messages, &options).map_err(|error| anyhow!("the chat template: {error}"))
    }

    /// A reader of the answer to a prompt.
    pub(super) fn parser(&self, generation_prompt: &str) -> AnswerParser {
        let options = AnswerOptions {
            tools: self.options.tools.clone(),
            generation_prompt: generation_prompt.to_owned(),
            split_reasoning: self.split_reasoning,
        };
        AnswerParser::new(&self.dialect, &options)
    }

    /// How thinking is marked in the answer to a prompt.
    pub(super) fn thinking(&self, generation_prompt: &str) -> Option<ThinkingTags<'_>> {
        self.dialect.thinking(generation_prompt)
    }
}

/// Flags on thinking that the template cannot follow.
fn check_switches(args: &RunArgs, template: &Template) -> Result<()> {
    let capabilities = template.capabilities();
    if args.reasoning_effort.is_some() && !capabilities.reasoning_effort {
        bail!(
            "--reasoning-effort: this model's template makes no difference between efforts; leave the flag out"
        );
    }
    if args.reasoning != Reasoning::Auto && !capabilities.thinking_switch {
        output::note(
            "note: this model's template cannot be told whether to think, so --reasoning changes nothing; \
             --reasoning-budget 0 ends thinking where it is marked",
        );
    }
    Ok(())
}

fn specials(tokenizer: &Tokenizer) -> Specials {
    let vocab = tokenizer.vocab();
    let text =
        |id: TokenId| vocab.text(id).and_then(|text| std::str::from_utf8(text).ok()).map(str::to_owned);
    let control = (0..vocab.len() as TokenId).filter(|id| vocab.attr(*id).has(TokenAttr::CONTROL));
    let special = vocab.special();
    Specials {
        bos: special.bos.and_then(text).unwrap_or_default(),
        eos: special.eos.and_then(text).unwrap_or_default(),
        control: control.filter_map(text).collect(),
    }
}

fn kwargs(text: Option<&str>) -> Result<Map<String, Value>> {
    let Some(text) = text else { return Ok(Map::new()) };
    match serde_json::from_str(text).context("not JSON")? {
        Value::Object(kwargs) => Ok(kwargs),
        other => bail!("expected a JSON object, found {other}"),
    }
}

fn now() -> Result<Moment> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(Moment::from_unix(i64::try_from(since.as_secs())?))
}
