//! One measurement: wrk loads one Envoy for some seconds; what it saw, and what CPU time Envoy had.
//!
//! wrk runs as a child with a time limit of its own.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustformations_tests::EnvoyProcess;
use tempfile::NamedTempFile;

use crate::cpu;
use crate::peers::Beside;
use crate::rows::Row;

/// How much load.
pub(crate) struct Load {
    pub(crate) seconds: u32,
    pub(crate) connections: u32,
}

/// What one measurement gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    /// CPU time of Envoy for one request, in microseconds.
    pub(crate) cpu: f64,
    /// Median latency in microseconds.
    pub(crate) median: f64,
    /// 99th percentile of latency in microseconds.
    pub(crate) slowest: f64,
}

/// That there is a wrk at all.
pub(crate) fn check_wrk() -> Result<()> {
    // wrk has no option that succeeds without a load; that it can be started is what matters.
    Command::new("wrk").arg("--version").output().map(drop).context(
        "wrk cannot be run, and it makes the load; install it (on Debian and Ubuntu: apt install wrk)",
    )
}

/// The script that makes wrk send the row's request.
pub(crate) fn script(row: &Row) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::with_suffix(".lua").context("no temporary file can be made")?;
    writeln!(file, "wrk.headers['x-source'] = 'copied'")?;
    if !row.ask.is_empty() {
        writeln!(
            file,
            "wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'"
        )?;
        writeln!(file, "wrk.body = [==[{}]==]", row.ask)?;
    }
    Ok(file)
}

impl Load {
    /// Loads `envoy` and measures; what works beside it is paid for with it.
    pub(crate) fn run(
        &self,
        envoy: &EnvoyProcess,
        beside: Option<&Beside>,
        script: &Path,
    ) -> Result<Measured> {
        let url = format!("http://{}/v1/chat/completions", envoy.listener("lab")?);
        let time = || {
            let of_beside = beside.map_or(Ok(Duration::ZERO), |it| cpu::time_of(it.id()))?;
            anyhow::Ok(cpu::time_of(envoy.id())? + of_beside)
        };
        let before = time()?;
        let output = Command::new("wrk")
            .args(["--threads", "1", "--latency", "--timeout", "10s"])
            .args(["--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{}s", self.seconds)])
            .arg("--script")
            .arg(script)
            .arg(url)
            .output()
            .context("wrk cannot be run")?;
        let used = time()?.saturating_sub(before);
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!(
                "wrk failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        parse(&text, used)
    }
}

fn parse(report: &str, used: Duration) -> Result<Measured> {
    if let Some(line) = report
        .lines()
        .find(|line| line.contains("Non-2xx") || line.contains("Socket errors"))
    {
        bail!("requests failed under load: {}", line.trim());
    }
    let requests = report
        .lines()
        .find_map(|line| line.split_once(" requests in"));
    let requests: f64 = requests
        .and_then(|(count, _)| count.trim().parse().ok())
        .context("wrk reports no requests")?;
    if requests < 1.0 {
        bail!("no request was answered");
    }
    let percentile = |name: &str| {
        let value = report
            .lines()
            .find_map(|line| line.trim().strip_prefix(name))?;
        to_microseconds(value.trim())
    };
    Ok(Measured {
        cpu: used.as_secs_f64() * 1e6 / requests,
        median: percentile("50%").context("wrk reports no median")?,
        slowest: percentile("99%").context("wrk reports no 99th percentile")?,
    })
}

/// `1.50ms` and its kind.
fn to_microseconds(text: &str) -> Option<f64> {
    let unit = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let factor = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 1s test @ http://127.0.0.1:1/\n  Latency Distribution\n     50%  250.00us\n     75%  300.00us\n     99%    1.50ms\n  20000 requests in 1.00s, 3.00MB read\n";

    #[test]
    fn a_report_of_wrk_becomes_cpu_per_request_and_latency() {
        let measured = parse(REPORT, Duration::from_millis(600)).unwrap();
        assert_eq!(
            measured,
            Measured {
                cpu: 30.0,
                median: 250.0,
                slowest: 1500.0
            }
        );
    }

    #[test]
    fn failed_requests_are_no_measurement() {
        let report = format!("{REPORT}  Non-2xx or 3xx responses: 7\n");
        assert!(
            parse(&report, Duration::ZERO)
                .unwrap_err()
                .to_string()
                .contains("Non-2xx")
        );
    }
}
