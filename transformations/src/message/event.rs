//! `event` in the templates of events: a message that is one event of a stream.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::{EventField, Message};

/// What is known of an event beside its data, which is the body of its message.
#[derive(Debug)]
pub(crate) enum EventFields {
    /// Its name and id; undefined where it has none.
    Of { name: Value, id: Value },
    /// There is no event: the stream has ended.
    AtEnd,
}

/// `event` in a template.
#[derive(Debug)]
pub(super) struct EventValue(pub(super) Arc<Message>);

impl Object for EventValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let Some(EventFields::Of { name, id }) = &self.0.event else {
            return None;
        };
        Some(match EventField::find(key.as_str()?)? {
            EventField::Name => name.clone(),
            EventField::Id => id.clone(),
            EventField::Data => self.0.body().unwrap_or_else(Value::from),
            EventField::Json => self.0.document(),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
