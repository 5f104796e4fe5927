//! A mock LLM that answers as httpbun does at `/llm/chat/completions`: OpenAI's chat completions with a
//! fixed text, at once or as a stream of events. httpbun itself can stand in its place. What providers
//! do and httpbun does not is at [`PROVIDER_PATH`].
//!
//! Run by the program `mock-llm`, by `lab`, and by tests; serves on threads of its own runtime.
//! Refuses bodies over 16 MiB, other methods than POST (405), and what is no request (400).

mod completion;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use completion::{Completion, Manner};

/// Where it listens unless told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:3090";
/// The pause between two words of a stream.
pub const WORD_PAUSE: Duration = Duration::from_millis(50);

/// httpbun's path.
pub const HTTPBUN_PATH: &str = "/llm/chat/completions";
/// A path of our own, for what httpbun does not do.
pub const PROVIDER_PATH: &str = "/provider/chat/completions";

const MAX_BODY: usize = 16 << 20;

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

/// A running mock LLM; stops when dropped.
pub struct MockLlm {
    address: SocketAddr,
    asked: Receiver<Asked>,
    _runtime: Runtime,
}

impl MockLlm {
    /// Listens on `bind` (`host:port`) and answers from then on.
    ///
    /// # Errors
    /// One sentence when the address is taken or is none.
    pub fn start(bind: &str) -> Result<Self> {
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
        let (told, asked) = channel();
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        runtime.spawn(async move { axum::serve(listener, router(told)).await });
        Ok(Self {
            address,
            asked,
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
}

fn router(told: Sender<Asked>) -> Router {
    let chat = post(chat_completions).fallback(only_post);
    Router::new()
        .route(HTTPBUN_PATH, chat.clone())
        .route(PROVIDER_PATH, chat)
        .route("/health", get(|| async { "ok\n" }))
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(with_name))
        .with_state(told)
}

async fn with_name(response: Response) -> impl IntoResponse {
    ([("x-powered-by", "httpbun/mock-llm")], response)
}

async fn chat_completions(
    State(told): State<Sender<Asked>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return error(rejection.status(), &rejection.body_text()),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    // Nobody may be listening, and then nobody is told.
    let _ = told.send(Asked {
        method: method.to_string(),
        path: uri.to_string(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
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
