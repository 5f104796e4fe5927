//! A mock LLM that answers as httpbun does at `/llm/chat/completions`: OpenAI's chat completions with a
//! fixed text, at once or as a stream of events. httpbun itself can stand in its place. What httpbun does
//! not is at [`PROVIDER_PATH`], and the dialects of the providers are below [`PROVIDERS`].
//!
//! Run by the program `mock-llm`, by `lab`, and by tests; serves on threads of its own runtime.
//! Refuses bodies over 16 MiB, other methods than POST (405), and what is no request (400).

mod completion;
mod provider;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use completion::{Completion, Manner};
#[cfg(feature = "strict")]
pub use provider::strict;

/// Where it listens unless told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:3090";
/// The pause between two words of a stream.
pub const WORD_PAUSE: Duration = Duration::from_millis(50);

/// httpbun's path.
pub const HTTPBUN_PATH: &str = "/llm/chat/completions";
/// A path of our own, for what httpbun does not do.
pub const PROVIDER_PATH: &str = "/provider/chat/completions";

/// Where the dialects of the providers are spoken: `/provider/v1/chat/completions`, `…/v1/responses`,
/// `…/v1/completions`, `…/v1/embeddings`, `…/v1/messages`, `…/v1beta/models/NAME:generateContent`,
/// `…:streamGenerateContent`, and the paths of Azure, Vertex and Bedrock. What is said, and how it is
/// cut, paced and broken, is chosen by headers `x-mock-…`; the table is in `provider/knobs.rs`.
pub const PROVIDERS: &str = provider::PREFIX;
/// The requests that came to the providers, newest last, as JSON.
pub const ASKED_PATH: &str = "/provider/asked";

const MAX_BODY: usize = 16 << 20;
/// How many requests can be asked for over HTTP.
const KEPT: usize = 32;

/// A request as the mock LLM got it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The target with its query.
    pub path: String,
    /// Header lines; repeats are kept, order between different names is not.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Asked {
    fn of(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let lines = headers.iter();
        Self {
            method: method.to_string(),
            path: uri.to_string(),
            headers: lines
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// The value of a header line, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.iter();
        let (_, value) = lines.find(|(line, _)| line == name)?;
        Some(value)
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A running mock LLM; stops when dropped.
pub struct MockLlm {
    address: SocketAddr,
    asked: Receiver<Asked>,
    said: Receiver<String>,
    _runtime: Runtime,
}

impl MockLlm {
    /// Listens on `bind` (`host:port`) and answers from then on.
    ///
    /// # Errors
    /// One sentence when the address is taken or is none.
    pub fn start(bind: &str) -> Result<Self> {
        let (holder, asked) = channel();
        let (speaking, said) = channel();
        let told = Told {
            holder,
            said: speaking,
            last: Arc::default(),
        };
        let (address, runtime) = serve(bind, router(told))?;
        Ok(Self {
            address,
            asked,
            said,
            _runtime: runtime,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request it got, waiting up to `patience` for one.
    pub fn next_asked(&self, patience: Duration) -> Option<Asked> {
        self.asked.recv_timeout(patience).ok()
    }

    /// What a provider streamed next, before it was cut, coded and paced; waiting up to `patience` for
    /// it.
    pub fn next_said(&self, patience: Duration) -> Option<String> {
        self.said.recv_timeout(patience).ok()
    }
}

/// Serves `router` on `bind` (`host:port`), on a thread of the runtime that is returned.
fn serve(bind: &str, router: Router) -> Result<(SocketAddr, Runtime)> {
    let listener = std::net::TcpListener::bind(bind).with_context(|| {
        format!("the mock LLM cannot listen on {bind}; stop what does, or set HTTPBUN_BIND")
    })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no thread can be started")?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    // Without it small pieces wait for each other, and nothing arrives as it was cut.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    runtime.spawn(async move { axum::serve(listener, router).await });
    Ok((address, runtime))
}

fn router(told: Told) -> Router {
    let chat = post(chat_completions).fallback(only_post);
    Router::new()
        .route(HTTPBUN_PATH, chat.clone())
        .route(PROVIDER_PATH, chat)
        .route(ASKED_PATH, get(asked))
        .route(
            "/provider/{*rest}",
            post(provider_answer).fallback(only_post),
        )
        .route("/health", get(|| async { "ok\n" }))
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(with_name))
        .with_state(told)
}

/// Where requests are told of: to the holder of the mock, and to those who ask over HTTP.
#[derive(Clone)]
struct Told {
    holder: Sender<Asked>,
    said: Sender<String>,
    last: Arc<Mutex<VecDeque<Asked>>>,
}

impl Told {
    fn tell(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) {
        let asked = Asked::of(method, uri, headers, body);
        if uri.path().starts_with(PROVIDERS) {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() == KEPT {
                last.pop_front();
            }
            last.push_back(asked.clone());
        }
        // Nobody may be listening, and then nobody is told.
        let _ = self.holder.send(asked);
    }
}

async fn with_name(response: Response) -> impl IntoResponse {
    ([("x-powered-by", "httpbun/mock-llm")], response)
}

async fn chat_completions(
    State(told): State<Told>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return error(rejection.status(), &rejection.body_text()),
    };
    told.tell(&method, &uri, &headers, &body);
    let manner = match uri.path() {
        PROVIDER_PATH => Manner::Provider,
        _ => Manner::Httpbun,
    };
    match Completion::parse(&body, manner) {
        Err(reason) => error(
            StatusCode::BAD_REQUEST,
            &format!("Invalid JSON in request body: {reason}"),
        ),
        Ok(completion) if completion.stream => events(completion),
        Ok(completion) => json_answer(StatusCode::OK, &completion.to_json()),
    }
}

async fn provider_answer(
    State(told): State<Told>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Err(rejection) => error(rejection.status(), &rejection.body_text()),
        Ok(body) => {
            told.tell(&method, &uri, &headers, &body);
            let answer = provider::answer(&uri, &headers, &body).await;
            if let Some(provider::Said(text)) = answer.extensions().get() {
                // Nobody may be listening.
                let _ = told.said.send(text.clone());
            }
            answer
        }
    }
}

async fn asked(State(told): State<Told>) -> Response {
    let last = told.last.lock().unwrap_or_else(PoisonError::into_inner);
    let document = |asked: &Asked| {
        json!({
            "method": asked.method,
            "path": asked.path,
            "headers": asked.headers,
            "body": asked.body,
        })
    };
    json_answer(StatusCode::OK, &last.iter().map(document).collect())
}

async fn only_post() -> Response {
    let document = json!({"error": "Method not allowed"});
    let answer = json_answer(StatusCode::METHOD_NOT_ALLOWED, &document);
    ([(header::ALLOW, "POST")], answer).into_response()
}

/// What Go's own server says, in its words.
async fn no_such_path() -> Response {
    let nosniff = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (StatusCode::NOT_FOUND, nosniff, "404 page not found\n").into_response()
}

/// The completion as server-sent events, a word at a time.
fn events(completion: Completion) -> Response {
    let events = completion.to_events().into_iter().enumerate();
    let paced = stream::unfold(events, |mut events| async move {
        let (index, event) = events.next()?;
        // The last chunk and the end come together.
        if index > 0 && event != "[DONE]" {
            tokio::time::sleep(WORD_PAUSE).await;
        }
        Some((Ok::<_, Infallible>(format!("data: {event}\n\n")), events))
    });
    (
        [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        Body::from_stream(paced),
    )
        .into_response()
}

fn error(status: StatusCode, message: &str) -> Response {
    let document = json!({"error": {"message": message, "type": "invalid_request_error"}});
    json_answer(status, &document)
}

fn json_answer(status: StatusCode, document: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        format!("{document:#}\n"),
    )
        .into_response()
}
