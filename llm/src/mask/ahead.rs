//! Text from a place on, read forward while its end may not be known yet.
//!
//! Recognisers read through this, on workers. One that has to look at what has not come yet answers
//! [`More`]; so the same code decides on whole texts and on texts that come in pieces.

/// The text seen so far does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct More;

/// What a recogniser says about the text that begins at a place: where its match ends, or that there
/// is none, or that the text must go on first.
pub(crate) type Verdict = Result<Option<usize>, More>;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'t> {
    text: &'t str,
    at: usize,
    complete: bool,
}

impl<'t> Ahead<'t> {
    /// At the byte `at` of `text`, which is all there will be if it is `complete`.
    pub(crate) fn new(text: &'t str, at: usize, complete: bool) -> Ahead<'t> {
        Ahead { text, at, complete }
    }

    /// The place, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is known of the text from here on.
    pub(crate) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing follows what is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The text from `start` to here.
    pub(crate) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The last character before this place, and the one before that.
    pub(crate) fn before(&self) -> (Option<char>, Option<char>) {
        let mut back = self.text.get(..self.at).unwrap_or_default().chars();
        (back.next_back(), back.next_back())
    }

    /// The next character; none at the end.
    pub(crate) fn peek(&self) -> Result<Option<char>, More> {
        match self.text.as_bytes().get(self.at) {
            Some(&byte) if byte.is_ascii() => Ok(Some(char::from(byte))),
            Some(_) => Ok(self.rest().chars().next()),
            None if self.complete => Ok(None),
            None => Err(More),
        }
    }

    /// Passes a character that was peeked at.
    pub(crate) fn pass(&mut self, character: char) {
        self.at += character.len_utf8();
    }

    /// Passes `bytes` of what is known, which end between characters.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes.min(self.rest().len());
    }

    /// Passes the next character if it is as wanted.
    pub(crate) fn eat(&mut self, wanted: impl Fn(char) -> bool) -> Result<Option<char>, More> {
        let next = self.peek()?.filter(|&it| wanted(it));
        if let Some(character) = next {
            self.pass(character);
        }
        Ok(next)
    }

    /// Passes `text` if it stands here. Gives up at the first character that differs.
    pub(crate) fn eat_all(&mut self, text: &str) -> Result<bool, More> {
        for wanted in text.chars() {
            if self.eat(|it| it == wanted)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes as many as `most` characters that are as wanted; how many there were.
    pub(crate) fn eat_run(
        &mut self,
        most: usize,
        wanted: impl Fn(char) -> bool,
    ) -> Result<usize, More> {
        let mut count = 0;
        while count < most && self.eat(&wanted)?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Passes exactly `count` digits and gives them as a number; none if there are fewer. `count` is
    /// at most 9.
    pub(crate) fn eat_digits(&mut self, count: usize) -> Result<Option<u32>, More> {
        let mut number = 0;
        for _ in 0..count {
            match self.eat(|it| it.is_ascii_digit())? {
                Some(digit) => number = number * 10 + digit.to_digit(10).unwrap_or_default(),
                None => return Ok(None),
            }
        }
        Ok(Some(number))
    }

    /// Whether a word goes on here.
    pub(crate) fn in_word(&self) -> Result<bool, More> {
        Ok(self.peek()?.is_some_and(is_word))
    }

    /// Whether a number goes on here: by a letter or digit, or by a digit behind a dot or hyphen.
    pub(crate) fn in_number(&self) -> Result<bool, More> {
        let mut ahead = *self;
        Ok(match ahead.eat(|it| it == '.' || is_hyphen(it))? {
            Some(_) => ahead.peek()?.is_some_and(|it| it.is_ascii_digit()),
            None => ahead.in_word()?,
        })
    }

    /// Whether digits and a dot or hyphen stand before this place: what begins here is only a part.
    pub(crate) fn after_number(&self) -> bool {
        matches!(self.before(), (Some(near), Some(far))
            if (near == '.' || is_hyphen(near)) && far.is_ascii_digit())
    }

    /// Whether a digit and a blank stand before this place.
    pub(crate) fn after_digit_and_blank(&self) -> bool {
        matches!(self.before(), (Some(near), Some(far)) if is_blank(near) && far.is_ascii_digit())
    }

    /// Whether a blank and a digit stand at this place.
    pub(crate) fn at_blank_and_digit(&self) -> Result<bool, More> {
        let mut ahead = *self;
        Ok(ahead.eat(is_blank)?.is_some() && ahead.peek()?.is_some_and(|it| it.is_ascii_digit()))
    }
}

/// Whether a character is part of a word, so that no value begins or ends beside it. Scripts that put
/// no blanks between words (from Thai on: Chinese, Japanese, Korean ...) have no such characters.
pub(crate) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    character < '\u{0E00}' && character.is_alphanumeric()
}

/// Whether a character is a blank within a line, of those that stand in numbers.
pub(crate) fn is_blank(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{A0}' | '\u{2007}' | '\u{2009}' | '\u{202F}'
    )
}

/// Whether a character is a hyphen or a dash of those that stand in numbers: models like to write
/// U+2011.
pub(crate) fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2013}')
}

/// The last place between characters that is not behind `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    // A character has at most four bytes.
    let near = (at.saturating_sub(3)..=at).rev();
    near.into_iter()
        .find(|&it| text.is_char_boundary(it))
        .unwrap_or(0)
}

/// The first place between characters that is not before `at`.
pub(crate) fn ceil(text: &str, at: usize) -> usize {
    let near = at..at.saturating_add(4);
    near.into_iter()
        .find(|&it| text.is_char_boundary(it))
        .unwrap_or(text.len())
}
