//! The chat: turns of a person, answers, and the commands that begin with a slash.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::{Result, bail};
use chat::{Message, Role};
use engine::Finish;

use super::input::{Input, Turn};
use super::session::Session;
use super::{printer, report, transcript};
use crate::args::RunArgs;
use crate::{output, text_file};

const HELP: &str = "\
/system TEXT   set the system message; without TEXT, remove it
/model FILE    go on with another model
/undo          take back the last question and its answer
/retry         answer the last question anew
/save FILE     write the conversation as JSON
/load FILE     read one
/tool TEXT     give the result of a tool that was called
/tokens        how much of the context is used
/clear         begin a new conversation
/exit          leave; so does Ctrl-D
Ctrl-C stops an answer. Alt-Enter begins a new line; so does Enter between \"\"\" and \"\"\",
where a text may also begin with a slash.";

/// The conversation before the first turn.
pub(super) fn opening(args: &RunArgs) -> Result<Vec<Message>> {
    let system = match &args.system_prompt_file {
        Some(path) => Some(text_file::read_prompt(path)?),
        None => args.system.clone(),
    };
    Ok(system.map(|text| Message::new(Role::System, text)).into_iter().collect())
}

struct Chat<'a> {
    args: &'a RunArgs,
    session: Session,
    messages: Vec<Message>,
}

pub(super) fn run(args: &RunArgs, session: Session, first: Option<String>) -> Result<()> {
    let mut chat = Chat { args, session, messages: opening(args)? };
    // A model without a usable template is refused before anything is typed.
    chat.session.template()?;
    if io::stdin().is_terminal() {
        let end = if args.multiline_input { ", with \\ at its end" } else { "" };
        output::note(&format!("Say something{end}; /help shows what else can be done."));
    }
    let mut input = Input::new(args.multiline_input);
    let mut turn = first.map(Turn::Text);
    loop {
        let next = match turn.take() {
            Some(turn) => Some(turn),
            None => input.read()?,
        };
        #[cfg(unix)]
        let _quiet = input.quiet();
        let done = match next {
            None => return Ok(()),
            Some(Turn::Command(command)) if matches!(command.trim(), "exit" | "quit" | "bye") => {
                return Ok(());
            }
            Some(Turn::Command(command)) => chat.command(&command),
            Some(Turn::Text(text)) if text.trim().is_empty() => Ok(()),
            Some(Turn::Text(text)) if args.single_turn => return chat.say(args.framed(&text)),
            Some(Turn::Text(text)) => chat.say(args.framed(&text)),
        };
        if let Err(error) = done {
            if output::is_closed(&error) {
                return Err(error);
            }
            output::note(&format!("error: {error:#}"));
        }
    }
}

impl Chat<'_> {
    fn say(&mut self, text: String) -> Result<()> {
        self.messages.push(Message::new(Role::User, text));
        let answered = self.answer();
        if answered.is_err() {
            // The question could not be put to the model: as if it had not been asked.
            self.messages.pop();
        }
        answered
    }

    /// Answers the last message.
    fn answer(&mut self) -> Result<()> {
        let question = self.session.question(&self.messages)?;
        let reply = self.session.answer(question, &mut printer(self.args))?;
        output::emit("\n")?;
        report(self.args, &self.session, &reply);
        if let Finish::Failed(error) = &reply.finish {
            bail!("{error}");
        }
        let chat::Answer { content, reasoning, tool_calls, .. } = reply.answer;
        let reasoning = Some(reasoning).filter(|thoughts| !thoughts.is_empty());
        self.messages.push(Message { reasoning, tool_calls, ..Message::new(Role::Assistant, content) });
        Ok(())
    }

    /// Takes the result of the first call that has none; after the last one the model goes on.
    fn tool_result(&mut self, text: &str) -> Result<()> {
        let n_results = self.messages.iter().rev().take_while(|message| message.role == Role::Tool).count();
        let at = self.messages.len() - n_results;
        let calls = self.messages[..at].last().map_or(&[][..], |message| &message.tool_calls);
        let Some(call) = calls.get(n_results) else { bail!("no call of a tool waits for a result") };
        let is_last = n_results + 1 == calls.len();
        let (tool_call_id, name) =
            (Some(call.id.clone()).filter(|id| !id.is_empty()), Some(call.name.clone()));
        self.messages.push(Message { tool_call_id, name, ..Message::new(Role::Tool, text) });
        if is_last { self.answer() } else { Ok(()) }
    }

    fn command(&mut self, command: &str) -> Result<()> {
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match (name, rest) {
            ("help" | "?", "") => output::note(HELP),
            ("system", _) => self.set_system(rest),
            ("model", _) => {
                let session = Session::open_model(self.args, &file(name, rest)?)?;
                session.template()?;
                self.session = session;
            }
            ("undo", "") => drop(self.take_question()?),
            ("retry" | "regen", "") => self.retry()?,
            ("tool", _) => self.tool_result(rest)?,
            ("save", _) => transcript::save(&self.messages, &file(name, rest)?)?,
            ("load", _) => self.messages = transcript::load(&file(name, rest)?)?,
            ("tokens", "") => output::note(&format!(
                "{} of {} tokens",
                self.session.n_tokens(&self.messages)?,
                self.session.n_ctx()
            )),
            ("clear", "") => self.messages = opening(self.args)?,
            ("help" | "?" | "undo" | "retry" | "regen" | "tokens" | "clear" | "exit" | "quit" | "bye", _) => {
                bail!("/{name} takes nothing after it");
            }
            _ => bail!("there is no command /{name}; /help shows those there are"),
        }
        Ok(())
    }

    fn set_system(&mut self, text: &str) {
        self.messages.retain(|message| !matches!(message.role, Role::System | Role::Developer));
        if !text.is_empty() {
            self.messages.insert(0, Message::new(Role::System, text));
        }
    }

    /// Answers the last question anew; where that fails, what was there stays.
    fn retry(&mut self) -> Result<()> {
        let before = self.messages.clone();
        let question = self.take_question()?;
        let answered = self.say(question);
        if answered.is_err() {
            self.messages = before;
        }
        answered
    }

    /// Takes the last question out of the conversation, and all that follows it.
    fn take_question(&mut self) -> Result<String> {
        let Some(at) = self.messages.iter().rposition(|message| message.role == Role::User) else {
            bail!("nothing has been asked yet");
        };
        Ok(self.messages.drain(at..).next().expect("the question").text())
    }
}

/// The file a command names.
fn file(command: &str, name: &str) -> Result<PathBuf> {
    if name.is_empty() {
        bail!("/{command} needs the name of a file");
    }
    Ok(at_home(name, std::env::home_dir()))
}

/// There is no shell here that would know `~`.
fn at_home(name: &str, home: Option<PathBuf>) -> PathBuf {
    match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_may_be_at_home() {
        for (name, want) in [("~/a b.json", "/me/a b.json"), ("~you/a", "~you/a"), ("a/~/b", "a/~/b")] {
            assert_eq!(at_home(name, Some(PathBuf::from("/me"))), PathBuf::from(want));
        }
    }
}
