//! A proxy in front of an upstream: starts Envoy, stays until it is stopped, and follows the file of the
//! configuration.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use envoys::{Envoy, Process, Started};
use tokio::time::{Instant, sleep, timeout};

use super::plan::{self, Place, Plan};
use super::signals::Signals;
use super::upstream::Upstream;
use super::{Arguments, echo, needs};
use crate::Outcome;
use crate::paint::{BOLD, RED, painted};

/// How often the file, the log and Envoy are looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// How often Envoy is asked whether it serves.
const START_PAUSE: Duration = Duration::from_millis(15);

/// How long a start may take on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// Runs until it is stopped.
///
/// # Errors
/// If something that it needs is not there, or nothing can be written.
pub(super) async fn serve(
    asked: &Arguments,
    config: &Path,
    out: &mut dyn Write,
) -> Result<Outcome> {
    if config.as_os_str() == "-" {
        bail!("what is served is a file, whose changes take effect; name one with -c");
    }
    let version = needs::version(asked.envoy)?;
    let mut file = Watched::new(config);
    // Before anything is brought for it.
    if !plan::is_valid(asked, config, version, out)? {
        return Ok(Outcome::Refused);
    }
    out.flush()?;
    let module_folder = needs::module_folder(asked.module.as_deref())?;
    let envoy = needs::envoy(version)?;
    let mut signals = Signals::catch()?;
    let upstream = match &asked.upstream {
        Some(named) => named.clone(),
        None => Upstream::own(echo::start().await?),
    };
    let place = Place {
        port: OnceCell::new(),
        upstream,
        module_folder,
    };
    let plan = Plan::new(asked, config, &place)?;
    if place.port.get().is_none() {
        check_free(&plan)?;
    }
    let mut running = match start(&envoy, plan, &mut signals).await? {
        Start::Serving(running) => running,
        Start::Refused(why) => return refused(&why, out),
        Start::Stopped => return Ok(Outcome::Fine),
    };
    announce(config, &envoy, &running, out)?;
    loop {
        tokio::select! {
            () = signals.any() => break,
            () = sleep(PAUSE) => {}
        }
        running.tell()?;
        if running.process.ended()?.is_some() {
            // Ctrl-C is for all that runs in a terminal.
            if timeout(PAUSE, signals.any()).await.is_ok() {
                break;
            }
            running.tell()?;
            return refused(&ended(&running.process), out);
        }
        if !file.has_changed() {
            continue;
        }
        let Some(plan) = changed(asked, config, &place, &envoy, out)? else {
            writeln!(out, "the configuration before it stays")?;
            out.flush()?;
            continue;
        };
        // Its port is wanted.
        drop(running);
        running = match start(&envoy, plan, &mut signals).await? {
            Start::Serving(running) => running,
            Start::Refused(why) => return refused(&why, out),
            Start::Stopped => break,
        };
        writeln!(out, "it serves")?;
        out.flush()?;
    }
    writeln!(out, "stopped")?;
    Ok(Outcome::Fine)
}

/// The plan for a file that has changed, if Envoy takes it.
fn changed(
    asked: &Arguments,
    config: &Path,
    place: &Place,
    envoy: &Envoy,
    out: &mut dyn Write,
) -> Result<Option<Plan>> {
    writeln!(out, "\n{} has changed", config.display())?;
    let plan = match plan::is_valid(asked, config, envoy.version(), out) {
        Ok(true) => Plan::new(asked, config, place),
        Ok(false) => return Ok(None),
        Err(why) => Err(why),
    };
    let plan = match plan {
        Ok(plan) => plan,
        Err(why) => {
            refused(&format!("{why:#}"), out)?;
            return Ok(None);
        }
    };
    let (is_taken, log) = Process::validate(envoy, &plan.bootstrap, &plan.settings)?;
    if !is_taken {
        refused(&format!("Envoy does not take it: {}", why(&log)), out)?;
        return Ok(None);
    }
    Ok(Some(plan))
}

fn announce(config: &Path, envoy: &Envoy, running: &Running, out: &mut dyn Write) -> Result<()> {
    let urls: Vec<String> = running.plan.listeners.iter().map(url).collect();
    let at = match urls.as_slice() {
        [] => String::new(),
        urls => format!(" on {}", urls.join(", ")),
    };
    let version = envoy.version();
    writeln!(out, "Envoy {version} serves {}{at}", config.display())?;
    for url in &urls {
        writeln!(out, "\n  {}", painted(BOLD, format!("curl -v {url}/")))?;
    }
    writeln!(
        out,
        "\nCtrl-C stops it. What changes in the file takes effect."
    )?;
    Ok(out.flush()?)
}

/// What a client on this machine connects to.
fn url(listener: &SocketAddr) -> String {
    let mut reached = *listener;
    if listener.ip().is_unspecified() {
        reached.set_ip(match listener {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{reached}")
}

fn refused(why: &str, out: &mut dyn Write) -> Result<Outcome> {
    writeln!(out, "{} {why}", painted(RED, "error:"))?;
    out.flush()?;
    Ok(Outcome::Refused)
}

/// Envoy might share a busy port without a word.
fn check_free(plan: &Plan) -> Result<()> {
    for listener in &plan.listeners {
        if let Err(error) = TcpListener::bind(listener) {
            bail!("{listener}, where Envoy is to listen, cannot be used ({error})");
        }
    }
    Ok(())
}

/// An Envoy that serves.
struct Running {
    process: Process,
    /// What of its log is still to be told.
    log: File,
    plan: Plan,
}

/// How a start went.
enum Start {
    Serving(Box<Running>),
    /// Envoy says no, and why.
    Refused(String),
    /// Somebody else says no.
    Stopped,
}

async fn start(envoy: &Envoy, plan: Plan, signals: &mut Signals) -> Result<Start> {
    let folder = tempfile::tempdir()?;
    let mut process = Process::spawn(envoy, &plan.bootstrap, folder, &plan.settings)?;
    let deadline = Instant::now() + START_DEADLINE;
    loop {
        match process.started()? {
            Some(Started::Serving) => break,
            Some(Started::Ended(_)) => return Ok(Start::Refused(ended(&process))),
            None if Instant::now() > deadline => bail!(
                "Envoy does not serve after {} s; its log ends:\n{}",
                START_DEADLINE.as_secs(),
                process.end_of_log()
            ),
            None => {}
        }
        tokio::select! {
            () = signals.any() => return Ok(Start::Stopped),
            () = sleep(START_PAUSE) => {}
        }
    }
    let mut log = File::open(process.log_file())?;
    // What the module has to say of the configuration was said before.
    log.read_to_end(&mut Vec::new())?;
    Ok(Start::Serving(Box::new(Running { process, log, plan })))
}

impl Running {
    /// Tells what is new in the log.
    fn tell(&mut self) -> Result<()> {
        let mut news = Vec::new();
        self.log.read_to_end(&mut news)?;
        Ok(anstream::stderr().write_all(&news)?)
    }
}

fn ended(process: &Process) -> String {
    format!("Envoy has ended: {}", why(&process.logs()))
}

/// What matters of the log of an Envoy that has ended: what the module refuses, else Envoy's last sentence.
fn why(log: &str) -> &str {
    let module = log.find("error[RF").map(|at| &log[at..]);
    let module = module.map(|rest| rest.split("\ncritical ").next().unwrap_or(rest));
    let last = || log.lines().rev().find(|line| !line.trim().is_empty());
    module.or_else(last).unwrap_or("it has not said why")
}

/// The file of the configuration.
struct Watched<'a> {
    path: &'a Path,
    /// What was in it when it last was looked at.
    seen: Vec<u8>,
    is_new: bool,
}

impl<'a> Watched<'a> {
    fn new(path: &'a Path) -> Watched<'a> {
        Watched {
            path,
            seen: std::fs::read(path).unwrap_or_default(),
            is_new: false,
        }
    }

    /// Whether there is something new in it, and whoever writes it has finished: it is the same as a moment before.
    fn has_changed(&mut self) -> bool {
        // Between two versions there may be no file.
        let Ok(now) = std::fs::read(self.path) else {
            return false;
        };
        let is_still = now == self.seen;
        self.seen = now;
        std::mem::replace(&mut self.is_new, !is_still) && is_still
    }
}

#[cfg(test)]
mod tests {
    use super::{url, why};

    #[test]
    fn a_client_connects_to_this_machine() {
        for (listener, expected) in [
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:1", "http://[::1]:1"),
            ("127.0.0.1:1", "http://127.0.0.1:1"),
        ] {
            assert_eq!(url(&listener.parse().unwrap()), expected);
        }
    }

    #[test]
    fn of_a_log_the_sentence_that_matters_is_told() {
        let module = "error rustformation: the configuration is refused\nerror[RF1203] a: b\n 1 | x\ncritical error\nit failed";
        assert_eq!(why(module), "error[RF1203] a: b\n 1 | x");
        assert_eq!(why("critical x\nit failed\n\n"), "it failed");
        assert_eq!(why(""), "it has not said why");
    }
}
