//! Escape sequences in texts of the command line, as llama.cpp reads them: shells make a line break hard to type.

/// `\n \r \t \' \" \\ \xHH` become what they stand for; everything else stays.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, n) = match (first, after) {
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [c @ (b'\'' | b'"' | b'\\'), ..]) => (*c, 2),
            (b'\\', [b'x', hex @ ..]) => hex_byte(hex).map_or((*first, 1), |byte| (byte, 4)),
            _ => (*first, 1),
        };
        out.push(byte);
        rest = &rest[n..];
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex_byte(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (high, low) = (text.first().and_then(digit)?, text.get(1).and_then(digit)?);
    u8::try_from(16 * high + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_read_and_others_stay() {
        for (text, want) in [
            (r"a\nb\t\\n", "a\nb\t\\n"),
            (r"\d+ C:\q \", r"\d+ C:\q \"),
            (r"\x41\xe4\xb8\xad\x4", "A中\\x4"),
            (r"\xff", "\u{fffd}"),
            (r#"say \"hi\""#, "say \"hi\""),
        ] {
            assert_eq!(unescaped(text), want, "{text}");
        }
    }
}
