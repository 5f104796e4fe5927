//! The upstream where there is none: answers with what arrived, as JSON.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// The longest body that comes back.
const LONGEST_BODY: usize = 16 << 20;

/// Starts it on a free port; it runs as long as the runtime.
///
/// # Errors
/// If there is no port.
pub(super) async fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.context("there is no port for the upstream that answers")?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(LONGEST_BODY));
    // It ends with the runtime, and never before: errors of connections end those only.
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}

async fn answer(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mut lines = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let mut values: Vec<Value> = values
            .map(|it| String::from_utf8_lossy(it.as_bytes()).into())
            .collect();
        let value = match values.len() {
            1 => values.remove(0),
            _ => Value::Array(values),
        };
        lines.insert(name.to_string(), value);
    }
    let arrived = json!({
        "method": method.as_str(),
        "path": uri.path_and_query().map_or("*", |it| it.as_str()),
        "headers": lines,
        "body": String::from_utf8_lossy(&body),
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("{arrived:#}\n"),
    )
}
