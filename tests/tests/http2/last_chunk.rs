//! Bodies through chains in which other filters collect them, before and behind the module's: whole, once,
//! and as long as they say, also where the last chunk ends the stream.

use rustformations_tests::{Body, EnvoyConfig, Lab, Origin, Route, on_every_envoy};
use serde_json::{Value, json};

use crate::client::Http2;
use crate::message::{Gate, Message};
use crate::origin::{Http2Origin, Reply};
use crate::{both_ways, set};

/// Asks the cluster `checks` when it has the first 30,000 bytes, and then lets the rest flow.
fn ext_authz(checks: &Origin) -> Value {
    json!({"name": "ext_authz", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        "http_service": {"server_uri": {"uri": checks.address().to_string(), "cluster": "checks", "timeout": "5s"}},
        "with_request_body": {"max_request_bytes": 30000, "allow_partial_message": true},
    }})
}

/// Collects the whole request and says how long it is.
fn buffer() -> Value {
    json!({"name": "buffer", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 1 << 20,
    }})
}

/// Collects both bodies and says how long they are.
fn lua() -> Value {
    json!({"name": "lua", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "
            function count(handle)
                local body = handle:body()
                handle:headers():add('x-lua-length', tostring(body and body:length() or 0))
            end
            envoy_on_request = count
            envoy_on_response = count
        "},
    }})
}

/// Every chain that is of interest, with the module's filter in it.
fn chains(checks: &Origin) -> Vec<(&'static str, EnvoyConfig)> {
    let cluster = json!({"name": "checks", "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
        "cluster_name": "checks",
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
            "address": "127.0.0.1", "port_value": checks.address().port(),
        }}}}]}],
    }});
    let header_only = both_ways(&json!({"set": [set("x-set", "1")]}));
    let reading =
        both_ways(&json!({"set": [set("x-set", "1"), set("x-length", "{{ body()|length }}")]}));
    let kept = both_ways(&json!({
        "set": [set("x-set", "1"), set("x-length", "{{ body()|length }}")],
        "maxBodyBytes": 1 << 20,
    }));
    let retries = json!({"retry_on": "5xx", "num_retries": 1});
    let config = EnvoyConfig::new()
        .cluster(cluster)
        .route(Route::at("/read").transform(reading))
        .route(Route::at("/kept").transform(kept))
        .route(
            Route::at("/retry")
                .action("retry_policy", retries)
                .transform(header_only.clone()),
        )
        .route(Route::at("/").transform(header_only));
    vec![
        ("alone", config.clone()),
        (
            "ext_authz before",
            config.clone().filter_before(ext_authz(checks)),
        ),
        (
            "ext_authz behind",
            config.clone().filter_after(ext_authz(checks)),
        ),
        ("Buffer before", config.clone().filter_before(buffer())),
        ("Buffer behind", config.clone().filter_after(buffer())),
        ("Lua before", config.clone().filter_before(lua())),
        ("Lua behind", config.clone().filter_after(lua())),
        (
            "ext_authz before, Buffer behind",
            config
                .clone()
                .filter_before(ext_authz(checks))
                .filter_after(buffer()),
        ),
        (
            "Buffer before, Lua behind",
            config.filter_before(buffer()).filter_after(lua()),
        ),
    ]
}

/// No two places of it look alike.
fn telling_body() -> Vec<u8> {
    (0..25_000)
        .map(|n| format!("{n:08}"))
        .collect::<String>()
        .into_bytes()
}

/// Fails unless the message is `body`, and as long as its headers say.
fn expect_whole(what: &str, headers: &rustformations_tests::Headers, got: &[u8], body: &[u8]) {
    assert!(got == body, "{what}: {} of {} bytes", got.len(), body.len());
    assert_eq!(headers.values("x-set"), ["1"], "{what}");
    for name in ["content-length", "x-lua-length", "x-length"] {
        for length in headers.values(name) {
            assert_eq!(length, body.len().to_string(), "{what}: {name}");
        }
    }
}

on_every_envoy! {
    fn nothing_is_lost_and_nothing_doubled_whoever_else_collects_the_body(envoy) {
        let checks = Origin::start().unwrap();
        for (chain, config) in chains(&checks) {
            let lab = Lab::start(envoy, &config);
            for path in ["/", "/retry", "/read", "/kept"] {
                let body = telling_body();
                for at in [40_000, 199_999] {
                    let what = format!("{chain} {path} {at}");
                    checks.forget();
                    lab.origin().forget();
                    // The second half comes when whoever wanted to ask has asked.
                    let rest = Gate::new();
                    let (first, second) = body.split_at(at);
                    let message = Message::new().piece(first.to_vec()).wait(&rest).piece(second.to_vec());
                    let mut client = Http2::open(lab.address()).unwrap();
                    let pending = client.start("POST", path, message).unwrap();
                    if chain.starts_with("ext_authz") && !(chain.ends_with("behind") && ["/read", "/kept"].contains(&path)) {
                        checks.last();
                    }
                    rest.open();
                    assert_eq!(pending.finish().unwrap().status, 200, "{what}");
                    let received = lab.origin().last();
                    expect_whole(&what, &received.headers, &received.body, &body);
                    assert_eq!(lab.origin().received().len(), 1, "{what}");
                }
                for script in [
                    Body::whole(body.clone()),
                    Body::chunked().piece(&body[..40_000]).piece(&body[40_000..]),
                ] {
                    lab.origin().forget();
                    assert_eq!(lab.post(path).stream(script).send().status, 200, "{chain} {path}");
                    let received = lab.origin().last();
                    expect_whole(&format!("{chain} {path} HTTP/1"), &received.headers, &received.body, &body);
                }
            }
        }
    }

    fn bodies_whose_chunks_are_all_alike_keep_their_length(envoy) {
        let checks = Origin::start().unwrap();
        for (chain, config) in chains(&checks) {
            let lab = Lab::start(envoy, &config);
            let mut client = Http2::open(lab.address()).unwrap();
            for path in ["/", "/retry"] {
                for frames in 1..6 {
                    lab.origin().forget();
                    let frame = vec![b'x'; 16_384];
                    let message = (0..frames).fold(Message::new(), |message, _| message.piece(frame.clone()));
                    let what = format!("{chain} {path} {frames}");
                    assert_eq!(client.send("POST", path, message).status, 200, "{what}");
                    let received = lab.origin().last();
                    expect_whole(&what, &received.headers, &received.body, &vec![b'x'; 16_384 * frames]);
                }
            }
        }
    }

    fn the_same_holds_for_responses(envoy) {
        let checks = Origin::start().unwrap();
        let origin = Http2Origin::start().unwrap();
        let body = telling_body();
        for at in [1, 40_000, 199_999] {
            let (first, second) = body.split_at(at);
            let reply = Message::new().piece(first.to_vec()).piece(second.to_vec());
            origin.answer(&format!("/{at}"), Reply::new(200, reply.clone()));
            origin.answer(&format!("/read/{at}"), Reply::new(200, reply.clone()));
            origin.answer(&format!("/kept/{at}"), Reply::new(200, reply));
        }
        for (chain, config) in chains(&checks) {
            let lab = Lab::start(envoy, &config.http2_origin(origin.address()));
            let mut client = Http2::open(lab.address()).unwrap();
            for path in ["/1", "/40000", "/199999", "/read/1", "/read/40000", "/kept/1", "/kept/40000"] {
                let answer = client.send("GET", path, Message::new());
                expect_whole(&format!("{chain} {path}"), &answer.headers, &answer.body, &body);
                let answer = lab.get(path).send();
                expect_whole(&format!("{chain} {path} HTTP/1"), &answer.headers, &answer.body, &body);
            }
        }
    }
}
