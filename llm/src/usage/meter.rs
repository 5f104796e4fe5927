//! Follows one answer and says what it took.
//!
//! Told of the whole response or of each event; asked when the exchange is over, however it ended. It
//! holds a few numbers, and two names that are cut to what is published.

use super::{Reported, Usage, UsageStatus, estimate};
use crate::count::sum;
use crate::dialect::Dialect;
use crate::place::Place;
use crate::response::{End, Extent, Response};

/// Longer names of models and reasons are cut: they come from outside, and are held and published.
const LONGEST_NAME: usize = 256;

/// What was seen of an answer so far.
#[derive(Clone, Debug)]
pub struct Meter {
    dialect: Dialect,
    reported: Option<Reported>,
    /// Nothing comes any more.
    has_ended: bool,
    /// A choice has ended.
    has_finished: bool,
    choices: Choices,
    is_known: bool,
    is_error: bool,
    has_output: bool,
    text_bytes: u64,
    model: Option<String>,
    finish_reason: Option<String>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The response came to its end.
    Whole,
    /// It was cut off: the client left, the upstream reset, time was over.
    Early,
    /// Its status said that it is an error.
    Refused,
}

/// What an answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered {
    /// The tokens; none if that is missing or an error.
    pub usage: Option<Usage>,
    /// What is to be believed of them.
    pub status: UsageStatus,
}

impl Meter {
    /// Before the answer.
    pub fn new(dialect: Dialect) -> Meter {
        Meter {
            dialect,
            reported: None,
            has_ended: false,
            has_finished: false,
            choices: Choices::default(),
            is_known: false,
            is_error: false,
            has_output: false,
            text_bytes: 0,
            model: None,
            finish_reason: None,
        }
    }

    /// Reads on: `response` was read from `text`, which is the body or the data of the next event.
    /// True if it has the first text or tool call of the answer.
    ///
    /// # Cost
    /// A pass over the texts that have escapes.
    pub fn see(&mut self, response: &Response, text: &str) -> bool {
        self.is_known |= response.is_known;
        self.is_error |= response.is_error;
        if self.model.is_none() {
            self.model = name(response.model, text);
        }
        self.choices.see(response);
        if let Some(reason) = response.finish_reason
            && self.finish_reason.is_none()
        {
            self.finish_reason = name(Some(reason), text);
        }
        if let Some(reported) = response.usage {
            self.reported.get_or_insert_default().update(reported);
        }
        self.has_finished |= response.finish_reason.is_some();
        self.has_ended |= response.is_last;
        for piece in &response.pieces {
            if piece.extent != Extent::Repeat {
                let length = piece.place.contents(text).map_or(0, |it| it.len());
                self.text_bytes = sum([self.text_bytes, length as u64]);
            }
        }
        let is_first = !self.has_output && response.has_output();
        self.has_output |= is_first;
        is_first
    }

    /// So many bytes of the answer go by without being read. Nobody knows what they tell, which is another
    /// thing than an answer of no known shape; where usage is guessed, they are taken for text.
    pub fn pass(&mut self, bytes: usize) {
        self.is_known = true;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.text_bytes = sum([self.text_bytes, bytes]);
    }

    /// The model that answered, as it names itself.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Why the answer ended, in the words of its dialect.
    pub fn finish_reason(&self) -> Option<&str> {
        self.finish_reason.as_deref()
    }

    /// What the answer took until now. `input_bytes` are the bytes of text of the request, if what was
    /// not told is to be guessed.
    ///
    /// Anthropic and Responses say themselves that an answer is whole; of others, a stream that ended
    /// in order is.
    pub fn metered(&self, ending: Ending, input_bytes: Option<u64>) -> Metered {
        let usage = self.reported.and_then(|it| it.usage(self.dialect));
        let says_its_end = matches!(
            self.dialect,
            Dialect::AnthropicMessages | Dialect::OpenaiResponses
        );
        // OpenAI tells behind the end of all choices, everybody else with it or before.
        let is_final = self.has_ended || self.has_finished && self.choices.have_ended();
        let is_whole = is_final || (ending == Ending::Whole && !says_its_end);
        let status = match (ending, usage) {
            (Ending::Refused, _) => UsageStatus::Error,
            (_, Some(_)) if is_whole => UsageStatus::Complete,
            (_, Some(_)) => UsageStatus::Partial,
            (_, None) if self.is_error && !self.has_output => UsageStatus::Error,
            (Ending::Whole, None) if !self.is_known => UsageStatus::Error,
            (_, None) if input_bytes.is_some() => UsageStatus::Estimated,
            (_, None) => UsageStatus::Missing,
        };
        let usage = match status {
            UsageStatus::Complete | UsageStatus::Partial => usage,
            UsageStatus::Estimated => Some(Usage {
                input_tokens: sum([estimate(input_bytes.unwrap_or_default())]),
                output_tokens: sum([estimate(self.text_bytes)]),
                ..Usage::default()
            }),
            UsageStatus::Missing | UsageStatus::Error => None,
        };
        Metered { usage, status }
    }
}

/// Which choices of an answer have begun, and which of them have ended; of the first ones, as bits. No model
/// is asked for more at once.
#[derive(Clone, Copy, Debug, Default)]
struct Choices {
    begun: u64,
    ended: u64,
}

impl Choices {
    fn see(&mut self, response: &Response) {
        let bit = |item: u32| 1_u64.checked_shl(item).unwrap_or_default();
        for piece in &response.pieces {
            self.begun |= bit(piece.key.item);
        }
        for end in &response.ends {
            self.ended |= match end {
                End::All => u64::MAX,
                End::Item(item) => bit(*item),
                End::Part(..) | End::Text(_) => 0,
            };
        }
    }

    fn have_ended(self) -> bool {
        self.begun & !self.ended == 0
    }
}

/// A name, as long as it may be, without control characters.
fn name(place: Option<Place>, text: &str) -> Option<String> {
    let mut name = place?.contents(text)?.into_owned();
    name.retain(|it| !it.is_control());
    if name.len() > LONGEST_NAME {
        let end = (0..=LONGEST_NAME)
            .rev()
            .find(|&it| name.is_char_boundary(it));
        name.truncate(end.unwrap_or_default());
    }
    (!name.is_empty()).then_some(name)
}
