//! A playground in the browser: one page, and what answers it. It needs no Envoy.
//!
//! Only the page itself can ask: whoever calls this server by another name, or from another page, is refused, so that
//! no web site that is open beside it can use it.

mod answer;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::signals::Signals;
use super::{Arguments, port};
use crate::Outcome;
use crate::files::{FileArguments, LocalFiles};
use crate::paint::{BOLD, painted};
use answer::Files;

const PAGE: &str = include_str!("playground/page.html");
const EXAMPLES: &str = include_str!("playground/examples.json");

/// The longest question.
const LONGEST_BODY: usize = 2 << 20;

/// The longest time for one question, with its way here.
const LONGEST: Duration = Duration::from_secs(10);

/// All of the page is in the page, and it is nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What everybody who asks is told.
struct Stand {
    /// The names of this server.
    hosts: [String; 2],
    files: Files,
    /// What the page begins with.
    start: String,
}

/// Runs until it is stopped.
///
/// # Errors
/// If there is no port, the configuration cannot be read, or nothing can be written.
pub(super) async fn serve(
    asked: &Arguments,
    config: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Outcome> {
    let listener = port::listen(asked.port)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let mut signals = Signals::catch()?;
    let begins = match config {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            json!({"mode": "configuration", "text": text})
        }
        None => json!({}),
    };
    let examples: Value = serde_json::from_str(EXAMPLES)?;
    let port = address.port();
    let profiles = FileArguments::of_profiles(asked.profiles.clone());
    let stand = Arc::new(Stand {
        hosts: ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}")),
        files: Files::new(LocalFiles::new(&profiles)),
        start: json!({"examples": examples, "start": begins}).to_string(),
    });
    let app = Router::new()
        .route("/", get(page))
        .route("/start", get(start))
        .route("/try", post(attempt))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&stand), guarded))
        .with_state(stand);
    let url = painted(BOLD, format!("http://{address}/"));
    writeln!(out, "the playground is on {url}\n\nCtrl-C stops it.")?;
    out.flush()?;
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        () = signals.any() => {}
    }
    writeln!(out, "stopped")?;
    Ok(Outcome::Fine)
}

/// Lets in what comes from the page, and not for longer than it may take.
async fn guarded(State(stand): State<Arc<Stand>>, request: Request, next: Next) -> Response {
    if !is_from_page(&stand.hosts, request.headers()) {
        let why = "this server answers only its own page, under its own name";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let answered = tokio::time::timeout(LONGEST, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let why = "this takes too long, so nobody waits for it";
        (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
    })
}

/// Whether a request comes from the page, or from no page at all, and to us by our name.
fn is_from_page(hosts: &[String], headers: &HeaderMap) -> bool {
    let of = |name: HeaderName| headers.get(name).map(|it| it.to_str());
    let is_ours = |name: &str| hosts.iter().any(|host| host == name);
    let is_our_page = |origin: &str| origin.strip_prefix("http://").is_some_and(is_ours);
    of(header::HOST).is_some_and(|host| host.is_ok_and(is_ours))
        && of(header::ORIGIN).is_none_or(|origin| origin.is_ok_and(is_our_page))
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, PAGE)
}

async fn start(State(stand): State<Arc<Stand>>) -> impl IntoResponse {
    told(stand.start.clone())
}

/// What becomes of the messages of one question.
async fn attempt(State(stand): State<Arc<Stand>>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE);
    // Without it another page could ask without being asked first whether it may.
    if kind.is_none_or(|kind| kind != "application/json") {
        return (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected application/json",
        )
            .into_response();
    }
    // Templates take their time on a thread where nobody else waits.
    let work = tokio::task::spawn_blocking(move || answer::answer(&body, &stand.files));
    match work.await {
        Ok(Ok(answer)) => told(answer.to_string()).into_response(),
        Ok(Err(why)) => (StatusCode::BAD_REQUEST, why).into_response(),
        Err(_) => {
            let why = "this is a mistake of the tool, which goes on";
            (StatusCode::INTERNAL_SERVER_ERROR, why).into_response()
        }
    }
}

fn told(answer: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], answer)
}
