//! Splits Rust source into code, comments and string literals, line by line, so that a rule about code is not
//! misled by text. Not a parser: it knows where literals and comments begin and end, and nothing else.

/// One line of a source file.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What is left when comments are gone and literals are emptied: `"..."` is `""`.
    pub(super) code: String,
    /// Comments, with their slashes.
    pub(super) comment: String,
    /// The string literals that begin on this line, as written between the quotes.
    pub(super) strings: Vec<String>,
}

impl Line {
    /// Whether the code has `word`, not as a part of a longer one.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).any(|(at, _)| {
            !self.code[..at].ends_with(is_part) && !self.code[at + word.len()..].starts_with(is_part)
        })
    }
}

pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut splitter = Splitter { rest: text, done: Vec::new(), line: Line::default() };
    while let Some(next) = splitter.rest.chars().next() {
        splitter.step(next);
    }
    if splitter.line != Line::default() {
        splitter.end_line();
    }
    splitter.done
}

struct Splitter<'a> {
    rest: &'a str,
    done: Vec<Line>,
    line: Line,
}

impl<'a> Splitter<'a> {
    fn step(&mut self, next: char) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            let comment = self.take(end);
            self.line.comment.push_str(comment);
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if let Some(n_hashes) = self.raw_string_hashes() {
            let open = self.rest.find('"').expect("a raw string has a quote") + 1;
            self.take(open);
            let close = format!("\"{}", "#".repeat(n_hashes));
            let end = self.rest.find(&close).unwrap_or(self.rest.len());
            self.string(end, close.len());
        } else if next == '"' {
            self.take(1);
            let end = end_of_string(self.rest);
            self.string(end, 1);
        } else if let Some(length) = char_literal_length(self.rest) {
            self.take(length);
            self.line.code.push_str("' '");
        } else if next == '\n' {
            self.take(1);
            self.end_line();
        } else {
            self.take(next.len_utf8());
            self.line.code.push(next);
        }
    }

    fn take(&mut self, n_bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(n_bytes.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn end_line(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
    }

    /// A literal of which `length` bytes remain, then a closing quote of `close` bytes.
    fn string(&mut self, length: usize, close: usize) {
        let content = self.take(length);
        self.take(close);
        self.line.strings.push(content.to_owned());
        self.line.code.push_str("\"\"");
        for _ in content.matches('\n') {
            self.end_line();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            let length = match self.rest.get(..2) {
                Some("/*") => 2,
                Some("*/") => 2,
                _ => self.rest.chars().next().map_or(0, char::len_utf8),
            };
            match self.take(length) {
                "" => return,
                "\n" => self.end_line(),
                text => {
                    depth = match text {
                        "/*" => depth + 1,
                        "*/" => depth - 1,
                        _ => depth,
                    };
                    self.line.comment.push_str(text);
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// `r"`, `br#"` and the like begin here; a raw identifier `r#type` does not.
    fn raw_string_hashes(&self) -> Option<usize> {
        let in_word = self.line.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let after_r = ["r", "br", "cr"].iter().find_map(|prefix| self.rest.strip_prefix(prefix))?;
        let n_hashes = after_r.len() - after_r.trim_start_matches('#').len();
        (!in_word && after_r[n_hashes..].starts_with('"')).then_some(n_hashes)
    }
}

fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let closes = |(_, c): &(usize, char)| {
        let closes = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        closes
    };
    text.char_indices().find(closes).map_or(text.len(), |(at, _)| at)
}

/// `'a'` and `'\n'` are literals; `'a` is a lifetime or a label.
fn char_literal_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let close = if first == '\\' {
        let escaped = inside.chars().nth(1)?.len_utf8();
        1 + escaped + inside[1 + escaped..].find('\'')?
    } else {
        first.len_utf8()
    };
    inside[close..].starts_with('\'').then_some(close + 2)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn code_comments_and_strings_are_told_apart() {
        let check = |text: &str, expect: &[(&str, &str, &[&str])]| {
            let found = lines(text);
            let found: Vec<(&str, &str, Vec<&str>)> = found
                .iter()
                .map(|line| (&*line.code, &*line.comment, line.strings.iter().map(|s| &**s).collect()))
                .collect();
            let expect: Vec<_> =
                expect.iter().map(|(code, comment, s)| (*code, *comment, s.to_vec())).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("let a = 1; // unsafe", &[("let a = 1; ", "// unsafe", &[])]);
        check("f(\"// no\", b\"\\\"x\");", &[("f(\"\", b\"\");", "", &["// no", "\\\"x"])]);
        check("r#\"a\"b\"#; r#type", &[("\"\"; r#type", "", &["a\"b"])]);
        check("for\"x\"", &[("for\"\"", "", &["x"])]);
        check("a /* b /* c\n */ d */ e", &[("a ", "/* b /* c", &[]), (" e", " */ d */", &[])]);
        check("'\"' 'a '\\'' '\\u{1}'", &[("' ' 'a ' ' ' '", "", &[])]);
        check("\"a\nb\"\nc", &[("\"\"", "", &["a\nb"]), ("", "", &[]), ("c", "", &[])]);
        check("é 'é' \"é\"", &[("é ' ' \"\"", "", &["é"])]);
        check("\"open", &[("\"\"", "", &["open"])]);
    }

    #[test]
    fn words_are_whole() {
        let line = &lines("unsafe_code(unsafe)")[0];
        assert!(line.has_word("unsafe") && line.has_word("unsafe_code") && !line.has_word("code"));
    }
}
