//! What `/stats` counts of this module, and how often Envoy refused what it was sent.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

/// What is asked: counters and gauges that were raised, of this module and of discovery.
pub(super) const PATH: &str =
    "/stats?format=json&usedonly&filter=rustformations_|http\\.acl\\.blocked|update_rejected";

/// How many updates of what were refused.
const REJECTED: &str = "update_rejected";
/// The gauge that says which module this is.
const BUILD: &str = "rustformations_build.version.";

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// Version and revision, once the module has said so.
    pub(super) module: Option<(String, String)>,
    pub(super) counters: BTreeMap<String, u64>,
    /// Refused updates by what was updated.
    pub(super) rejected: BTreeMap<String, u64>,
}

impl Stats {
    /// # Errors
    /// If it is not JSON as Envoy writes it.
    pub(super) fn read(text: &str) -> Result<Stats> {
        let all: Value = serde_json::from_str(text).context("/stats is no JSON")?;
        let entries = all.get("stats").and_then(Value::as_array);
        let mut stats = Stats::default();
        for entry in entries.context("/stats has no \"stats\"")? {
            let name = entry.get("name").and_then(Value::as_str);
            let value = entry.get("value").and_then(Value::as_u64);
            // Histograms stand among them without either.
            if let (Some(name), Some(value)) = (name, value) {
                stats.take(name, value);
            }
        }
        Ok(stats)
    }

    fn take(&mut self, name: &str, value: u64) {
        if let Some((_, labels)) = name.split_once(BUILD) {
            let (version, revision) = labels.split_once(".revision.").unwrap_or((labels, ""));
            self.module = Some((version.to_owned(), revision.to_owned()));
        } else if let Some(what) = name.strip_suffix(REJECTED) {
            if value > 0 {
                let what = what.trim_end_matches('.').to_owned();
                self.rejected.insert(what, value);
            }
        } else {
            self.counters.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stats;

    #[test]
    fn what_is_counted_is_told_apart() {
        let text = r#"{"stats": [
            {"name": "dynamicmodulescustom.rustformations_build.version.0.1.0.revision.abc", "value": 1},
            {"name": "dynamicmodulescustom.rustformations_requests_transformed", "value": 3},
            {"name": "listener_manager.lds.update_rejected", "value": 2},
            {"name": "cluster_manager.cds.update_rejected", "value": 0},
            {"histograms": {"supported_quantiles": []}}]}"#;
        let stats = Stats::read(text).unwrap();
        assert_eq!(stats.module, Some(("0.1.0".to_owned(), "abc".to_owned())));
        assert_eq!(
            stats.rejected.into_iter().collect::<Vec<_>>(),
            [("listener_manager.lds".to_owned(), 2)]
        );
        assert_eq!(stats.counters.len(), 1);
        assert!(Stats::read("{}").is_err() && Stats::read("ok").is_err());
    }
}
