//! The bootstrap for two providers that ships, run as it is but for the places that a reader has and a test has
//! not: addresses, ports, keys, and whose certificates are trusted.
//!
//! Used by tests and by `lab demo`, each on its own thread.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::envoy::{Envoy, EnvoyProcess, Settings};
use crate::workspace;

/// What Anthropic is asked with.
pub const ANTHROPIC_KEY: &str = "sk-ant-of-the-gateway";
/// What OpenAI is asked with.
pub const OPENAI_KEY: &str = "sk-of-the-gateway";

/// What the listener is called.
const LISTENER: &str = "llm";

/// The file itself.
pub fn file() -> PathBuf {
    workspace::root().join("examples/providers/envoy.yaml")
}

/// How the providers are reached.
#[derive(Clone, Copy, Debug)]
pub enum Transport<'t> {
    /// As printed, with these authorities (PEM) in the place of the system's.
    Tls(&'t str),
    /// Without TLS.
    Plain,
}

/// A running Envoy.
pub struct Example {
    /// Its process.
    pub process: EnvoyProcess,
    /// Where clients find it.
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Example {
    /// Starts Envoy with the providers in these places.
    ///
    /// # Errors
    /// When something that is to be replaced is not in the file, or Envoy does not start: with the end of its
    /// log.
    pub fn start(
        envoy: &Envoy,
        module_folder: PathBuf,
        [anthropic, openai]: [SocketAddr; 2],
        transport: Transport<'_>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let text = with_keys(&std::fs::read_to_string(file())?, folder.path())?;
        let at = |host: &str, to: SocketAddr| {
            let printed = format!("address: {host}, port_value: 443");
            let own = format!("address: {}, port_value: {}", to.ip(), to.port());
            (printed, own)
        };
        let mut places = vec![
            at("api.anthropic.com", anthropic),
            at("api.openai.com", openai),
            ("port_value: 10000 ".to_owned(), "port_value: 0 ".to_owned()),
            ("port_value: 9901 ".to_owned(), "port_value: 0 ".to_owned()),
        ];
        if let Transport::Tls(authorities) = transport {
            let own = folder.path().join("authorities.pem");
            std::fs::write(&own, authorities)?;
            let printed = "/etc/ssl/certs/ca-certificates.crt".to_owned();
            places.push((printed, own.display().to_string()));
        }
        let text = replaced(text, &places)?;
        let text = match transport {
            Transport::Tls(_) => text,
            Transport::Plain => without_tls(&text)?,
        };
        let bootstrap = folder.path().join("envoy.yaml");
        std::fs::write(&bootstrap, text)?;
        let settings = Settings {
            module_folder: Some(module_folder),
            ..Settings::default()
        };
        let process = EnvoyProcess::start_file(envoy, &bootstrap, &settings)?;
        let address = process.listener(LISTENER)?;
        Ok(Self {
            process,
            address,
            _folder: folder,
        })
    }

    /// Whether Envoy takes the file as printed, with keys in places where a test may put them; and its log.
    ///
    /// # Errors
    /// When the places of the keys are not in the file, or Envoy cannot be run.
    pub fn validate(envoy: &Envoy, module_folder: PathBuf) -> Result<(bool, String)> {
        let folder = tempfile::tempdir()?;
        let text = with_keys(&std::fs::read_to_string(file())?, folder.path())?;
        let bootstrap = folder.path().join("envoy.yaml");
        std::fs::write(&bootstrap, text)?;
        let settings = Settings {
            module_folder: Some(module_folder),
            ..Settings::default()
        };
        EnvoyProcess::validate(envoy, &bootstrap, &settings)
    }
}

/// The text with the keys in this folder.
fn with_keys(text: &str, folder: &Path) -> Result<String> {
    let mut places = Vec::new();
    for (name, key) in [("anthropic", ANTHROPIC_KEY), ("openai", OPENAI_KEY)] {
        let own = folder.join(name);
        std::fs::write(&own, format!("{key}\n"))?;
        let printed = format!("{{\"file\": \"/etc/keys/{name}\"}}");
        places.push((printed, format!("{{\"file\": \"{}\"}}", own.display())));
    }
    replaced(text.to_owned(), &places)
}

fn replaced(mut text: String, places: &[(String, String)]) -> Result<String> {
    for (printed, own) in places {
        ensure!(text.matches(printed).count() == 1, "not once: {printed}");
        text = text.replace(printed, own);
    }
    Ok(text)
}

/// The text without the transport socket of the cluster.
fn without_tls(text: &str) -> Result<String> {
    let (from, to) = (
        "    transport_socket:\n",
        "    typed_extension_protocol_options:\n",
    );
    let parts = text.split_once(from).zip(text.split_once(to));
    let ((before, _), (_, behind)) = parts.ok_or_else(|| anyhow::anyhow!("no TLS to leave out"))?;
    Ok([before, to, behind].concat())
}
