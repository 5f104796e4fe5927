//! Providers that check what they are asked as the real ones do, and answer as they do: method, path,
//! host, credentials, every member of the body, and the order of a conversation.
//!
//! Started by tests, each provider on a port and a thread of its own. What is said depends on what
//! was asked ([`plan`]) and on the knobs of the request. Refuses with the provider's own errors, and
//! never less than the real one would.

mod account;
mod door;
mod example;
mod lab;
mod plan;
mod rules;
mod schema;
mod schemas;
mod signature;
mod turns;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::heard::Heard;
use super::knobs::Knobs;
use super::refusal::Shape;
use super::{Dialect, failure, json_answer, speak};
use crate::mock_llm::{Asked, MAX_BODY, serve};
pub use account::{ACCESS_KEY, AWS_REGION, Provider, SECRET_KEY};
use door::{Api, Refused};
pub use lab::all_behind_envoy;
use schema::Schemas;

/// A running provider; stops when dropped.
pub struct StrictProvider {
    provider: Provider,
    address: SocketAddr,
    shared: Arc<Shared>,
    folder: tempfile::TempDir,
    _runtime: Runtime,
}

struct Shared {
    provider: Provider,
    schemas: Schemas,
    seen: Mutex<Vec<Asked>>,
}

impl StrictProvider {
    /// Listens on a free port of 127.0.0.1 and answers from then on.
    ///
    /// # Errors
    /// When there is no port, no thread, or no place for the key.
    pub fn start(provider: Provider) -> Result<Self> {
        let shared = Arc::new(Shared {
            provider,
            schemas: Schemas::of(provider)?,
            seen: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::clone(&shared));
        let (address, runtime) = serve("127.0.0.1:0", router)?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("key"), provider.key() + "\n")?;
        Ok(Self {
            provider,
            address,
            shared,
            folder,
            _runtime: runtime,
        })
    }

    /// Which one it is.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far, those that were refused too.
    pub fn seen(&self) -> Vec<Asked> {
        let seen = self.shared.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn record(&self, asked: Asked) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(asked);
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shared.record(Asked::of(&method, &uri, &headers, &body));
    let provider = shared.provider;
    let refuse =
        |refused: Refused| shape(provider, refused.status).answer(refused.status, &refused.message);
    let checked = door::check(provider, (&method, &uri), &headers, &body)
        .and_then(|asked| Ok((read(&shared, asked.api, &body)?, asked)))
        .and_then(|(request, asked)| {
            rules::messages::check_version(headers.get("anthropic-version"), &request)?;
            Ok((rules::check(provider, &asked, &request)?, request, asked))
        });
    let (wants, request, asked) = match checked {
        Ok(checked) => checked,
        Err(refused) => return refuse(refused),
    };
    let mut knobs = match Knobs::read("", &headers) {
        Ok(knobs) => knobs,
        Err(reason) => return refuse(Refused::bad(reason)),
    };
    tokio::time::sleep(knobs.head_pause).await;
    if let Some(status) = knobs.status {
        return failure(shape(provider, status), status, &knobs, &headers);
    }
    let tokens = body.len().div_ceil(4);
    let count = |name: &str| json_answer(StatusCode::OK, json!({name: tokens}).to_string().into());
    match asked.api {
        Api::CountMessages => return count("input_tokens"),
        Api::CountGenerate => return count("totalTokens"),
        _ => {}
    }
    if let Err(refused) = wants.fill(&mut knobs) {
        return refuse(refused);
    }
    let Some(dialect) = Dialect::of(uri.path()) else {
        return refuse(Refused::bad("Nobody answers this here."));
    };
    if provider == Provider::Openai || provider == Provider::AzureOpenai {
        // They tell how much was thought, and not what.
        knobs.reasoning = None;
    }
    let heard = Heard {
        dialect,
        uri: &uri,
        headers: &headers,
        body: &body,
        request: &request,
    };
    speak(&heard, &knobs)
}

/// The body, if it is one of this API.
fn read(shared: &Shared, api: Api, body: &[u8]) -> Result<Value, Refused> {
    let request: Value = serde_json::from_slice(body)
        .map_err(|reason| Refused::bad(format!("The body is not JSON: {reason}")))?;
    shared.schemas.check(api, &request)?;
    Ok(request)
}

/// Whose error it is: platforms answer for whom they do not know, for paths, and for quotas.
fn shape(provider: Provider, status: StatusCode) -> Shape {
    match provider {
        Provider::Openai => Shape::Openai,
        Provider::AzureOpenai => Shape::Azure,
        Provider::VertexAnthropic if matches!(status.as_u16(), 401..=404 | 429) => Shape::Google,
        Provider::Anthropic | Provider::VertexAnthropic => Shape::Anthropic,
        Provider::Gemini | Provider::VertexGemini => Shape::Google,
        Provider::Bedrock | Provider::BedrockAnthropic => Shape::Amazon,
    }
}

#[cfg(test)]
mod tests;
