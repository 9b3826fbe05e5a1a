//! `llama-rs run`: continues a text, answers a message, or chats.

mod chat;
mod input;
mod printer;
mod session;

use std::fs;
use std::io::{self, IsTerminal, Read};

use anyhow::{Context, Result, bail};
use engine::{Finish, Prompt};

use crate::args::RunArgs;
use crate::chat::{Message, Role};
use crate::{interrupt, output};
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
    interrupt::listen()?;
    let mut session = Session::open(args)?;
    match task {
        Task::Continue(text) => {
            let reply = session.generate(Prompt::rendered(text), &mut Printer::plain())?;
            close(args, &session, &reply)
        }
        Task::Answer(text) => {
            let mut messages = chat::opening(args);
            messages.push(Message { role: Role::User, text });
            let prompt = session.rendered(&messages)?;
            let reply = session.generate(prompt, &mut printer(args))?;
            close(args, &session, &reply)
        }
        Task::Chat { first } => chat::run(args, session, first),
    }
}

fn task(args: &RunArgs) -> Result<Task> {
    let text = text(args)?;
    Ok(match text {
        text if args.interactive => Task::Chat { first: text },
        Some(text) if args.raw => Task::Continue(text),
        Some(text) => Task::Answer(text),
        None if args.raw => bail!("--raw needs a text to continue: give -p TEXT, -f FILE or standard input"),
        None => Task::Chat { first: None },
    })
}

/// What the user said on the command line, in a file, or through a pipe. In a chat a pipe holds the turns.
fn text(args: &RunArgs) -> Result<Option<String>> {
    if let Some(text) = &args.prompt {
        return Ok(Some(text.clone()));
    }
    if let Some(path) = &args.file {
        return fs::read_to_string(path).map(Some).with_context(|| path.display().to_string());
    }
    if args.interactive || io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).context("standard input is not UTF-8 text")?;
    if text.is_empty() {
        bail!("standard input is empty: say something with -p TEXT, or run on a terminal to chat");
    }
    Ok(Some(text))
}

/// How answers are shown.
fn printer(args: &RunArgs) -> Printer {
    if args.plain || !io::stdout().is_terminal() { Printer::plain() } else { Printer::markdown() }
}

/// Ends the output of a single answer and says what should be known about it.
fn close(args: &RunArgs, session: &Session, reply: &Reply) -> Result<()> {
    if !reply.text.ends_with('\n') {
        output::emit("\n")?;
    }
    report(args, session, reply);
    match &reply.finish {
        Finish::Failed(error) => bail!("the answer could not be finished: {error}"),
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
    if args.stats {
        output::note(&reply.summary());
    }
}
