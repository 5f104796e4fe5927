//! `lab run`: the lab stays up until SIGINT or SIGTERM, then both servers stop.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rustformations_tests::stand::{ADMIN_PORT, LISTENER_PORT, Stand, curl_line};
use tokio::signal::unix::{SignalKind, signal};

/// Starts the lab and returns when it is told to stop.
///
/// # Errors
/// When it cannot start, or Envoy ends by itself.
pub(crate) fn stay() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no signals can be waited for")?;
    // Listening for signals begins before there is anything to stop.
    let (mut interrupted, mut terminated) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let mut stand = Stand::start()?;
    println!(
        "Envoy {} serves on http://localhost:{LISTENER_PORT}, its admin interface is on http://localhost:{ADMIN_PORT}.",
        stand.binary.version()
    );
    println!(
        "Stop it with Ctrl-C. In another shell:\n\n{}\n",
        curl_line()
    );
    let mut told_to_stop = false;
    while !told_to_stop {
        told_to_stop = runtime.block_on(async {
            tokio::select! {
                _ = interrupted.recv() => true,
                _ = terminated.recv() => true,
                () = tokio::time::sleep(Duration::from_millis(500)) => false,
            }
        });
        while let Some(asked) = stand.llm().next_asked(Duration::ZERO) {
            println!(
                "the mock LLM received {} {} {}",
                asked.method, asked.path, asked.body
            );
        }
        // The terminal's Ctrl-C reaches Envoy too: that it ends then is no failure.
        if !told_to_stop {
            stand.envoy().check_alive()?;
        }
    }
    println!("stopped");
    Ok(())
}
