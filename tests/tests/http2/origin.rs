//! An HTTP/2 origin, without TLS: records every request as it came and answers from a script.
//!
//! Started by a test; all its connections are served by one thread of its own. A path without a
//! script is answered 200 with the body `ok`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::request::Parts;
use http::{Request, Response};
use rustformations_tests::{Headers, Received, Record};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::PATIENCE;
use crate::client::runtime;
use crate::message::{Message, from_map, next_piece};

/// What the origin answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    message: Message,
    is_at_once: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, message: Message) -> Self {
        Self {
            status,
            message,
            is_at_once: false,
        }
    }

    /// Answers while the body of the request is still to come.
    #[must_use]
    pub(crate) fn at_once(mut self) -> Self {
        self.is_at_once = true;
        self
    }
}

/// A running origin; stops when dropped.
pub(crate) struct Http2Origin {
    address: SocketAddr,
    record: Arc<Record<Reply>>,
    _runtime: Runtime,
}

impl Http2Origin {
    /// Starts an origin on a free port of 127.0.0.1.
    pub(crate) fn start() -> Result<Self> {
        let runtime = runtime()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let record = Arc::new(Record::default());
        let accepting = Arc::clone(&record);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&accepting)));
            }
        });
        Ok(Self {
            address,
            record,
            _runtime: runtime,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests for `path` (without query) with `reply`, from now on.
    pub(crate) fn answer(&self, path: &str, reply: Reply) {
        self.answer_with(path, move |_| reply.clone());
    }

    /// Answers requests for `path` (without query) with what `script` makes of them, from now on.
    pub(crate) fn answer_with(
        &self,
        path: &str,
        script: impl Fn(&Received) -> Reply + Send + 'static,
    ) {
        self.record.answer_with(path, script);
    }

    /// All requests so far, in the order they were complete.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.record.received()
    }

    /// The request that was complete last; waits for one.
    ///
    /// # Panics
    /// When none comes.
    pub(crate) fn last(&self) -> Received {
        self.record.last(PATIENCE)
    }
}

async fn serve(stream: TcpStream, record: Arc<Record<Reply>>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(stream) = connection.accept().await {
        let (request, respond) = stream?;
        tokio::spawn(answer(request, respond, Arc::clone(&record)));
    }
    Ok(())
}

async fn answer(
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    record: Arc<Record<Reply>>,
) -> Result<()> {
    let (head, body) = request.into_parts();
    let mut received = begin(&head);
    let early = reply_to(&record, &received);
    if early.is_at_once {
        tokio::spawn(send(respond, early));
        read(body, &mut received).await;
        record.push(received);
        return Ok(());
    }
    read(body, &mut received).await;
    let reply = (!received.cut).then(|| reply_to(&record, &received));
    record.push(received);
    match reply {
        Some(reply) => send(respond, reply).await,
        None => Ok(()),
    }
}

fn reply_to(record: &Record<Reply>, received: &Received) -> Reply {
    let reply = record.reply(received);
    reply.unwrap_or_else(|| Reply::new(200, Message::new().piece("ok")))
}

/// The head of a request, with `:authority` and `:scheme` among its header lines.
fn begin(head: &Parts) -> Received {
    let mut headers = Headers::default();
    if let Some(authority) = head.uri.authority() {
        headers.push(":authority", authority.as_str());
    }
    if let Some(scheme) = head.uri.scheme_str() {
        headers.push(":scheme", scheme);
    }
    headers.0.extend(from_map(&head.headers).0);
    Received {
        method: head.method.as_str().to_owned(),
        path: head
            .uri
            .path_and_query()
            .map_or("", |it| it.as_str())
            .to_owned(),
        headers,
        body: Vec::new(),
        trailers: Headers::default(),
        pieces: Vec::new(),
        cut: false,
    }
}

async fn read(mut body: RecvStream, received: &mut Received) {
    while let Some(piece) = next_piece(&mut body).await {
        let Ok(piece) = piece else {
            received.cut = true;
            return;
        };
        received.body.extend_from_slice(&piece);
        received.pieces.push((Instant::now(), piece.to_vec()));
    }
    match body.trailers().await {
        Ok(trailers) => received.trailers = trailers.as_ref().map(from_map).unwrap_or_default(),
        Err(_) => received.cut = true,
    }
}

async fn send(mut respond: SendResponse<Bytes>, reply: Reply) -> Result<()> {
    let mut response = Response::builder().status(reply.status).body(())?;
    *response.headers_mut() = reply.message.head()?;
    let mut body = respond.send_response(response, reply.message.ends_with_head())?;
    reply.message.play(&mut body).await
}
