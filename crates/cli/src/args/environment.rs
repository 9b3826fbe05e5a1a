//! llama.cpp's variables of the environment stand for flags that are not given. One that contradicts a given flag is
//! passed over: who types a flag does not think of variables.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// The command as it is to parse `args`.
pub(crate) fn without_contradictions(command: Command, args: &[OsString]) -> Command {
    let bare = command.clone().ignore_errors(true).mut_subcommands(|sub| sub.mut_args(unset));
    let Ok(matches) = bare.try_get_matches_from(args) else { return command };
    let Some((name, given)) = matches.subcommand() else { return command };
    command.mut_subcommand(name, |sub| {
        // Conflicts are known to a command that is built, which cannot be changed any more.
        let mut built = sub.clone();
        built.build();
        let contradicts = |arg: &Arg| {
            let others = built.get_arguments().filter(|other| is_given(given, other));
            let is_one = |other: &Arg, of: &Arg| {
                built.get_arg_conflicts_with(of).iter().any(|arg| arg.get_id() == other.get_id())
            };
            others.into_iter().any(|other| is_one(other, arg) || is_one(arg, other))
        };
        let passed_over: Vec<_> = built
            .get_arguments()
            .filter(|arg| arg.get_env().is_some() && contradicts(arg))
            .map(|arg| arg.get_id().clone())
            .collect();
        passed_over.into_iter().fold(sub, |sub, id| sub.mut_arg(id, unset))
    })
}

fn unset(arg: Arg) -> Arg {
    arg.env(None)
}

fn is_given(matches: &ArgMatches, arg: &Arg) -> bool {
    matches.try_contains_id(arg.get_id().as_str()).is_ok()
        && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}
