//! llama.cpp's flags of one dash and several letters, which the command line of everybody else does not know.

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
    ("-sp", "--special"),
    ("-jf", "--json-schema-file"),
];

/// The arguments with such flags in their long form. What follows `--` is left alone.
pub(crate) fn expanded(args: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut is_literal = false;
    args.into_iter().map(move |arg| {
        is_literal |= arg == "--";
        let long = LONG.iter().find(|(short, _)| !is_literal && arg == *short);
        long.map_or(arg, |(_, long)| OsString::from(long))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let args = ["run", "-ngl", "3", "-n", "1", "--", "-ngl"].map(OsString::from);
        let want = ["run", "--n-gpu-layers", "3", "-n", "1", "--", "-ngl"].map(OsString::from);
        assert_eq!(expanded(args).collect::<Vec<_>>(), want);
    }
}
