//! Finds the strings that end an answer, wherever the tokens cut them, and holds back what may become one.

/// Watches a text that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct StopStrings {
    stops: Vec<String>,
    /// Text that may be the start of a stop string.
    held: String,
}

impl StopStrings {
    /// Empty strings stop nothing.
    pub(crate) fn new(mut stops: Vec<String>) -> Self {
        stops.retain(|stop| !stop.is_empty());
        Self { stops, held: String::new() }
    }

    /// Takes more text and appends to `out` what certainly belongs to the answer. The stop string that ends the
    /// answer, if one is complete: of several the one complete first, of these the longest. Neither it nor what is
    /// behind it is part of the answer.
    pub(crate) fn push(&mut self, text: &str, out: &mut String) -> Option<&str> {
        if self.stops.is_empty() {
            out.push_str(text);
            return None;
        }
        self.held.push_str(text);
        let held = &self.held;
        let first = |stop: &String| held.find(stop.as_str()).map(|at| (at + stop.len(), at));
        let found = self.stops.iter().enumerate().filter_map(|(i, stop)| Some((first(stop)?, i))).min();
        if let Some(((_, at), i)) = found {
            out.push_str(&held[..at]);
            self.held.clear();
            return Some(&self.stops[i]);
        }
        let n_sure = self.n_sure();
        out.push_str(&self.held[..n_sure]);
        self.held.drain(..n_sure);
        None
    }

    /// What was held back, as no more text comes.
    pub(crate) fn finish(&mut self, out: &mut String) {
        out.push_str(&self.held);
        self.held.clear();
    }

    /// Bytes at the start of the held text that no stop string can reach.
    fn n_sure(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let from = self.held.len().saturating_sub(longest.saturating_sub(1));
        let is_start = |at: &usize| {
            self.held.is_char_boundary(*at) && self.stops.iter().any(|s| s.starts_with(&self.held[*at..]))
        };
        (from..self.held.len()).find(is_start).unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces in, the released text after each, and whether and by what it ended.
    fn check(stops: &[&str], pieces: &[&str], want: &[&str], end: Option<&str>) {
        let mut watch = StopStrings::new(stops.iter().map(|s| (*s).to_owned()).collect());
        let (mut released, mut ended) = (Vec::new(), None);
        for piece in pieces {
            let mut out = String::new();
            ended = watch.push(piece, &mut out).map(str::to_owned);
            released.push(out);
            if ended.is_some() {
                break;
            }
        }
        if ended.is_none() {
            let mut out = String::new();
            watch.finish(&mut out);
            released.push(out);
        }
        assert_eq!(released, want, "{stops:?} {pieces:?}");
        assert_eq!(ended.as_deref(), end, "{stops:?} {pieces:?}");
    }

    #[test]
    fn text_is_held_back_only_while_it_may_become_a_stop() {
        check(&[], &["ab", "c"], &["ab", "c", ""], None);
        check(&[""], &["ab"], &["ab", ""], None);
        check(&["END"], &["xE", "N", "D tail"], &["x", "", ""], Some("END"));
        check(&["END"], &["xE", "N", "d"], &["x", "", "ENd", ""], None);
        check(&["END"], &["EEN", "D"], &["E", ""], Some("END"));
        check(&["END"], &["aEN"], &["a", "EN"], None);
        check(&["\n\n"], &["a\n", "b\n\nc"], &["a", "\nb"], Some("\n\n"));
        check(&["aab"], &["aa", "a", "b"], &["", "a", ""], Some("aab"));
        check(&["é!"], &["caf", "é", "e"], &["caf", "", "ée", ""], None);
        check(&["日本"], &["日", "本"], &["", ""], Some("日本"));
    }

    #[test]
    fn the_stop_that_is_complete_first_wins() {
        check(&["abcd", "bc"], &["abcd"], &["a"], Some("bc"));
        check(&["bc", "abc"], &["xabc"], &["x"], Some("abc"));
        check(&["tail", "stop"], &["a stop tail"], &["a "], Some("stop"));
    }

    #[test]
    fn the_answer_does_not_depend_on_where_pieces_are_cut() {
        let stops = ["ab", "bba", "aabb", "cacb"].map(str::to_owned).to_vec();
        let mut state = 7_u64;
        let mut random = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..500 {
            let text: String = (0..12).map(|_| ['a', 'b', 'c', 'd'][random(4) as usize]).collect();
            let run = |pieces: &[&str]| {
                let (mut watch, mut out) = (StopStrings::new(stops.clone()), String::new());
                let end = pieces.iter().find_map(|p| watch.push(p, &mut out).map(str::to_owned));
                if end.is_none() {
                    watch.finish(&mut out);
                }
                (out, end)
            };
            let (head, tail) = text.split_at(random(13) as usize);
            let (head, middle) = head.split_at(random(head.len() as u64 + 1) as usize);
            assert_eq!(run(&[head, middle, tail]), run(&[&text]), "{text}: {head}|{middle}|{tail}");
        }
    }
}
