//! The mock LLM as a program: listens on `HTTPBUN_BIND` (default 127.0.0.1:3090) until it is stopped,
//! and prints a line for each request. httpbun's path is `/llm/chat/completions`; the providers are
//! below `/provider/`, with answers chosen by headers `x-mock-…`. Refuses arguments.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people to read"
)]

use std::process::ExitCode;
use std::time::Duration;

use rustformations_tests::mock_llm::{DEFAULT_BIND, HTTPBUN_PATH, MockLlm, PROVIDERS};

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        eprintln!("mock-llm takes no arguments; set HTTPBUN_BIND to choose where it listens");
        return ExitCode::FAILURE;
    }
    let bind = std::env::var("HTTPBUN_BIND").unwrap_or_default();
    let llm = match MockLlm::start(if bind.is_empty() { DEFAULT_BIND } else { &bind }) {
        Ok(llm) => llm,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    println!("mock LLM on http://{}{HTTPBUN_PATH}", llm.address());
    println!("providers below http://{}{PROVIDERS}", llm.address());
    loop {
        if let Some(asked) = llm.next_asked(Duration::from_secs(3600)) {
            println!(
                "{} {} ({} bytes)",
                asked.method,
                asked.path,
                asked.body.len()
            );
        }
    }
}
