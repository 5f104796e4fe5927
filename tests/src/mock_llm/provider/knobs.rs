//! How an answer is chosen by whoever asks for it: header lines `x-mock-NAME`, or `mock-NAME` in
//! the query (percent-encoded), which a proxy on the way leaves alone.
//!
//! | name | values | meaning |
//! |---|---|---|
//! | `say` | text | what the model says; default a fixed sentence, nothing where `tools` are given |
//! | `refusal` | text | what the model says in refusing, where OpenAI's chat has a member for it; else as `say` |
//! | `reasoning` | text | what it thinks before; absent by default |
//! | `tools` | `[{"id":…,"name":…,"arguments":{…}}]` | calls of tools; arguments as a string go as they are, also `""`; `signature` goes along where calls are signed |
//! | `delta` | `word`, `whole`, a number of characters | how texts are cut into deltas; default `word` (arguments: 8) |
//! | `model` | text | the model that answers; default the one asked for |
//! | `finish` | text | the reason why it ends, instead of the dialect's |
//! | `usage` | `asked`, `always`, `choices`, `every`, `null`, `none` | see [`Usage`]; default `asked` |
//! | `tokens` | `input:9,cached:5,written:1,output:4,reasoning:2` | the counts; default a quarter of the bytes |
//! | `usage-raw` | JSON | stands where the usage object would stand |
//! | `status` | 400 to 599 | an error of that status instead of an answer |
//! | `error-after` | number | so many events of a stream, then the dialect's error event |
//! | `error-raw` | text | what a `status` says, as a page and in nobody's shape |
//! | `stop-after` | number | so many events of a stream, then its end, as if that were all |
//! | `cut-after` | number | so many events of a stream, then the connection breaks off |
//! | `end` | `done`, `no-done`, `cut` | `no-done` leaves `[DONE]` out; `cut` breaks off where the end would be |
//! | `head-pause` | milliseconds | before the head of the answer |
//! | `pause` | milliseconds | between two pieces |
//! | `pieces` | `events:N`, `bytes:N`, `utf8`, `lines`, `whole` | what is written at once; default `events:1` |
//! | `sse` | `crlf`, `cr`, `bom`, `tight`, `multiline`, `comments`, `no-blank`, by commas | awkward but lawful event streams, see [`Sse`] |
//! | `escape` | `ascii` | all other characters as `\uXXXX` |
//! | `gzip` | `accepted`, `always` | content coding, if the request accepts it or whatever it says |
//!
//! In `say`, `reasoning` and the arguments of `tools`, `$PROMPT` is the last text of the user as it
//! arrived, `$BODY` the body as it arrived, `$HEADER(name)` a header line.
//!
//! Called for each request; pure. Unknown names and values are refused with what would be right.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// What one request asks of the mock.
#[derive(Debug, Default)]
pub(super) struct Knobs {
    pub(super) say: Option<String>,
    pub(super) refuses: bool,
    pub(super) reasoning: Option<String>,
    pub(super) tools: Vec<Value>,
    pub(super) delta: Delta,
    pub(super) model: Option<String>,
    pub(super) finish: Option<String>,
    pub(super) usage: Usage,
    pub(super) tokens: Tokens,
    pub(super) usage_raw: Option<String>,
    pub(super) status: Option<StatusCode>,
    pub(super) error_after: Option<usize>,
    pub(super) error_raw: Option<String>,
    pub(super) stop_after: Option<usize>,
    pub(super) cut_after: Option<usize>,
    pub(super) end: End,
    pub(super) head_pause: Duration,
    pub(super) pause: Duration,
    pub(super) pieces: Option<Pieces>,
    pub(super) sse: Sse,
    pub(super) ascii: bool,
    pub(super) gzip: Gzip,
}

/// How a text becomes deltas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Delta {
    #[default]
    Word,
    Whole,
    Characters(usize),
}

/// Where a stream tells its usage; documents have it unless it is `Null` or `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Usage {
    /// Where the provider has it; OpenAI chat and completions only if asked for.
    #[default]
    Asked,
    /// As `Asked`, in OpenAI chat and completions without being asked too.
    Always,
    /// On the event that ends the text, beside its choices, and nowhere else.
    Choices,
    /// On every event that can have it, with the counts so far.
    Every,
    /// `null` wherever it could stand.
    Null,
    /// Nowhere.
    None,
}

/// The counts to tell. Details that are not given are not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Inclusive of `cached` and `written`.
    pub(super) input: Option<u64>,
    pub(super) cached: Option<u64>,
    pub(super) written: Option<u64>,
    /// Inclusive of `reasoning`.
    pub(super) output: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Done,
    NoDone,
    Cut,
}

/// What is written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    Events(usize),
    Bytes(usize),
    /// Ends behind the first byte of every character of several bytes, and behind every event.
    Utf8,
    Lines,
    Whole,
}

impl Default for Pieces {
    fn default() -> Self {
        Self::Events(1)
    }
}

/// What event streams may lawfully look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sse {
    /// What ends a line.
    pub(super) line_end: LineEnd,
    /// A byte order mark before everything.
    pub(super) bom: bool,
    /// No blank behind `data:`.
    pub(super) tight: bool,
    /// The payload in two `data` lines, where it has a comma to cut at.
    pub(super) multiline: bool,
    /// A comment before each event.
    pub(super) comments: bool,
    /// No blank line behind the last event.
    pub(super) no_blank: bool,
}

/// The three ends of lines that event streams know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineEnd {
    #[default]
    Lf,
    CrLf,
    Cr,
}

/// Whether answers are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gzip {
    #[default]
    Never,
    Accepted,
    Always,
}

impl Knobs {
    /// Reads the knobs of a request: header lines first, then its query.
    pub(super) fn read(query: &str, headers: &HeaderMap) -> Result<Self, String> {
        let mut knobs = Self::default();
        for (name, value) in headers {
            if let Some(name) = name.as_str().strip_prefix("x-mock-") {
                knobs.set(name, &String::from_utf8_lossy(value.as_bytes()))?;
            }
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some(name) = name.strip_prefix("mock-") {
                knobs.set(name, &value)?;
            }
        }
        Ok(knobs)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |right: &str| format!("mock-{name} must be {right}");
        let text = || Some(value.to_owned());
        let number = || value.parse().map_err(|_| wrong("a number"));
        let pause = || number().map(|count: usize| Duration::from_millis(count as u64));
        match name {
            "say" => self.say = text(),
            "refusal" => {
                self.say = text();
                self.refuses = true;
            }
            "reasoning" => self.reasoning = text(),
            "tools" => {
                self.tools = serde_json::from_str(value).map_err(|_| wrong("a JSON array"))?;
            }
            "delta" => {
                self.delta = match value {
                    "word" => Delta::Word,
                    "whole" => Delta::Whole,
                    _ => Delta::Characters(number()?.max(1)),
                }
            }
            "model" => self.model = text(),
            "finish" => self.finish = text(),
            "usage" => {
                self.usage = match value {
                    "asked" => Usage::Asked,
                    "always" => Usage::Always,
                    "choices" => Usage::Choices,
                    "every" => Usage::Every,
                    "null" => Usage::Null,
                    "none" => Usage::None,
                    _ => return Err(wrong("asked, always, choices, every, null or none")),
                }
            }
            "tokens" => self.tokens = Tokens::read(value).ok_or_else(|| wrong("name:number,…"))?,
            "usage-raw" => self.usage_raw = text(),
            "status" => {
                let status = value.parse().ok();
                let is_error = |code: &u16| (400..600).contains(code);
                let status = status.filter(is_error).map(StatusCode::from_u16);
                self.status = Some(
                    status
                        .and_then(Result::ok)
                        .ok_or_else(|| wrong("400 to 599"))?,
                );
            }
            "error-after" => self.error_after = Some(number()?),
            "error-raw" => self.error_raw = text(),
            "stop-after" => self.stop_after = Some(number()?),
            "cut-after" => self.cut_after = Some(number()?),
            "end" => {
                self.end = match value {
                    "done" => End::Done,
                    "no-done" => End::NoDone,
                    "cut" => End::Cut,
                    _ => return Err(wrong("done, no-done or cut")),
                }
            }
            "head-pause" => self.head_pause = pause()?,
            "pause" => self.pause = pause()?,
            "pieces" => {
                let pieces = Pieces::read(value);
                self.pieces =
                    Some(pieces.ok_or_else(|| wrong("events:N, bytes:N, utf8, lines or whole"))?);
            }
            "sse" => self.sse = Sse::read(value).ok_or_else(|| wrong("a list of known forms"))?,
            "escape" if value == "ascii" => self.ascii = true,
            "escape" => return Err(wrong("ascii")),
            "gzip" => {
                self.gzip = match value {
                    "accepted" => Gzip::Accepted,
                    "always" => Gzip::Always,
                    _ => return Err(wrong("accepted or always")),
                }
            }
            _ => return Err(format!("there is no knob mock-{name}")),
        }
        Ok(())
    }
}

impl Tokens {
    fn read(text: &str) -> Option<Self> {
        let mut tokens = Self::default();
        for part in text.split(',') {
            let (name, count) = part.split_once(':')?;
            let count = count.trim().parse().ok();
            let field = match name.trim() {
                "input" => &mut tokens.input,
                "cached" => &mut tokens.cached,
                "written" => &mut tokens.written,
                "output" => &mut tokens.output,
                "reasoning" => &mut tokens.reasoning,
                _ => return None,
            };
            *field = Some(count?);
        }
        Some(tokens)
    }
}

impl Pieces {
    fn read(text: &str) -> Option<Self> {
        let (name, count) = text.split_once(':').unwrap_or((text, ""));
        let count = || count.parse().ok().filter(|count| *count > 0);
        Some(match name {
            "events" => Self::Events(count()?),
            "bytes" => Self::Bytes(count()?),
            "utf8" => Self::Utf8,
            "lines" => Self::Lines,
            "whole" => Self::Whole,
            _ => return None,
        })
    }
}

impl Sse {
    fn read(text: &str) -> Option<Self> {
        let mut sse = Self::default();
        for form in text.split(',') {
            match form.trim() {
                "crlf" => sse.line_end = LineEnd::CrLf,
                "cr" => sse.line_end = LineEnd::Cr,
                "bom" => sse.bom = true,
                "tight" => sse.tight = true,
                "multiline" => sse.multiline = true,
                "comments" => sse.comments = true,
                "no-blank" => sse.no_blank = true,
                _ => return None,
            }
        }
        Some(sse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Knobs, String> {
        Knobs::read(query, &HeaderMap::new())
    }

    #[test]
    fn knobs_come_from_headers_and_from_the_query() {
        let mut headers = HeaderMap::new();
        headers.insert("x-mock-say", "Grüß [EMAIL_1]".parse().unwrap());
        headers.insert("x-other", "1".parse().unwrap());
        let query = "alt=sse&mock-tokens=input:9,cached:5&mock-pieces=bytes:3&mock-sse=crlf,bom";
        let knobs = Knobs::read(query, &headers).unwrap();
        assert_eq!(knobs.say.as_deref(), Some("Grüß [EMAIL_1]"));
        assert_eq!(
            (knobs.tokens.input, knobs.tokens.cached),
            (Some(9), Some(5))
        );
        assert_eq!(knobs.tokens.output, None);
        assert_eq!(knobs.pieces, Some(Pieces::Bytes(3)));
        assert!(knobs.sse.bom && knobs.sse.line_end == LineEnd::CrLf && !knobs.sse.tight);
    }

    #[test]
    fn queries_are_percent_encoded() {
        assert_eq!(
            read("mock-say=a%20b%5B1%5D").unwrap().say.as_deref(),
            Some("a b[1]")
        );
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_would_be_right() {
        for (query, reason) in [
            ("mock-sya=x", "there is no knob mock-sya"),
            (
                "mock-usage=maybe",
                "mock-usage must be asked, always, choices, every, null or none",
            ),
            (
                "mock-pieces=bytes:0",
                "mock-pieces must be events:N, bytes:N, utf8, lines or whole",
            ),
            ("mock-status=200", "mock-status must be 400 to 599"),
            ("mock-pause=soon", "mock-pause must be a number"),
            ("mock-tokens=input", "mock-tokens must be name:number,…"),
            ("mock-sse=lf", "mock-sse must be a list of known forms"),
            ("mock-gzip=no", "mock-gzip must be accepted or always"),
            ("mock-escape=all", "mock-escape must be ascii"),
            ("mock-end=never", "mock-end must be done, no-done or cut"),
            ("mock-tools={}", "mock-tools must be a JSON array"),
        ] {
            assert_eq!(read(query).unwrap_err(), reason);
        }
    }
}
