//! An HTTP/2 client that blocks: a connection, and the streams on it.
//!
//! Called by a test on its own thread. The connection has a runtime with one thread, which sends
//! requests at the pace of their scripts while the test looks at answers. Gives up after
//! [`PATIENCE`](crate::PATIENCE).

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use h2::ext::Protocol;
use http::{Method, Request, Uri};
use rustformations_tests::{Answer, Headers};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_rustls::TlsConnector;

use crate::PATIENCE;
use crate::message::{Message, from_map, next_piece};

/// The host that requests are for, and the name that is asked for over TLS.
pub(crate) const HOST: &str = "lab.test";

/// One connection.
pub(crate) struct Http2 {
    runtime: Runtime,
    requests: SendRequest<Bytes>,
    scheme: &'static str,
    /// This end of it.
    pub(crate) local: SocketAddr,
}

impl Http2 {
    /// Connects to `to` and speaks HTTP/2 without asking.
    pub(crate) fn open(to: SocketAddr) -> Result<Self> {
        let runtime = runtime()?;
        let (requests, local) = within(runtime.handle(), async {
            let stream = connect(to).await?;
            let local = stream.local_addr()?;
            Ok((handshake(stream).await?, local))
        })?;
        Ok(Self {
            runtime,
            requests,
            scheme: "http",
            local,
        })
    }

    /// Connects to `to` with TLS, in which HTTP/2 is agreed on.
    pub(crate) fn open_tls(to: SocketAddr, config: ClientConfig) -> Result<Self> {
        let runtime = runtime()?;
        let (requests, local) = within(runtime.handle(), async {
            let stream = connect(to).await?;
            let local = stream.local_addr()?;
            let connector = TlsConnector::from(Arc::new(config));
            let stream = connector
                .connect(ServerName::try_from(HOST)?, stream)
                .await?;
            let agreed = stream.get_ref().1.alpn_protocol();
            ensure!(agreed == Some(b"h2"), "no HTTP/2, but {agreed:?}");
            Ok((handshake(stream).await?, local))
        })?;
        Ok(Self {
            runtime,
            requests,
            scheme: "https",
            local,
        })
    }

    /// Begins a stream with a request, and leaves it to the other thread to send it.
    pub(crate) fn start(&mut self, method: &str, path: &str, message: Message) -> Result<Pending> {
        let uri: Uri = format!("{}://{HOST}{path}", self.scheme).parse()?;
        let request = Request::builder().method(method).uri(uri).body(())?;
        self.begin(request, message)
    }

    /// Begins a WebSocket on a stream of its own (RFC 8441).
    pub(crate) fn start_websocket(&mut self, path: &str, message: Message) -> Result<Pending> {
        let uri: Uri = format!("{}://{HOST}{path}", self.scheme).parse()?;
        let request = Request::builder().method(Method::CONNECT).uri(uri);
        let request = request
            .extension(Protocol::from_static("websocket"))
            .body(())?;
        within(self.runtime.handle(), async {
            // A client has to be told that it may.
            while !self.requests.is_extended_connect_protocol_enabled() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        })?;
        self.begin(request, message)
    }

    fn begin(&mut self, mut request: Request<()>, message: Message) -> Result<Pending> {
        *request.headers_mut() = message.head()?;
        let requests = self.requests.clone();
        let mut requests = within(self.runtime.handle(), async { Ok(requests.ready().await?) })?;
        let (response, mut body) = requests.send_request(request, message.ends_with_head())?;
        // An answer that comes early may end the stream while this sends; the answer tells the story.
        self.runtime
            .spawn(async move { message.play(&mut body).await });
        Ok(Pending {
            runtime: self.runtime.handle().clone(),
            began: Instant::now(),
            response,
        })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Panics
    /// When there is no answer: the test fails here with the reason.
    pub(crate) fn send(&mut self, method: &str, path: &str, message: Message) -> Answer {
        match self.start(method, path, message).and_then(Pending::finish) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path} got no answer: {error:#}"),
        }
    }
}

/// A stream whose answer is still to come.
pub(crate) struct Pending {
    runtime: Handle,
    began: Instant,
    response: ResponseFuture,
}

impl Pending {
    /// Waits for the head of the answer.
    pub(crate) fn head(self) -> Result<Exchange> {
        let response = within(&self.runtime, async { Ok(self.response.await?) })?;
        let (head, body) = response.into_parts();
        Ok(Exchange {
            runtime: self.runtime,
            began: self.began,
            status: head.status.as_u16(),
            headers: from_map(&head.headers),
            body,
        })
    }

    /// Waits for the whole answer.
    pub(crate) fn finish(self) -> Result<Answer> {
        self.head()?.finish()
    }
}

/// A stream whose answer has begun.
pub(crate) struct Exchange {
    runtime: Handle,
    began: Instant,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    body: RecvStream,
}

impl Exchange {
    /// The next DATA frame, `None` after the last one.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Bytes>> {
        let body = &mut self.body;
        within(&self.runtime, async {
            Ok(next_piece(body).await.transpose()?)
        })
    }

    /// Reads the rest. A stream that is reset is no error but [`Answer::cut`].
    pub(crate) fn finish(self) -> Result<Answer> {
        let Self {
            runtime,
            began,
            status,
            headers,
            mut body,
        } = self;
        within(&runtime, async move {
            let (mut pieces, mut cut) = (Vec::new(), false);
            while let Some(piece) = next_piece(&mut body).await {
                let Ok(piece) = piece else {
                    cut = true;
                    break;
                };
                pieces.push((began.elapsed(), piece.to_vec()));
            }
            let trailers = match cut {
                true => None,
                false => body.trailers().await?,
            };
            Ok(Answer {
                status,
                headers,
                body: pieces.iter().flat_map(|(_, piece)| piece.clone()).collect(),
                trailers: trailers.as_ref().map(from_map).unwrap_or_default(),
                pieces,
                cut,
            })
        })
    }
}

pub(crate) fn runtime() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.context("no thread for HTTP/2")
}

fn within<T>(runtime: &Handle, work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime.block_on(async {
        let outcome = tokio::time::timeout(PATIENCE, work).await;
        outcome.context("nothing came in time")?
    })
}

async fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // An answer that the test has not come to yet must not keep others from coming.
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(16 << 20);
    let (requests, connection) = builder.handshake(stream).await?;
    // A connection that breaks is seen by each of its streams.
    tokio::spawn(connection);
    Ok(requests)
}
