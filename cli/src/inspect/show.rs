//! What was found in an Envoy, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::admin::Server;
use super::dump::Dump;
use super::stats::Stats;
use crate::paint::{BOLD, RED, painted};

/// All of it.
#[derive(Debug)]
pub(super) struct Inspected {
    pub(super) server: Server,
    pub(super) dump: Dump,
    pub(super) stats: Stats,
}

impl Inspected {
    /// Whether something is not taken.
    pub(super) fn is_refused(&self) -> bool {
        let mut filters = self.dump.configurations.iter().map(|it| &it.filter);
        filters.any(Result::is_err)
            || !self.dump.refused.is_empty()
            || !self.stats.rejected.is_empty()
    }

    pub(super) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Server {
            version,
            state,
            uptime,
        } = &self.server;
        writeln!(
            out,
            "{} {version}, {state}, up for {uptime}",
            painted(BOLD, "Envoy")
        )?;
        match &self.stats.module {
            Some((version, revision)) => {
                writeln!(
                    out,
                    "{} {version}, revision {revision}",
                    painted(BOLD, "module")
                )?;
            }
            None => writeln!(
                out,
                "{} not told: it says its version when it is configured, before Envoy 1.39 with the first request",
                painted(BOLD, "module")
            )?,
        }
        writeln!(out, "{}", painted(BOLD, "configurations"))?;
        if self.dump.configurations.is_empty() {
            writeln!(out, "  none")?;
        }
        for one in &self.dump.configurations {
            let place = one.place.join(" > ");
            match &one.filter {
                Ok(filter) => {
                    let profile = one.profile.as_ref();
                    let profile = profile.map_or(String::new(), |it| format!(", profile {it}"));
                    writeln!(out, "  {place}: {filter}, {} bytes{profile}", one.bytes)?;
                }
                Err(why) => writeln!(out, "  {place}: {} {why}", painted(RED, "error:"))?,
            }
        }
        if !self.dump.refused.is_empty() || !self.stats.rejected.is_empty() {
            writeln!(out, "{}", painted(BOLD, "refused"))?;
        }
        for refused in &self.dump.refused {
            let label = painted(RED, "error:");
            writeln!(out, "  {}: {label} {}", refused.what, refused.why)?;
        }
        for (what, count) in &self.stats.rejected {
            let updates = if *count == 1 { "update" } else { "updates" };
            writeln!(
                out,
                "  {what}: {count} {updates}; the reason is in the log of Envoy"
            )?;
        }
        if !self.stats.counters.is_empty() {
            writeln!(out, "{}", painted(BOLD, "counters"))?;
        }
        for (name, value) in &self.stats.counters {
            writeln!(out, "  {name} {value}")?;
        }
        Ok(())
    }

    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let configurations = self.dump.configurations.iter().map(|one| {
            let mut shown = json!({"place": one.place, "path": one.path});
            match &one.filter {
                Ok(filter) => {
                    shown["filter"] = json!(filter);
                    shown["bytes"] = json!(one.bytes);
                }
                Err(why) => shown["error"] = json!(why),
            }
            if let Some(profile) = &one.profile {
                shown["profile"] = json!(profile);
            }
            shown
        });
        let configurations: Vec<Value> = configurations.collect();
        let refused = self.dump.refused.iter();
        let refused: Vec<Value> = refused
            .map(|it| json!({"what": it.what, "why": it.why}))
            .collect();
        let module = self.stats.module.as_ref();
        let module =
            module.map(|(version, revision)| json!({"version": version, "revision": revision}));
        let all = json!({
            "envoy": {
                "version": self.server.version,
                "state": self.server.state,
                "uptime": self.server.uptime,
            },
            "module": module,
            "configurations": configurations,
            "refused": refused,
            "rejectedUpdates": self.stats.rejected,
            "counters": self.stats.counters,
        });
        writeln!(out, "{all:#}")
    }
}
