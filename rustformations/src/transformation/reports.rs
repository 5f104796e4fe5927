//! What the log says of failures.
//!
//! Clients can cause most of them at will, so each kind in each field is said once a minute, with how
//! many went unsaid before. Shared by all workers; touched only where something failed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::{Failure, Program, TransformError};

const PAUSE: Duration = Duration::from_secs(60);

/// What was said of the failures of one program. There are no more entries than kinds in fields.
#[derive(Default)]
pub(super) struct Reports {
    entries: Mutex<HashMap<TransformError, Entry>>,
}

struct Entry {
    said: Instant,
    unsaid: u64,
}

impl Reports {
    /// Says that a failure happened so many times, if it is time for that: which field, on which
    /// route, and why; never what the message held.
    pub(super) fn say<EHF: EnvoyHttpFilter>(
        &self,
        envoy: &EHF,
        program: &Program,
        failure: &Failure,
        times: u64,
    ) {
        let error = failure.error();
        let Some(unsaid) = self.due(error, times, Instant::now()) else {
            return;
        };
        let route = envoy.get_attribute_string(AttributeId::XdsRouteName);
        let route = route.as_ref().map(|name| name.as_slice());
        let route = String::from_utf8_lossy(route.unwrap_or_default());
        let line = line(program.field_path(error.field()), failure, &route, unsaid);
        envoy_log_warn!("{line}");
    }

    /// Counts failures. Answers how many went unsaid beside the one that is to be said now.
    fn due(&self, error: TransformError, times: u64, now: Instant) -> Option<u64> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.get_mut(&error) else {
            let said = now;
            entries.insert(error, Entry { said, unsaid: 0 });
            return Some(times.saturating_sub(1));
        };
        entry.unsaid = entry.unsaid.saturating_add(times);
        if now.saturating_duration_since(entry.said) < PAUSE {
            return None;
        }
        entry.said = now;
        Some(std::mem::take(&mut entry.unsaid).saturating_sub(1))
    }
}

fn line(field: &str, failure: &Failure, route: &str, unsaid: u64) -> String {
    let kind = failure.error().kind().name();
    let mut line = format!("{failure} ({kind}");
    if !field.is_empty() {
        line.insert_str(0, &format!("{field}: "));
    }
    if !route.is_empty() {
        line.push_str(&format!(" on route \"{route}\""));
    }
    if unsaid > 0 {
        line.push_str(&format!("; {unsaid} more like this before"));
    }
    line.push(')');
    line
}

#[cfg(test)]
mod tests;
