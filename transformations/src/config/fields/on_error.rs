//! The words of `onError`, at the top and in a transform.

use crate::config::OnError;

/// What `onError` may say.
pub(super) const ON_ERRORS: &[(&str, OnError)] = &[
    ("auto", OnError::Auto),
    ("fail", OnError::Fail),
    ("skip", OnError::Skip),
    ("continue", OnError::Continue),
];
