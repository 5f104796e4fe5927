//! Which rule an event meets.
//!
//! Names, data and JSON of an event are read when the first rule asks for them, once for all rules.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::program::Condition;
use formats::events::Event;
use formats::json::Document;

/// An event that has data, as rules see it.
pub(super) struct Subject<'a> {
    pub(super) event: Event<'a>,
    pub(super) data: Cow<'a, [u8]>,
    name: OnceCell<Option<Cow<'a, str>>>,
    document: OnceCell<Option<Document>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(event: Event<'a>) -> Option<Subject<'a>> {
        let data = event.data()?;
        Some(Subject {
            event,
            data,
            name: OnceCell::new(),
            document: OnceCell::new(),
        })
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.get_or_init(|| self.event.name()).as_deref()
    }

    /// The data as JSON; none if it is not JSON, such as OpenAI's `[DONE]`.
    pub(super) fn document(&self) -> Option<&Document> {
        let parse = || Document::parse(&*self.data).ok();
        self.document.get_or_init(parse).as_ref()
    }
}

impl Condition {
    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        let at = |pointer| {
            subject
                .document()
                .and_then(|document| document.root().pointer(pointer))
        };
        match self {
            Condition::Data(text) => *subject.data == *text.as_bytes(),
            Condition::Exists(pointer, exists) => at(pointer).is_some() == *exists,
            Condition::Equals(pointer, value) => {
                at(pointer).is_some_and(|found| found.equals(&value.root()))
            }
        }
    }
}
