//! The lab as its reader has it: the mock LLM and an Envoy with the module, started from `envoy.yaml`
//! on the ports that the file names.
//!
//! Started by the program `lab`, on its main thread. Refuses to start when a port is taken: Envoy
//! itself might share a busy port without a word.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::client::{Answer, Request};
use crate::envoy::{self, Envoy, EnvoyProcess, Settings};
use crate::mock_llm::{DEFAULT_BIND, MockLlm};
use crate::workspace;

/// Where Envoy listens for clients.
pub const LISTENER_PORT: u16 = 8082;
/// Where Envoy's admin interface listens, on loopback.
pub const ADMIN_PORT: u16 = 9901;
/// Where the mock LLM listens, on loopback.
pub const LLM_PORT: u16 = 3090;
/// The path that the request of the articles goes to.
pub const CHAT_PATH: &str = "/v1/chat/completions";
/// The body that it has.
pub const CHAT_BODY: &str = r#"{"model":"gpt-4","messages":[{"role":"user","content":"Hello"}]}"#;

/// The bootstrap that ships.
pub fn bootstrap() -> PathBuf {
    workspace::root().join("envoy.yaml")
}

/// The request of the articles as a line for a Unix shell.
pub fn curl_line() -> String {
    format!(
        "curl -v -X POST http://localhost:{LISTENER_PORT}{CHAT_PATH} -H \"Content-Type: application/json\" -d '{CHAT_BODY}'"
    )
}

/// A running lab; both servers stop when it is dropped.
pub struct Stand {
    envoy: EnvoyProcess,
    llm: MockLlm,
    /// The Envoy it runs.
    pub binary: Envoy,
    /// The folder of the module it loaded.
    pub module_folder: PathBuf,
}

impl Stand {
    /// Starts both servers and waits until Envoy serves. The Envoy is [`envoy::chosen`].
    ///
    /// # Errors
    /// One sentence with the remedy: a busy port, no Envoy to be had, no module, a refused bootstrap.
    pub fn start() -> Result<Self> {
        check_free(Ipv4Addr::UNSPECIFIED, LISTENER_PORT)?;
        check_free(Ipv4Addr::LOCALHOST, ADMIN_PORT)?;
        check_free(Ipv4Addr::LOCALHOST, LLM_PORT)?;
        let binary = envoy::chosen()?;
        let module_folder = workspace::module_folder()?;
        let llm = MockLlm::start(DEFAULT_BIND)?;
        let settings = Settings {
            module_folder: Some(module_folder.clone()),
            ..Settings::default()
        };
        let envoy = EnvoyProcess::start_file(&binary, &bootstrap(), &settings)?;
        Ok(Self {
            envoy,
            llm,
            binary,
            module_folder,
        })
    }

    /// Sends the request of the articles.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(&self) -> Result<Answer> {
        self.post(CHAT_PATH, &[], CHAT_BODY)
    }

    /// Posts a JSON body to Envoy.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, LISTENER_PORT));
        let request = Request::new(to, "POST", path)
            .header("host", format!("localhost:{LISTENER_PORT}"))
            .header("content-type", "application/json");
        let with = |request: Request, (name, value): &(&str, &str)| request.header(name, value);
        let request = headers.iter().fold(request, with).body(body);
        request.try_send().context("Envoy gave no answer")
    }

    /// The mock LLM.
    pub fn llm(&self) -> &MockLlm {
        &self.llm
    }

    /// Envoy.
    pub fn envoy(&mut self) -> &mut EnvoyProcess {
        &mut self.envoy
    }
}

fn check_free(address: Ipv4Addr, port: u16) -> Result<()> {
    if let Err(error) = TcpListener::bind((address, port)) {
        bail!(
            "port {port} cannot be used ({error}); stop what listens there, the lab needs {LISTENER_PORT}, {ADMIN_PORT} and {LLM_PORT}"
        );
    }
    Ok(())
}
