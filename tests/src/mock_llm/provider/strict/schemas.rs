//! The schemas, one file for each API that has much to say.

pub(super) mod chat;
pub(super) mod converse;
pub(super) mod gemini;
pub(super) mod messages;
pub(super) mod others;
