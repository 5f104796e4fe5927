//! A message and one line of one of its headers, which the template of an edit makes a new one of.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::{LINE, Message};

/// The engine's root context while a line is edited.
#[derive(Debug)]
pub(crate) struct WithLine {
    message: Arc<Message>,
    line: Arc<str>,
}

impl WithLine {
    pub(crate) fn new(message: Arc<Message>, line: Arc<str>) -> WithLine {
        WithLine { message, line }
    }
}

impl Object for WithLine {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            LINE => Some(Value::from(self.line.clone())),
            _ => self.message.get_value_by_str(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
