//! The bootstrap that ships, with providers that prove by TLS who they are.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustformations_tests::example::{ANTHROPIC_KEY, Example, OPENAI_KEY, Transport, file};
use rustformations_tests::two_providers::{CHAT, MESSAGES, said, says};
use rustformations_tests::{Answer, Origin, Reply, Request, on_every_envoy, workspace};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::{completion, message, overloaded};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Lab");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Speaks TLS as `name`, to whoever asks for that name and nobody else, and plain with `origin`.
fn before(origin: SocketAddr, name: &'static str, authority: &Authority) -> (Runtime, SocketAddr) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(stream).await?;
                if client.get_ref().1.server_name() == Some(name) {
                    let mut server = TcpStream::connect(origin).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
                }
                Ok::<(), std::io::Error>(())
            });
        }
    });
    (runtime, address)
}

fn ask(example: &Example, stream: bool) -> Answer {
    let request = Request::new(example.address, "POST", CHAT);
    let request = request.header("authorization", "Bearer of-the-client");
    request.json(&says("Hello", stream)).send()
}

on_every_envoy! {
    fn envoy_takes_it_as_it_is_printed(envoy) {
        let module_folder = workspace::module_folder().unwrap();
        let (is_taken, log) = Example::validate(envoy, module_folder).unwrap();
        assert!(is_taken, "{log}");
    }

    fn it_fails_over_and_says_what_it_cost(envoy) {
        let authority = authority();
        let (a, b) = (Origin::start().unwrap(), Origin::start().unwrap());
        let (_a_tls, anthropic) = before(a.address(), "api.anthropic.com", &authority);
        let (_b_tls, openai) = before(b.address(), "api.openai.com", &authority);
        let module_folder = workspace::module_folder().unwrap();
        let pem = authority.pem();
        let start = |providers| {
            let transport = Transport::Tls(&pem);
            Example::start(envoy, module_folder.clone(), providers, transport).unwrap()
        };
        let example = start([anthropic, openai]);
        a.answer(MESSAGES, Reply::json(&message("of A")));
        b.answer(CHAT, Reply::json(&completion("of B")));
        let answer = ask(&example, false);
        assert_eq!(said(&answer).as_deref(), Some("of A"), "{}", answer.text());
        let seen = a.last();
        assert_eq!((seen.header("host").as_str(), seen.header("x-api-key").as_str()), ("api.anthropic.com", ANTHROPIC_KEY));
        // Five tokens in at 3 dollars, two out at 15, each for a million.
        let line = r#""cost_usd":"0.000045""#;
        assert!(example.process.wait_for_log(line), "{}", example.process.logs());
        for status in [429, 529] {
            a.answer(MESSAGES, overloaded(status));
            let answer = ask(&example, false);
            assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
            let seen = b.last();
            assert_eq!(seen.header("authorization"), format!("Bearer {OPENAI_KEY}"));
            assert_eq!((seen.header("host").as_str(), seen.json()), ("api.openai.com", says("Hello", false)));
        }
        assert!(example.process.wait_for_log(r#""attempts":2"#));
        let log = example.process.logs();
        let lines: Vec<_> = log.lines().filter(|line| line.starts_with('{')).collect();
        assert!(lines.iter().any(|line| line.contains(r#""attempts":2"#) && line.contains(r#""provider":"openai""#)), "{log}");
        assert!(!log.contains("sk-"), "{log}");
        // Whoever stands in the place of a provider and is not it gets nothing, not even the key.
        a.forget();
        let example = start([openai, anthropic]);
        assert_eq!(ask(&example, true).status, 503);
        assert!(a.received().is_empty());
    }
}

#[test]
fn the_page_leads_to_it() {
    let page = workspace::root().join("docs/providers.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("](../examples/providers/envoy.yaml)"));
    assert!(file().is_file());
}
