//! What comes of something that is moved.

use serde_json::Value;

use crate::find::locate::Spot;

/// Something that was moved.
#[derive(Debug)]
pub(super) struct Moved {
    /// Where it stood, for people.
    pub(super) place: String,
    pub(super) spot: Spot,
    /// A configuration, or an object of Kubernetes with one.
    pub(super) document: Value,
}

impl Moved {
    /// The configuration in it.
    pub(super) fn config(&self) -> &Value {
        let inside = self.document.pointer("/spec/transformation");
        inside.unwrap_or(&self.document)
    }
}
