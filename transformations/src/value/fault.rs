//! Why a template function refuses its arguments.
//!
//! Made on a worker thread while a template renders, or on the main thread for arguments that are
//! constants. Each kind is a fixed sentence: what the arguments held may be a prompt or a key, so no
//! part of them ever enters a message.

use minijinja::ErrorKind;
use thiserror::Error;

use formats::json::ParseError;

/// The ways in which a function's arguments can be unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// A `%` without two hexadecimal digits after it.
    #[error("urldecode: a `%` must be followed by two hexadecimal digits")]
    PercentEscape,
    /// Decoded bytes are not text.
    #[error("urldecode: the decoded bytes are not UTF-8 text")]
    DecodedNotUtf8,
    /// An encoding of a digest that does not exist.
    #[error("the encoding of a digest must be \"hex\", \"base64\" or \"base64url\"")]
    DigestEncoding,
    /// Text given as a time is neither seconds nor a date of one of the known forms.
    #[error("date: the time is neither a number of seconds, nor RFC 3339 text, nor an HTTP date")]
    NotATime,
    /// A time before year -9999 or after year 9999.
    #[error("date: the time is out of range")]
    TimeOutOfRange,
    /// A date format with an unknown or unfinished directive.
    #[error("date: the format holds a directive that does not exist or has no meaning in UTC")]
    DateFormat,
    /// A regular expression that was not compiled with the configuration.
    #[error("the regular expression is not a constant of the configuration")]
    UnknownPattern,
    /// A replacement that names a group the expression lacks.
    #[error("regex_replace: the replacement names a group that the expression does not have")]
    UnknownGroup,
    /// A replacement with a `$` that starts nothing.
    #[error(
        "regex_replace: in a replacement, `$` must be written `$$` or start a group: `$1`, `${{name}}`"
    )]
    Replacement,
    /// Text that should be JSON and is not.
    #[error("the text is not valid JSON")]
    NotJson,
    /// Text that `fromjson` cannot read, and where it stops being JSON.
    #[error("fromjson: {0}")]
    FromJson(ParseError),
    /// Text that `fromxml` does not read: why, and where that was seen.
    #[error("fromxml: {0}, seen at byte {1}")]
    FromXml(&'static str, u64),
    /// A value that `toxml` cannot write, and why.
    #[error("toxml: {0}")]
    ToXml(&'static str),
    /// A value that `toform` cannot write.
    #[error("toform: the value must be a map of texts, numbers, booleans and lists of these")]
    NotAForm,
    /// A text that is not an RFC 6901 pointer.
    #[error("the pointer must be empty or start with `/`, with `~` written `~0`")]
    BadPointer,
    /// A pointer to a place that cannot exist in this document.
    #[error("json_set: the pointer leads through something that does not exist in the document")]
    NoSuchPlace,
    /// The whole document was to be removed.
    #[error("json_remove: the whole document cannot be removed")]
    WholeDocument,
    /// What is to be written with decimals is no number.
    #[error("fixed: the value is not a number")]
    NotANumber,
    /// More decimals than make sense.
    #[error("fixed: a number has at most 100 decimals")]
    TooManyDecimals,
    /// A value that nests deeper than any JSON body may.
    #[error("the value nests too deeply")]
    TooDeep,
    /// JSON of a message that nests too deeply was to be looked into.
    #[error("the JSON nests too deeply to be read")]
    JsonTooDeep,
    /// The result would be larger than the caller allows.
    #[error("the result is too large")]
    TooLarge,
    /// An operator that does not apply to its operands.
    #[error("{0}")]
    Operator(&'static str),
}

impl From<Fault> for minijinja::Error {
    fn from(fault: Fault) -> Self {
        // Beside the text there is the fault itself, so that whoever logs it knows where it is from.
        minijinja::Error::new(ErrorKind::InvalidOperation, fault.to_string()).with_source(fault)
    }
}
