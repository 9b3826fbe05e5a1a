//! The table of classes against that of another library.

use super::Class;
use fancy_regex::Regex;

/// The other library knows a newer Unicode: characters that 15.1 does not know are left out.
#[test]
fn classes_are_those_of_unicode() {
    let assigned = |c: &char| Class::of(u32::from(*c)) != Class::UNASSIGNED;
    let text: String = ('\0'..=char::MAX).filter(assigned).collect();
    let classes = [
        (r"\p{L}", Class::LETTER),
        (r"\p{N}", Class::NUMBER),
        (r"\p{P}", Class::PUNCTUATION),
        (r"\p{S}", Class::SYMBOL),
        (r"\p{M}", Class::MARK),
        (r"[\p{Cc}\p{Cf}\p{Co}]", Class::CONTROL),
        (r"\s", Class::WHITESPACE),
    ];
    for (pattern, class) in classes {
        let regex = Regex::new(pattern).expect("a good pattern");
        let theirs: Vec<char> =
            regex.find_iter(&text).flat_map(|found| found.expect("no limits").as_str().chars()).collect();
        let ours: Vec<char> = text.chars().filter(|&c| Class::of(u32::from(c)).is(class)).collect();
        let missing: Vec<_> = theirs.iter().filter(|c| ours.binary_search(c).is_err()).collect();
        let extra: Vec<_> = ours.iter().filter(|c| theirs.binary_search(c).is_err()).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{pattern}: missing {missing:?}, extra {extra:?}");
    }
}
