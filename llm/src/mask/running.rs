//! A text that comes in pieces: what can be sent goes on at once, only what may still become a value or
//! a placeholder waits.
//!
//! One for each text of a streamed response: a choice, a block, the arguments of a tool call. Used on
//! the worker of the exchange. Chunks do not change what comes out: a value is decided on by its own
//! text and what follows, at most [`WINDOW`] bytes from its beginning; one that is longer is taken as it
//! stands. Of a web token or a private key that is longer, what follows goes as well.

use std::ops::Range;
use std::sync::Arc;

use super::ahead::floor;
use super::detect::{Extent, Next, Outgrown};
use super::escapes::{Places, decode_into};
use super::placeholders::At;
use super::response::write_into;
use super::{Edit, Form, Returns, Unmasking};

/// How many bytes of text wait at most, as they read; of a JSON document as text its escapes may take
/// six times as much.
pub const MAX_WAITING: usize = 1024;
/// How many of these may wait because they may be a value; the others may be a placeholder.
const WINDOW: usize = 896;
/// How many bytes that went on are kept: what stands before a value may decide.
const CONTEXT: usize = 16;

/// One text of a response.
#[derive(Debug)]
pub struct Running {
    form: Form,
    masked: Masked,
    /// Text that waits because it may become a placeholder. It begins with a bracket.
    bracket: String,
}

/// The part that masks the text's own values.
#[derive(Default)]
struct Masked {
    /// What went on last, then what waits, as it reads.
    text: String,
    /// Where what waits begins.
    start: usize,
    /// What waits, as it is written, if that is different.
    raw: String,
    /// Behind which place each expression looks.
    passed: Vec<usize>,
    outgrown: Option<Outgrown>,
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masked({} bytes wait)", self.text.len() - self.start)
    }
}

impl Running {
    /// A text that begins. Costs no allocation.
    pub fn new(form: Form) -> Running {
        Running {
            form,
            masked: Masked::default(),
            bracket: String::new(),
        }
    }

    /// Takes the next piece of the text and appends to `out` what can be sent now.
    pub fn push(&mut self, response: &mut Unmasking, delta: &str, out: &mut String) {
        self.step(response, delta, false, out);
    }

    /// Ends the text and appends to `out` what waited. Another text may begin behind it.
    pub fn end(&mut self, response: &mut Unmasking, out: &mut String) {
        self.step(response, "", true, out);
        *self = Running::new(self.form);
    }

    /// How many bytes wait, as they are written.
    pub fn waiting(&self) -> usize {
        let masked = match self.form {
            Form::Plain => self.masked.text.len() - self.masked.start,
            Form::Json => self.masked.raw.len(),
        };
        masked + self.bracket.len()
    }

    fn step(&mut self, response: &mut Unmasking, delta: &str, complete: bool, out: &mut String) {
        match response.returns {
            Returns::Mask => self.masked.push(response, self.form, delta, complete, out),
            Returns::Restore => self.restore(response, delta, complete, out),
            Returns::Both => {
                let mut masked = String::new();
                self.masked
                    .push(response, self.form, delta, complete, &mut masked);
                self.restore(response, &masked, complete, out);
            }
        }
    }

    fn restore(&mut self, response: &Unmasking, delta: &str, complete: bool, out: &mut String) {
        let waited = std::mem::take(&mut self.bracket);
        let joined;
        let mut rest = delta;
        if !waited.is_empty() {
            joined = waited + delta;
            rest = &joined;
        }
        while let Some(open) = memchr::memchr(b'[', rest.as_bytes()) {
            let (before, bracket) = rest.split_at_checked(open).unwrap_or((rest, ""));
            out.push_str(before);
            let length = match response.originals.at(bracket) {
                At::Placeholder(length, value) => {
                    write_into(value, self.form, out);
                    length
                }
                At::Cut if !complete => {
                    self.bracket.push_str(bracket);
                    return;
                }
                At::Cut | At::Nothing => {
                    out.push('[');
                    1
                }
            };
            rest = bracket.get(length..).unwrap_or_default();
        }
        out.push_str(rest);
    }
}

impl Masked {
    fn push(
        &mut self,
        response: &mut Unmasking,
        form: Form,
        delta: &str,
        complete: bool,
        out: &mut String,
    ) {
        self.take(form, delta, complete);
        let (edits, end) = self.scan(response, complete);
        self.send(form, edits, end, out);
    }

    /// Appends a piece. Half an escape at its end is not read yet.
    fn take(&mut self, form: Form, delta: &str, complete: bool) {
        match form {
            Form::Plain => self.text.push_str(delta),
            Form::Json => {
                self.raw.push_str(delta);
                self.text.truncate(self.start);
                decode_into(&self.raw, complete, &mut self.text);
            }
        }
    }

    /// What has to change, and where what waits begins.
    fn scan(&mut self, response: &mut Unmasking, complete: bool) -> (Vec<Edit>, usize) {
        let masker = Arc::clone(&response.masker);
        let mut room = std::mem::take(&mut response.room);
        self.passed.resize(masker.scanner.patterns(), 0);
        let extent = Extent {
            complete,
            window: WINDOW,
        };
        let (text, passed) = (self.text.as_str(), self.passed.as_mut_slice());
        let mut pass = masker.scanner.pass(&mut room, text, extent, passed);
        let mut edits = Vec::new();
        let mut from = self.start;
        let end = loop {
            if let Some(outgrown) = &mut self.outgrown {
                let rest = text.get(from..).unwrap_or_default();
                let goes = rest.chars().take_while(|&it| outgrown.goes_on(it));
                let end = from + goes.map(char::len_utf8).sum::<usize>();
                edits.push(Edit {
                    range: from..end,
                    replacement: String::new(),
                });
                from = end;
                if end == text.len() {
                    break end;
                }
                self.outgrown = None;
            }
            match pass.next(from) {
                Next::Nothing => break text.len(),
                Next::Waits(start) => break start,
                Next::Found(found) => {
                    from = found.end;
                    let value = text.get(found.start..found.end).unwrap_or_default();
                    if let Some(replacement) = response.own(found.rule, value) {
                        self.outgrown = found.outgrown;
                        edits.push(Edit {
                            range: found.start..found.end,
                            replacement,
                        });
                    }
                }
            }
        };
        response.room = room;
        (edits, end)
    }

    /// Sends what stands before `end`, edited, and keeps the rest.
    fn send(&mut self, form: Form, mut edits: Vec<Edit>, end: usize, out: &mut String) {
        match form {
            Form::Plain => write(&self.text, self.start..end, &edits, out),
            Form::Json => {
                let mut places = Places::new(&self.raw);
                let mut raw = |place: usize| places.raw(place.saturating_sub(self.start));
                for Edit { range, .. } in &mut edits {
                    *range = raw(range.start)..raw(range.end);
                }
                let end = raw(end);
                write(&self.raw, 0..end, &edits, out);
                self.raw.drain(..end);
            }
        }
        let keep = floor(&self.text, end.saturating_sub(CONTEXT));
        self.text.drain(..keep);
        self.start = end - keep;
        for passed in &mut self.passed {
            *passed = passed.saturating_sub(keep);
        }
    }
}

/// Appends a part of a text, edited. The edits stand in it.
fn write(text: &str, range: Range<usize>, edits: &[Edit], out: &mut String) {
    let mut at = range.start;
    for edit in edits {
        out.push_str(text.get(at..edit.range.start).unwrap_or_default());
        out.push_str(&edit.replacement);
        at = edit.range.end;
    }
    out.push_str(text.get(at..range.end).unwrap_or_default());
}

#[cfg(test)]
mod tests;
