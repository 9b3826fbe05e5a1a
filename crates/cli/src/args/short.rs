//! What llama.cpp's command line allows and that of everybody else does not: flags of one dash and several letters, and
//! underscores in long ones. Also flags that it once had, which have become values of others.

use std::ffi::OsString;

use clap::Command;

/// Each and what it stands for.
const LONG: &[(&str, &str)] = &[
    ("-ngl", "--n-gpu-layers"),
    ("-pg", "--pg"),
    ("-ub", "--ubatch-size"),
    ("-npp", "--npp"),
    ("-ntg", "--ntg"),
    ("-npl", "--npl"),
    ("-pps", "--shared-prompt"),
    ("-tb", "--threads-batch"),
    ("-fa", "--flash-attn"),
    ("-bf", "--binary-file"),
    ("-mli", "--multiline-input"),
    ("-ctk", "--cache-type-k"),
    ("-ctv", "--cache-type-v"),
    ("-sys", "--system-prompt"),
    ("-sysf", "--system-prompt-file"),
    ("-sp", "--special"),
    ("-cnv", "--interactive"),
    ("-no-cnv", "--raw"),
    ("-st", "--single-turn"),
    ("-rea", "--reasoning"),
    ("-jf", "--json-schema-file"),
    ("-lm", "--load-mode"),
    ("--mmap", "--load-mode=mmap"),
    ("--no-mmap", "--load-mode=none"),
    ("--mlock", "--load-mode=mlock"),
];

/// The arguments of `command` with such flags in their usual form. Values of flags are left alone, as is what follows
/// `--`.
pub(crate) fn expanded(mut command: Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    command.build();
    let mut command = &command;
    let mut is_literal = false;
    let mut is_value = false;
    let mut out = Vec::new();
    for arg in args {
        is_literal |= !is_value && arg == "--";
        if is_literal || std::mem::take(&mut is_value) {
            out.push(arg);
            continue;
        }
        let arg = usual(arg);
        is_value = wants_value(command, &arg);
        command = command.find_subcommand(&arg).unwrap_or(command);
        out.push(arg);
    }
    out
}

fn usual(arg: OsString) -> OsString {
    match LONG.iter().find(|(short, _)| arg == *short) {
        Some((_, long)) => OsString::from(long),
        None => arg.to_str().and_then(with_dashes).map_or(arg, OsString::from),
    }
}

/// Whether this is a flag, and the argument after it its value.
fn wants_value(command: &Command, arg: &OsString) -> bool {
    let Some(arg) = arg.to_str() else { return false };
    let takes = |is_it: &dyn Fn(&clap::Arg) -> bool| {
        command.get_arguments().any(|flag| is_it(flag) && flag.get_action().takes_values())
    };
    if let Some(name) = arg.strip_prefix("--") {
        let is_it = |flag: &clap::Arg| {
            flag.get_long() == Some(name) || flag.get_all_aliases().is_some_and(|names| names.contains(&name))
        };
        return takes(&is_it);
    }
    let Some(letters) = arg.strip_prefix('-') else { return false };
    // Of letters in one argument, the first one that takes a value takes the rest of them.
    let first = letters.chars().position(|c| takes(&|flag| flag.get_short() == Some(c)));
    first.is_some_and(|at| at + 1 == letters.chars().count())
}

/// `--top_k=40` as `--top-k=40`.
fn with_dashes(arg: &str) -> Option<String> {
    let name = arg.split('=').next().filter(|name| name.starts_with("--") && name.contains('_'))?;
    Some(name.replace('_', "-") + &arg[name.len()..])
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn flags_are_changed_and_values_are_not() {
        for (args, want) in [
            ("run -ngl 3 -n 1 -- -ngl", "run --n-gpu-layers 3 -n 1 -- -ngl"),
            ("run --top_k 1_0 --a_b=c_d -p _ -- --x_y", "run --top-k 1_0 --a-b=c_d -p _ -- --x_y"),
            ("run -p --a_b --n_predict 1", "run -p --a_b --n-predict 1"),
            ("run --prompt -ub -ub 3", "run --prompt -ub --ubatch-size 3"),
            ("run -ip -fa -fa on", "run -ip -fa --flash-attn on"),
            ("run -p -- --top_k 1", "run -p -- --top-k 1"),
            ("tokenize m --no_special -p --a_b", "tokenize m --no-special -p --a_b"),
        ] {
            let words = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
            let args = words(&format!("llama-rs {args}"));
            assert_eq!(expanded(Cli::command(), args), words(&format!("llama-rs {want}")));
        }
    }
}
