//! Clients that nobody here wrote: the official packages of OpenAI and Anthropic for Python, through real Envoys
//! against every strict provider. What they ask and expect is in `tests/clients`.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::process::Command;

use rustformations_tests::strict::{Provider, SECRET_KEY, StrictProvider};
use rustformations_tests::{Envoy, EnvoyConfig, Lab, on_every_envoy, tools, workspace};
use serde_json::{Value, json};

/// An Envoy that has each of `providers` below its name; Bedrock is signed for by Envoy itself.
fn start(envoy: &Envoy, providers: &[StrictProvider]) -> Lab {
    let mut config = EnvoyConfig::new();
    for provider in providers {
        let (more, behind) = match provider.provider() {
            Provider::Bedrock | Provider::BedrockAnthropic => (
                json!({"auth": "none"}),
                vec![StrictProvider::signer(SECRET_KEY)],
            ),
            _ => (Value::Null, Vec::new()),
        };
        let cluster = provider.cluster(provider.provider().name(), &more, &behind);
        config = config.cluster(cluster).route(provider.route());
    }
    Lab::start(envoy, &config)
}

/// Runs a program of `tests/clients` against all of `providers`.
fn run(envoy: &Envoy, program: &str, providers: &[Provider]) {
    let Some(packages) = tools::packages("clients").unwrap() else {
        return;
    };
    let running: Vec<_> = providers
        .iter()
        .map(|it| StrictProvider::start(*it).unwrap())
        .collect();
    let lab = start(envoy, &running);
    let output = Command::new("python3")
        .arg(workspace::root().join("tests/clients").join(program))
        .arg(lab.address().to_string())
        .args(providers.iter().map(|it| it.name()))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}:\n{said}");
    // That all were run, and not none.
    assert!(said.contains("Ran 7 tests"), "{program}:\n{said}");
}

on_every_envoy! {
    fn the_client_of_openai_talks_to_every_provider(envoy) {
        run(envoy, "openai_chat.py", &Provider::ALL);
    }

    fn the_client_of_anthropic_talks_to_every_provider_that_it_can_have(envoy) {
        use Provider::{Anthropic, AzureOpenai, BedrockAnthropic, Openai, VertexAnthropic};
        run(envoy, "anthropic_messages.py", &[Anthropic, VertexAnthropic, BedrockAnthropic, Openai, AzureOpenai]);
    }
}
