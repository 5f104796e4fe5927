//! Looks for the model of a JSON body while it arrives, so that only its beginning must be held.
//!
//! Fed on the worker thread of a request, chunk by chunk, as they come: cuts may be anywhere, also
//! in a character or an escape. What follows the model is checked as it flows: a body that turns
//! out to be another one than it seemed must not reach its end.
//!
//! What is refused: what is not JSON (readers would differ in what they see), a second `model` at
//! the top, also one that differs in case (some readers do not look at it), and nesting beyond
//! [`MAX_NESTING`].

use std::fmt;
use std::ops::Range;

use formats::json::{quote, read};

use crate::request::MODEL;

mod digits;

use digits::Digits;

/// How deep a body that is only scanned may nest: a byte of memory for each level.
pub const MAX_NESTING: usize = 1 << 16;

/// Longer keys than this, as they stand, cannot spell [`MODEL`]: no escape of a character is longer
/// than six bytes.
const LONGEST_KEY: usize = MODEL.len() * 6 + 2;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A scanner of one body.
///
/// ```
/// use llm::model::{ModelScan, ScannedModel};
///
/// let mut scan = ModelScan::new();
/// assert_eq!(scan.feed(br#"{"stream":true,"mod"#), Ok(&ScannedModel::Unknown));
/// let ScannedModel::Named(model) = scan.feed(br#"el":"fast","messages":[]}"#)? else {
///     panic!("it is there");
/// };
/// assert_eq!((model.name.as_str(), model.range.clone()), ("fast", 23..29));
/// scan.finish()?;
/// # Ok::<(), llm::model::ScanFault>(())
/// ```
#[derive(Debug)]
pub struct ModelScan {
    /// How many bytes came before the chunk that is read.
    before: usize,
    step: Step,
    /// The containers around: true for objects.
    around: Vec<bool>,
    /// A key at the top or the model, as it stands, quotes included; as far as it is wanted.
    token: Vec<u8>,
    token_start: usize,
    /// The value that comes next is the model.
    model_next: bool,
    /// A key that could be taken for the model's has been there.
    keyed: bool,
    model: ScannedModel,
    /// The beginning of a character whose end is in the next chunk.
    character: Vec<u8>,
    fault: Option<ScanFault>,
}

/// What is known of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ScannedModel {
    /// It may still come.
    #[default]
    Unknown,
    /// There is none: the body names none, or it is no text.
    Absent,
    /// It is known.
    Named(NamedModel),
}

/// A model where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedModel {
    /// The name, decoded.
    pub name: String,
    /// Its bytes in the body, quotes included.
    pub range: Range<usize>,
}

impl NamedModel {
    /// Puts another name in the place of this one's bytes. `held` is the body from its first byte
    /// on, at least to the end of the model. Gives by how much it became longer.
    pub fn rename(&self, held: &mut Vec<u8>, name: &str) -> i64 {
        if held.len() < self.range.end {
            return 0;
        }
        let before = held.len();
        held.splice(self.range.clone(), quote(name).into_bytes());
        // Lengths of memory fit.
        held.len() as i64 - before as i64
    }
}

/// Why a body is not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanFault {
    /// It is not one JSON document in UTF-8.
    NotJson,
    /// The model is named twice.
    Repeated,
    /// It nests deeper than [`MAX_NESTING`].
    TooDeep,
}

impl fmt::Display for ScanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the body is not JSON"),
            Self::Repeated => f.write_str("the body names its model more than once"),
            Self::TooDeep => write!(f, "the body nests deeper than {MAX_NESTING} levels"),
        }
    }
}

impl std::error::Error for ScanFault {}

/// What may come next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many bytes of a byte order mark have come.
    Mark(usize),
    Value,
    ItemOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    Text(Use),
    Escape(Use),
    Hex(Use, u8),
    /// The rest of a word.
    Word(&'static [u8]),
    Number(Digits),
    /// A value has ended.
    Behind,
    /// The outermost value has ended.
    End,
}

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// A key at the top.
    TopKey,
    OtherKey,
    Model,
    Other,
}

impl Default for ModelScan {
    fn default() -> Self {
        Self::new()
    }
}

impl ModelScan {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            before: 0,
            step: Step::Mark(0),
            around: Vec::new(),
            token: Vec::new(),
            token_start: 0,
            model_next: false,
            keyed: false,
            model: ScannedModel::Unknown,
            character: Vec::new(),
            fault: None,
        }
    }

    /// Reads the bytes that came next, all of them, and says what is known then.
    ///
    /// # Errors
    /// What must not pass; every later call says the same.
    ///
    /// # Cost
    /// One pass. Memory: the model, and a byte for each level of nesting.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<&ScannedModel, ScanFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if let Err(fault) = self.characters(chunk).and_then(|()| self.bytes(chunk)) {
            self.fault = Some(fault);
            return Err(fault);
        }
        self.before += chunk.len();
        Ok(&self.model)
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// What must not pass; a body that breaks off is not JSON.
    pub fn finish(&mut self) -> Result<&ScannedModel, ScanFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let is_number = match self.step {
            Step::Number(digits) => digits.may_end() && self.around.is_empty(),
            _ => false,
        };
        if !self.character.is_empty() || !(is_number || matches!(self.step, Step::End)) {
            self.fault = Some(ScanFault::NotJson);
            return Err(ScanFault::NotJson);
        }
        self.nothing_more();
        Ok(&self.model)
    }

    /// What is known so far.
    pub fn model(&self) -> &ScannedModel {
        &self.model
    }

    /// Checks that the body is UTF-8 up to the end of `chunk`, a cut character apart.
    fn characters(&mut self, chunk: &[u8]) -> Result<(), ScanFault> {
        let mut rest = chunk;
        while !self.character.is_empty() {
            let Some((byte, behind)) = rest.split_first() else {
                return Ok(());
            };
            rest = behind;
            self.character.push(*byte);
            match std::str::from_utf8(&self.character) {
                Ok(_) => self.character.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(ScanFault::NotJson),
            }
        }
        let Err(error) = std::str::from_utf8(rest) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(ScanFault::NotJson);
        }
        let cut = rest.get(error.valid_up_to()..).unwrap_or_default();
        self.character.extend_from_slice(cut);
        Ok(())
    }

    fn bytes(&mut self, chunk: &[u8]) -> Result<(), ScanFault> {
        let mut at = 0;
        while let Some(&byte) = chunk.get(at) {
            if let Step::Text(of) = self.step {
                at += self.text(of, chunk.get(at..).unwrap_or_default())?;
            } else if self.byte(byte, self.before + at)? {
                at += 1;
            }
        }
        Ok(())
    }

    /// Reads the inside of a text as far as it goes, its end included. Gives how far that was.
    fn text(&mut self, of: Use, rest: &[u8]) -> Result<usize, ScanFault> {
        let mut at = 0;
        loop {
            let rest = rest.get(at..).unwrap_or_default();
            let special = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            let (plain, special) = rest.split_at_checked(special).unwrap_or((rest, &[]));
            if plain.iter().any(|byte| *byte < 0x20) {
                return Err(ScanFault::NotJson);
            }
            self.keep(of, plain);
            at += plain.len();
            match special {
                [b'"', ..] => {
                    self.keep(of, b"\"");
                    self.text_ended(of)?;
                    return Ok(at + 1);
                }
                // Most escapes are short and whole: text goes on behind them.
                [b'\\', escaped, ..] if is_short_escape(*escaped) => {
                    self.keep(of, &[b'\\', *escaped]);
                    at += 2;
                }
                [b'\\', ..] => {
                    self.keep(of, b"\\");
                    self.step = Step::Escape(of);
                    return Ok(at + 1);
                }
                _ => return Ok(at),
            }
        }
    }

    /// Reads a byte outside of texts. False if it is to be read again.
    fn byte(&mut self, byte: u8, at: usize) -> Result<bool, ScanFault> {
        let is_space = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        match self.step {
            Step::Mark(count) if BYTE_ORDER_MARK.get(count) == Some(&byte) => {
                self.step = match count + 1 == BYTE_ORDER_MARK.len() {
                    true => Step::Value,
                    false => Step::Mark(count + 1),
                };
            }
            Step::Mark(0) => {
                self.step = Step::Value;
                return Ok(false);
            }
            Step::Mark(_) => return Err(ScanFault::NotJson),
            Step::Escape(of) => {
                self.step = match byte {
                    byte if is_short_escape(byte) => Step::Text(of),
                    b'u' => Step::Hex(of, 4),
                    _ => return Err(ScanFault::NotJson),
                };
                self.keep(of, &[byte]);
            }
            Step::Hex(of, left) => {
                if !byte.is_ascii_hexdigit() {
                    return Err(ScanFault::NotJson);
                }
                self.keep(of, &[byte]);
                self.step = match left {
                    1 => Step::Text(of),
                    left => Step::Hex(of, left - 1),
                };
            }
            Step::Word(rest) => match rest.split_first() {
                Some((next, [])) if *next == byte => self.value_ended(),
                Some((next, rest)) if *next == byte => self.step = Step::Word(rest),
                _ => return Err(ScanFault::NotJson),
            },
            Step::Number(digits) => match digits.then(byte) {
                Some(next) => self.step = Step::Number(next),
                None if digits.may_end() => {
                    self.value_ended();
                    return Ok(false);
                }
                None => return Err(ScanFault::NotJson),
            },
            _ if is_space => {}
            Step::Value => self.value(byte, at)?,
            Step::ItemOrEnd if byte == b']' => self.container_ended(),
            Step::ItemOrEnd => self.value(byte, at)?,
            Step::KeyOrEnd if byte == b'}' => self.container_ended(),
            Step::KeyOrEnd | Step::Key if byte == b'"' => {
                let is_top = self.around.len() == 1;
                let of = if is_top { Use::TopKey } else { Use::OtherKey };
                self.text_began(of, at);
            }
            Step::Colon if byte == b':' => self.step = Step::Value,
            Step::Behind => match (byte, self.around.last()) {
                (b',', Some(true)) => self.step = Step::Key,
                (b',', Some(false)) => self.step = Step::Value,
                (b'}', Some(true)) | (b']', Some(false)) => self.container_ended(),
                _ => return Err(ScanFault::NotJson),
            },
            _ => return Err(ScanFault::NotJson),
        }
        Ok(true)
    }

    fn value(&mut self, byte: u8, at: usize) -> Result<(), ScanFault> {
        match byte {
            b'"' => {
                let of = if self.model_next {
                    Use::Model
                } else {
                    Use::Other
                };
                self.text_began(of, at);
                return Ok(());
            }
            b'{' | b'[' => {
                if self.around.len() == MAX_NESTING {
                    return Err(ScanFault::TooDeep);
                }
                self.around.push(byte == b'{');
                self.step = if byte == b'{' {
                    Step::KeyOrEnd
                } else {
                    Step::ItemOrEnd
                };
            }
            b't' => self.step = Step::Word(b"rue"),
            b'f' => self.step = Step::Word(b"alse"),
            b'n' => self.step = Step::Word(b"ull"),
            b'-' => self.step = Step::Number(Digits::Sign),
            b'0' => self.step = Step::Number(Digits::Zero),
            b'1'..=b'9' => self.step = Step::Number(Digits::Whole),
            _ => return Err(ScanFault::NotJson),
        }
        if std::mem::take(&mut self.model_next) {
            // Where a name should be is something else: nobody can ask for it.
            self.model = ScannedModel::Absent;
        }
        Ok(())
    }

    fn text_began(&mut self, of: Use, at: usize) {
        self.token.clear();
        self.token_start = at;
        self.keep(of, b"\"");
        self.step = Step::Text(of);
    }

    /// Keeps what is wanted of a text.
    fn keep(&mut self, of: Use, bytes: &[u8]) {
        match of {
            Use::Model => self.token.extend_from_slice(bytes),
            // Once it is too long, that is all there is to know.
            Use::TopKey if self.token.len() <= LONGEST_KEY => {
                let wanted = bytes.len().min(LONGEST_KEY + 1 - self.token.len());
                self.token
                    .extend_from_slice(bytes.get(..wanted).unwrap_or_default());
            }
            Use::TopKey | Use::OtherKey | Use::Other => {}
        }
    }

    fn text_ended(&mut self, of: Use) -> Result<(), ScanFault> {
        match of {
            Use::TopKey => {
                let key = self.contents();
                if key.is_some_and(|key| key.eq_ignore_ascii_case(MODEL)) {
                    if self.keyed {
                        return Err(ScanFault::Repeated);
                    }
                    self.keyed = true;
                    self.model_next = self.contents().as_deref() == Some(MODEL);
                }
                self.step = Step::Colon;
            }
            Use::OtherKey => self.step = Step::Colon,
            Use::Model => {
                self.model_next = false;
                let name = self.contents().ok_or(ScanFault::NotJson)?;
                let range = self.token_start..self.token_start + self.token.len();
                self.model = ScannedModel::Named(NamedModel { name, range });
                self.value_ended();
            }
            Use::Other => self.value_ended(),
        }
        Ok(())
    }

    /// What the kept text says; none if not all of it was kept.
    fn contents(&self) -> Option<String> {
        let token = std::str::from_utf8(&self.token).ok()?;
        let mut contents = None;
        let whole = read(token, |reader| {
            contents = reader.value()?.as_str().map(|text| text.into_owned());
            Ok(())
        });
        whole.ok().and(contents)
    }

    fn container_ended(&mut self) {
        self.around.pop();
        self.value_ended();
    }

    fn value_ended(&mut self) {
        self.step = Step::Behind;
        if self.around.is_empty() {
            self.step = Step::End;
            self.nothing_more();
        }
    }

    fn nothing_more(&mut self) {
        if self.model == ScannedModel::Unknown {
            self.model = ScannedModel::Absent;
        }
    }
}

/// Whether a byte behind a backslash ends an escape.
fn is_short_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
}

#[cfg(test)]
mod tests;
