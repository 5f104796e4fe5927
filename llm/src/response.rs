//! What a response says: its texts, where they end, its model, its usage and why it ended.
//!
//! One view for whole JSON responses and for the events of a stream, since most dialects send in events
//! what they send whole. A view is kept for a stream and filled again for each event, so that reading
//! one takes no memory of its own. On the worker thread of a response.
//!
//! What is refused: data that are not JSON. JSON of no known shape is read, and says that it is
//! [not known](Response::is_known).

use formats::json::{Fault, Kind, ParseError, Raw, Reader, read};

use crate::dialect::Dialect;
use crate::place::{Edits, Place};
use crate::text::{Depth, Leaves, TextKind};
use crate::tokens::Reported;

mod anthropic;
mod chat;
mod gemini;
mod own;
mod responses;
mod rewrite;

pub use rewrite::{MAX_TEXTS, Rewrite, RewriteError, Texts};

/// A response, or an event of one.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The pieces of text, in the order of the data.
    pub pieces: Vec<Piece>,
    /// The texts that end here. A piece of such a text in the same data still belongs to it.
    pub ends: Vec<End>,
    /// The model that answered, a string that is not empty.
    pub model: Option<Place>,
    /// Why a choice ended, a string; of several choices in one event, the first that did.
    pub finish_reason: Option<Place>,
    /// What was told of tokens; none where nothing was, not even zeros.
    pub usage: Option<Reported>,
    /// The entry `usage` at the top, whatever it holds: its key and its value.
    pub usage_entry: Option<(Place, Place)>,
    /// How many choices there are; none where there is no such member.
    pub choices: Option<usize>,
    /// A tool is called.
    pub has_tool_call: bool,
    /// The event says that the answer failed.
    pub is_error: bool,
    /// Nothing comes behind this event.
    pub is_last: bool,
    /// It has a shape of its dialect.
    pub is_known: bool,
    /// What says texts once more token by token, each of them in pieces that no value can be found in: how
    /// likely they were. Objects, and lists that have something.
    pub logprobs: Vec<Place>,
    /// What an event of our own beside this one must repeat.
    pub identity: Identity,
}

/// What tells which stream an event belongs to, and where in it it stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity {
    /// `id` at the top.
    pub id: Option<Place>,
    /// `created` at the top.
    pub created: Option<Place>,
    /// `sequence_number` at the top.
    pub sequence_number: Option<Place>,
    /// `item_id` at the top.
    pub item_id: Option<Place>,
    /// `type` at the top, where a dialect has many for texts.
    pub event_type: Option<Place>,
}

/// Tells the texts of a response apart: all pieces of one text have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextKey {
    /// What kind of text.
    pub kind: TextKind,
    /// The choice, candidate, block or output item.
    pub item: u32,
    /// The text in it: the tool call, the content part or the summary.
    pub part: u32,
}

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text that it belongs to.
    pub key: TextKey,
    /// Where the string stands, its quotes included.
    pub place: Place,
    /// How much of the text it is.
    pub extent: Extent,
}

/// How much of a text a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It goes on where the piece before it stopped, and more may come.
    Delta,
    /// All of it.
    Whole,
    /// All of it, after it came in pieces before.
    Repeat,
}

/// Which texts end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of them.
    All,
    /// Those of a choice, candidate, block or output item.
    Item(u32),
    /// Those of a content part.
    Part(u32, u32),
    /// One.
    Text(TextKey),
}

impl End {
    /// Whether this text ends.
    pub fn covers(self, key: TextKey) -> bool {
        match self {
            End::All => true,
            End::Item(item) => key.item == item,
            End::Part(item, part) => (key.item, key.part) == (item, part),
            End::Text(text) => text == key,
        }
    }
}

impl Response {
    /// Reads a whole response.
    ///
    /// # Errors
    /// A body that is not JSON.
    ///
    /// # Cost
    /// One pass over the body; memory for a place of each text.
    pub fn read_body(&mut self, dialect: Dialect, body: &str) -> Result<(), ParseError> {
        self.clear();
        read(body, |reader| match (reader.kind(), dialect) {
            // A stream of Gemini's that is not one of events is an array that grows.
            (Kind::Array, Dialect::Gemini) => reader.items(|_, reader| self.gemini(reader)),
            (_, Dialect::OpenaiResponses) => self.responses(reader, Extent::Whole),
            _ => self.read_with(dialect, reader),
        })?;
        self.ends.clear();
        self.ends.push(End::All);
        self.is_last = true;
        Ok(())
    }

    /// Reads the data of an event.
    ///
    /// # Errors
    /// Data that are not JSON, and not the `[DONE]` of OpenAI either.
    ///
    /// # Cost
    /// One pass over the data.
    pub fn read_event(&mut self, dialect: Dialect, data: &str) -> Result<(), ParseError> {
        self.clear();
        if data.trim() == "[DONE]" {
            self.ends.push(End::All);
            self.is_last = true;
            self.is_known = true;
            return Ok(());
        }
        read(data, |reader| match dialect {
            Dialect::OpenaiResponses => self.responses(reader, Extent::Delta),
            _ => self.read_with(dialect, reader),
        })
    }

    /// Takes out what says texts token by token, where what they say is not to be seen.
    pub fn hide_logprobs(&self, data: &str, edits: &mut Edits) {
        for place in &self.logprobs {
            let nothing = match place.of(data).starts_with('[') {
                true => "[]",
                false => "null",
            };
            edits.replace(*place, nothing);
        }
    }

    /// Whether there is text that was not there before, or a call of a tool.
    pub fn has_output(&self) -> bool {
        let is_new = |it: &Piece| it.extent != Extent::Repeat && it.place.end > it.place.start + 2;
        self.has_tool_call || self.pieces.iter().any(is_new)
    }

    fn read_with(&mut self, dialect: Dialect, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match dialect {
            Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiEmbeddings => {
                self.chat(reader)
            }
            Dialect::OpenaiResponses => self.responses(reader, Extent::Whole),
            Dialect::AnthropicMessages => self.anthropic(reader),
            Dialect::Gemini => self.gemini(reader),
        }
    }

    /// Forgets everything but the memory it stood in.
    fn clear(&mut self) {
        let (mut pieces, mut ends) = (
            std::mem::take(&mut self.pieces),
            std::mem::take(&mut self.ends),
        );
        pieces.clear();
        ends.clear();
        *self = Response {
            pieces,
            ends,
            ..Response::default()
        };
    }

    fn model(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let raw = reader.value()?;
        if raw.kind() == Kind::String && !raw.is("") {
            self.model = Some(raw.into());
        }
        Ok(())
    }

    /// Notes why a choice ended. The first that did speaks for all.
    fn finish(&mut self, raw: Raw<'_>) {
        if raw.kind() == Kind::String && self.finish_reason.is_none() {
            self.finish_reason = Some(raw.into());
        }
    }

    fn error(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let is_error = reader.value()?.kind() != Kind::Null;
        self.is_error |= is_error;
        self.is_known |= is_error;
        Ok(())
    }

    fn logprobs(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let raw = reader.value()?;
        let is_list = raw.kind() == Kind::Array && raw.text() != "[]";
        if is_list || raw.kind() == Kind::Object {
            self.logprobs.push(raw.into());
        }
        Ok(())
    }

    fn usage(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if let Some(reported) = Reported::read(reader)? {
            self.usage.get_or_insert_default().update(reported);
        }
        Ok(())
    }

    fn piece(&mut self, key: TextKey, extent: Extent, raw: Raw<'_>) {
        if raw.kind() == Kind::String {
            let place = raw.into();
            self.pieces.push(Piece { key, place, extent });
        }
    }

    /// The strings in a value of a shape that is not known, each for itself.
    fn leaves(
        &mut self,
        keys: bool,
        key: TextKey,
        extent: Extent,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        // What nests more deeply than anybody reads is nobody's text.
        Leaves { keys }.read(Depth::TOP, reader, &mut |raw| self.piece(key, extent, raw))?;
        Ok(())
    }

    /// Says which choice the pieces from `first` on belong to: that may come behind them.
    fn assign(&mut self, first: usize, item: u32) {
        for piece in self.pieces.iter_mut().skip(first) {
            piece.key.item = item;
        }
    }
}

/// A small number: an index. None for everything else.
fn index(reader: &mut Reader<'_>) -> Result<Option<u32>, Fault> {
    let number = reader.value()?.as_u64();
    Ok(number.and_then(|it| u32::try_from(it).ok()))
}

/// A place in an array as the index that most dialects spell out.
fn place_in(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The first text of its kind in its item.
const fn text(kind: TextKind) -> TextKey {
    TextKey {
        kind,
        item: 0,
        part: 0,
    }
}

/// Another text of its kind in its item.
const fn text_part(kind: TextKind, part: u32) -> TextKey {
    TextKey {
        kind,
        item: 0,
        part,
    }
}

#[cfg(test)]
mod tests;
