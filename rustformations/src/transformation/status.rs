//! What becomes of a piece of a message, whatever the hook calls it.

/// What Envoy is to do with it.
pub(super) enum Status {
    /// It goes on.
    Pass,
    /// Envoy holds it.
    Hold,
    /// It does not go on.
    Drop,
}
