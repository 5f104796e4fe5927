//! Words that an operator lists: found as whole words, ignoring case unless told otherwise.
//!
//! Compiled on the main thread, read on workers. All words of all rows are one sorted list, in which a
//! text is followed character by character: time does not grow with their number but by its logarithm.

use super::ahead::{Ahead, More, is_word};

/// The longest word, in bytes.
pub const MAX_WORD: usize = 256;

/// Words of any number of rows.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Sorted.
    folded: Vec<Word>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    /// Its characters, in one case.
    folded: Box<[char]>,
    row: usize,
    /// Its spelling, if case counts.
    exact: Option<Box<str>>,
}

impl Words {
    /// Adds words of a row. Call [`sort`](Self::sort) behind the last.
    pub(crate) fn add(&mut self, row: usize, words: &[String], case_sensitive: bool) {
        self.folded.extend(words.iter().map(|word| Word {
            folded: word.chars().map(fold).collect(),
            row,
            exact: case_sensitive.then(|| word.as_str().into()),
        }));
    }

    /// Makes the words ready to be read.
    pub(crate) fn sort(&mut self) {
        self.folded.sort_unstable();
        self.folded.dedup();
    }

    /// The bytes that words may begin with, whatever their case.
    pub(crate) fn first_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for first in self.folded.iter().filter_map(|it| it.folded.first()) {
            // Few characters have cases elsewhere, and these all begin with another byte than ASCII.
            let cased = first.to_uppercase().chain(first.to_lowercase());
            bytes.extend(cased.chain([*first]).filter_map(first_byte));
            bytes.extend(others(*first).iter().copied().filter_map(first_byte));
        }
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    }

    /// The end and the row of the longest word that begins here; of equal ones that of the first row.
    pub(crate) fn longest(&self, ahead: Ahead<'_>) -> Result<Option<(usize, usize)>, More> {
        let mut longest = None;
        self.each(ahead, |end, row| {
            let wins = longest.is_none_or(|(far, first)| end > far || row < first);
            if wins {
                longest = Some((end, row));
            }
        })?;
        Ok(longest)
    }

    /// Tells of every word that begins here, shorter ones first.
    pub(crate) fn each(
        &self,
        mut ahead: Ahead<'_>,
        mut found: impl FnMut(usize, usize),
    ) -> Result<(), More> {
        let start = ahead.at();
        let after_word = ahead.before().0.is_some_and(is_word);
        let mut candidates = self.folded.as_slice();
        for depth in 0.. {
            if candidates.is_empty() {
                break;
            }
            // Those that are as long as what was read stand first.
            let ended = candidates.partition_point(|it| it.folded.len() <= depth);
            let (here, longer) = candidates
                .split_at_checked(ended)
                .unwrap_or((&[], candidates));
            if depth > 0 && !here.is_empty() {
                let last = here.first().and_then(|it| it.folded.last().copied());
                if !(last.is_some_and(is_word) && ahead.in_word()?) {
                    let spelled = ahead.since(start);
                    let exact = |it: &&Word| it.exact.as_deref().is_none_or(|it| it == spelled);
                    here.iter()
                        .filter(exact)
                        .for_each(|it| found(ahead.at(), it.row));
                }
            }
            if longer.is_empty() {
                break;
            }
            let Some(character) = ahead.peek()? else {
                break;
            };
            if depth == 0 && after_word && is_word(character) {
                break;
            }
            ahead.pass(character);
            let character = fold(character);
            let at = |it: &Word| it.folded.get(depth).copied();
            let first = longer.partition_point(|it| at(it) < Some(character));
            let longer = longer.get(first..).unwrap_or_default();
            let count = longer.partition_point(|it| at(it) <= Some(character));
            candidates = longer.get(..count).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }
}

/// A character in one case. Characters that become several in another case stay.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let upper = single(character, character.to_uppercase());
    single(upper, upper.to_lowercase())
}

fn single(character: char, mut cased: impl Iterator<Item = char>) -> char {
    match (cased.next(), cased.next()) {
        (Some(cased), None) => cased,
        _ => character,
    }
}

/// Characters outside of ASCII that fold to this one, beside its own two cases.
fn others(folded: char) -> &'static [char] {
    match folded {
        'k' => &['\u{212A}'],
        's' => &['\u{17F}'],
        'å' => &['\u{212B}'],
        'μ' => &['\u{B5}'],
        'σ' => &['ς'],
        'ω' => &['\u{2126}'],
        _ => &[],
    }
}

fn first_byte(character: char) -> Option<u8> {
    character.encode_utf8(&mut [0; 4]).bytes().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[(&str, bool)], text: &str) -> Vec<String> {
        let mut all = Words::default();
        for (row, (word, case_sensitive)) in words.iter().enumerate() {
            all.add(row, &[(*word).to_owned()], *case_sensitive);
        }
        all.sort();
        let first = all.first_bytes();
        let places = text.char_indices().map(|(at, _)| at);
        let mut found = Vec::new();
        for at in places {
            if let Some((end, _)) = all.longest(Ahead::new(text, at, true)).unwrap() {
                assert!(first.contains(&text.as_bytes()[at]), "{text}");
                found.push(text[at..end].to_owned());
            }
        }
        found
    }

    #[test]
    fn words_are_whole_and_ignore_case() {
        let words = [("Bluebird", false), ("blue", false), ("Straße 9", false)];
        assert_eq!(
            found(&words, "BLUEBIRD, bluebirds and a_bluebird"),
            ["BLUEBIRD"]
        );
        assert_eq!(
            found(&words, "Blue bluebird-blue"),
            ["Blue", "bluebird", "blue"]
        );
        assert_eq!(found(&words, "straße 9 straße 91"), ["straße 9"]);
        assert_eq!(found(&words, "项目bluebird启动"), ["bluebird"]);
        assert_eq!(found(&words, "éblue blueé"), [""; 0]);
    }

    #[test]
    fn case_counts_where_told() {
        let words = [("Blue", true), ("RED", false)];
        assert_eq!(found(&words, "Blue blue BLUE red"), ["Blue", "red"]);
    }

    #[test]
    fn letters_with_more_than_two_forms_are_one() {
        let words = [
            ("ΟΔΟΣ", false),
            ("kelvin", false),
            ("ÅRE", false),
            ("secret", false),
        ];
        assert_eq!(found(&words, "οδος οδοσ"), ["οδος", "οδοσ"]);
        assert_eq!(found(&words, "\u{212A}elvin"), ["\u{212A}elvin"]);
        assert_eq!(
            found(&words, "\u{212B}re \u{17F}ecret"),
            ["\u{212B}re", "\u{17F}ecret"]
        );
    }

    #[test]
    fn punctuation_belongs_to_a_word() {
        let words = [("C++", false), ("#x", false), ("秘密", false)];
        assert_eq!(
            found(&words, "c++ and c++11, #x a#x #xy"),
            ["c++", "c++", "#x", "#x"]
        );
        assert_eq!(found(&words, "一个秘密项目"), ["秘密"]);
    }

    #[test]
    fn half_a_word_waits_for_the_rest() {
        let mut words = Words::default();
        words.add(0, &["bluebird".to_owned()], false);
        words.sort();
        for text in ["b", "blue", "bluebird"] {
            assert_eq!(
                words.longest(Ahead::new(text, 0, false)),
                Err(More),
                "{text}"
            );
        }
        for text in ["blub", "bluebird.", "bluebirds", "x"] {
            assert!(words.longest(Ahead::new(text, 0, false)).is_ok(), "{text}");
        }
    }
}
