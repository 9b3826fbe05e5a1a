//! `llama-rs run`: continues a text, answers a message, or chats.

mod constraint;
mod conversation;
mod defaults;
mod form;
mod input;
mod printer;
mod session;
mod template;
mod tools;
mod transcript;

use std::io::{self, IsTerminal};

use anyhow::{Context, Result, bail};
use chat::{Message, Role};
use engine::Finish;

use crate::args::RunArgs;
use crate::{interrupt, output, terminal, text_file};
use printer::Printer;
use session::{Reply, Session};

/// What is to be done.
enum Task {
    Continue(String),
    Answer(String),
    Chat { first: Option<String> },
}

pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let task = task(args)?;
    let session = Session::open(args)?;
    #[cfg(unix)]
    terminal::modes::keep();
    interrupt::listen()?;
    match task {
        Task::Continue(text) => {
            let reply = session.answer(session.raw(text), &mut Printer::plain())?;
            close(args, &session, &reply)
        }
        Task::Answer(text) if !session.has_template() && !args.needs_template() => {
            output::note("note: this model has no chat template: the text is continued as it is");
            let reply = session.answer(session.raw(text), &mut Printer::plain())?;
            close(args, &session, &reply)
        }
        Task::Answer(text) => {
            let mut messages = conversation::opening(args)?;
            messages.push(Message::new(Role::User, text));
            if args.template {
                return output::emit(&session.template()?.render(&messages)?.text);
            }
            let reply = session.answer(session.question(&messages)?, &mut printer(args))?;
            close(args, &session, &reply)
        }
        Task::Chat { first } => conversation::run(args, session, first),
    }
}

fn task(args: &RunArgs) -> Result<Task> {
    let text = text(args)?;
    Ok(match text {
        text if args.interactive && !args.single_turn => Task::Chat { first: text },
        Some(text) if args.raw => Task::Continue(text),
        Some(text) => Task::Answer(args.framed(&text)),
        None if args.raw => bail!("--raw needs a text to continue: give -p TEXT, -f FILE or standard input"),
        None if args.template => {
            bail!("--template needs something to say: give -p TEXT, -f FILE or standard input")
        }
        None => Task::Chat { first: None },
    })
}

/// What the user said on the command line, in a file, or through a pipe. In a chat a pipe holds the turns.
fn text(args: &RunArgs) -> Result<Option<String>> {
    if let Some(text) = &args.prompt {
        return Ok(Some(args.unescaped(text)));
    }
    if let Some(path) = &args.binary_file {
        return text_file::read(path).map(Some);
    }
    if let Some(path) = &args.file {
        return text_file::read_prompt(path).map(Some);
    }
    if args.interactive || io::stdin().is_terminal() {
        return Ok(None);
    }
    let text = text_file::read_all(io::stdin().lock()).context("standard input")?;
    if text.is_empty() {
        bail!("standard input is empty: say something with -p TEXT, or run on a terminal to chat");
    }
    Ok(Some(text_file::without_last_break(text)))
}

/// How answers are shown.
fn printer(args: &RunArgs) -> Printer {
    if args.plain || !(io::stdout().is_terminal() && terminal::is_capable()) {
        Printer::plain()
    } else {
        Printer::terminal(!args.hide_thinking)
    }
}

/// Ends the output of a single answer and says what should be known about it.
fn close(args: &RunArgs, session: &Session, reply: &Reply) -> Result<()> {
    if !reply.answer.tool_calls.is_empty() || !reply.answer.content.ends_with('\n') {
        output::emit("\n")?;
    }
    report(args, session, reply);
    match &reply.finish {
        Finish::Failed(error) => bail!("the answer could not be finished: {error}"),
        Finish::Cancelled => Err(interrupt::Interrupted.into()),
        _ => Ok(()),
    }
}

/// Notes on how an answer ended, and what it took if that is wanted.
fn report(args: &RunArgs, session: &Session, reply: &Reply) {
    if matches!(reply.finish, Finish::ContextFull) {
        output::note(&format!(
            "note: the context of {} tokens is full; -c N makes it larger (the model was trained with {})",
            session.n_ctx(),
            session.n_ctx_train()
        ));
    }
    let answer = &reply.answer;
    if answer.content.is_empty() && answer.tool_calls.is_empty() && !answer.reasoning.is_empty() {
        output::note(
            "note: the model was still thinking when it stopped: there is no answer; -n N lets it say more, \
             --reasoning-budget N makes it think less",
        );
    }
    if answer.malformed {
        output::note(
            "note: a tool call was begun and could not be read as one; what is left of it is in the answer",
        );
    }
    if args.stats || args.verbose {
        output::note(&reply.summary());
    }
}
