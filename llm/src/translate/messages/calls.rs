//! The calls of a streamed answer of OpenAI's chat, put one behind the other.
//!
//! OpenAI's servers number calls and may speak of several in turns; Anthropic's clients take one
//! after the other. A call goes on as it comes, and ends when its arguments are whole and another
//! one has begun. What belongs to later calls waits until then, up to the limit of an event.
//! Compatible servers give every call the same number, or none: those are told apart by their ids
//! and names. Others repeat ids and names in every fragment.

use std::borrow::Cow;

use crate::translate::chat::answer::spelled;
use crate::translate::json::Value;
use crate::translate::stream::MAX_EVENT_BYTES;

/// More calls than any answer has.
const MOST_CALLS: usize = 1024;

/// All calls of an answer so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    /// The place of the call that is passed on; those before it have ended.
    current: usize,
    held_bytes: usize,
}

/// A call; everything as it is spelled.
#[derive(Debug, Default)]
struct Call {
    number: u64,
    id: String,
    name: String,
    has_begun: bool,
    /// Arguments that were not passed on yet.
    held: String,
    arguments: Brackets,
}

/// What the client is to be told next.
#[derive(Debug)]
pub(super) enum Told {
    Begin { id: String, name: String },
    Arguments(String),
    End,
}

/// Calls that nobody can tell apart, or too many.
#[derive(Debug)]
pub(super) struct Unreadable;

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether a call has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.current < self.calls.len()
    }

    /// Takes what a delta says of a call.
    pub(super) fn push(&mut self, call: Value<'_>) -> Result<(), Unreadable> {
        let [index, id, function] = call.members(["index", "id", "function"]);
        let [name, arguments] = function.map_or([None; 2], |it| it.members(["name", "arguments"]));
        let [id, name] = [id, name].map(|it| it.and_then(Value::spelled).unwrap_or_default());
        let (text, piece) = arguments.map(pieces).unwrap_or_default();
        let number = index.and_then(Value::count);
        let place = match self.place(number, id, name, &text) {
            Some(place) => place,
            None if self.calls.len() >= MOST_CALLS => return Err(Unreadable),
            None => {
                self.calls.push(Call {
                    number: number.unwrap_or_default(),
                    ..Call::default()
                });
                self.calls.len() - 1
            }
        };
        if place < self.current {
            // What ended was whole.
            return match text.trim().is_empty() {
                true => Ok(()),
                false => Err(Unreadable),
            };
        }
        let Some(call) = self.calls.get_mut(place) else {
            return Ok(());
        };
        for (known, told) in [(&mut call.id, id), (&mut call.name, name)] {
            if known.is_empty() {
                self.held_bytes += told.len();
                known.push_str(told);
            }
        }
        call.arguments.read(&text);
        call.held.push_str(&piece);
        self.held_bytes += piece.len();
        match self.held_bytes > MAX_EVENT_BYTES {
            true => Err(Unreadable),
            false => Ok(()),
        }
    }

    /// The next that can be told; at the end of the answer, everything can.
    pub(super) fn next(&mut self, is_end: bool) -> Option<Told> {
        let is_last = self.current + 1 >= self.calls.len();
        let call = self.calls.get_mut(self.current)?;
        if !call.has_begun {
            if call.name.is_empty() && !is_end {
                return None;
            }
            call.has_begun = true;
            let (id, name) = (call.id.clone(), call.name.clone());
            return Some(Told::Begin { id, name });
        }
        if !call.held.is_empty() {
            self.held_bytes = self.held_bytes.saturating_sub(call.held.len());
            return Some(Told::Arguments(std::mem::take(&mut call.held)));
        }
        if is_end || (call.arguments.are_closed() && !is_last) {
            self.current += 1;
            return Some(Told::End);
        }
        None
    }

    /// The call that is spoken of; none if it is a new one.
    fn place(&self, number: Option<u64>, id: &str, name: &str, arguments: &str) -> Option<usize> {
        let is_numbered = |it: &Call| number.is_none_or(|number| it.number == number);
        let calls = || self.calls.iter();
        let known = calls().rposition(|it| is_numbered(it) && it.id == id);
        if let Some(known) = known.filter(|_| !id.is_empty()) {
            return Some(known);
        }
        let place = calls().rposition(is_numbered)?;
        let call = self.calls.get(place)?;
        let is_other =
            |known: &str, told: &str| !known.is_empty() && !told.is_empty() && known != told;
        // Some servers make up an id for every fragment: one without a name goes on with a call
        // that is not whole.
        let goes_on = arguments.trim().is_empty() || !call.arguments.are_closed();
        let is_new = match name.is_empty() {
            true => is_other(&call.id, id) && !goes_on,
            false => is_other(&call.id, id) || is_other(&call.name, name) || !goes_on,
        };
        Some(place).filter(|_| !is_new)
    }
}

/// Arguments as text, and as that is spelled. Some servers send the object itself.
fn pieces(arguments: Value<'_>) -> (Cow<'_, str>, Cow<'_, str>) {
    match (arguments.string(), arguments.spelled()) {
        (Some(text), Some(piece)) => (text, Cow::Borrowed(piece)),
        _ if arguments.is_object() => {
            let text = arguments.text();
            (Cow::Borrowed(text), Cow::Owned(spelled(text)))
        }
        _ => Default::default(),
    }
}

/// The brackets of a JSON text that comes in pieces.
#[derive(Debug, Default)]
struct Brackets {
    has_any: bool,
    open: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Brackets {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.is_in_string => self.is_escaped = true,
                b'"' => self.is_in_string = !self.is_in_string,
                _ if self.is_in_string => {}
                b'{' | b'[' => {
                    self.has_any = true;
                    self.open += 1;
                }
                b'}' | b']' => self.open = self.open.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Whether every bracket was closed, and there was one.
    fn are_closed(&self) -> bool {
        self.has_any && self.open == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_whole_at_their_last_bracket() {
        let table = [
            (&["{", "}"][..], true),
            (&[r#"{"a":[{"b":"}"#, r#"\"#, r#""}"}]}"#], true),
            (&[r#"{"a":"\"}"#], false),
            (&[r#"{"a":{}"#], false),
            (&["", " "], false),
        ];
        for (pieces, is_whole) in table {
            let mut brackets = Brackets::default();
            for piece in pieces {
                brackets.read(piece);
            }
            assert_eq!(brackets.are_closed(), is_whole, "{pieces:?}");
        }
    }

    #[test]
    fn there_is_an_end_of_calls() {
        let mut calls = Calls::default();
        for number in 0..MOST_CALLS {
            let text = format!(r#"{{"index":{number},"function":{{"name":"f"}}}}"#);
            assert!(calls.push(Value::parse(&text).unwrap()).is_ok());
        }
        let text = format!(r#"{{"index":{MOST_CALLS},"function":{{"name":"f"}}}}"#);
        assert!(calls.push(Value::parse(&text).unwrap()).is_err());
    }
}
