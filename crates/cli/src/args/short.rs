//! What llama.cpp's command line allows and that of everybody else does not: flags of one dash and several letters, and
//! underscores in long ones. Also flags that it once had, which have become values of others.

use std::ffi::OsString;

/// Each and what it stands for.
const LONG: &[(&str, &str)] = &[
    ("-ngl", "--n-gpu-layers"),
    ("-pg", "--pg"),
    ("-ub", "--ubatch-size"),
    ("-npp", "--npp"),
    ("-ntg", "--ntg"),
    ("-npl", "--npl"),
    ("-pps", "--shared-prompt"),
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

/// The arguments with such flags in their usual form. What follows `--` is left alone.
pub(crate) fn expanded(args: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut is_literal = false;
    args.into_iter().map(move |arg| {
        is_literal |= arg == "--";
        if is_literal {
            return arg;
        }
        match LONG.iter().find(|(short, _)| arg == *short) {
            Some((_, long)) => OsString::from(long),
            None => arg.to_str().and_then(with_dashes).map_or(arg, OsString::from),
        }
    })
}

/// `--top_k=40` as `--top-k=40`.
fn with_dashes(arg: &str) -> Option<String> {
    let name = arg.split('=').next().filter(|name| name.starts_with("--") && name.contains('_'))?;
    Some(name.replace('_', "-") + &arg[name.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let args = ["run", "-ngl", "3", "-n", "1", "--", "-ngl"].map(OsString::from);
        let want = ["run", "--n-gpu-layers", "3", "-n", "1", "--", "-ngl"].map(OsString::from);
        assert_eq!(expanded(args).collect::<Vec<_>>(), want);
        let args = ["--top_k", "1_0", "--a_b=c_d", "-p", "_", "--", "--x_y"].map(OsString::from);
        let want = ["--top-k", "1_0", "--a-b=c_d", "-p", "_", "--", "--x_y"].map(OsString::from);
        assert_eq!(expanded(args).collect::<Vec<_>>(), want);
    }
}
