//! Other ways to do what the rows "headers" and "model" ask for: Lua and Wasm inside Envoy, and a process of
//! its own that Envoy asks over ext_proc.
//!
//! Built from `tests/peers` when a row that has them is measured: the Wasm filter by clang, the external
//! processor by Go. What cannot be built is left out, and said. A processor's CPU time counts as Envoy's.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustformations_tests::{EnvoyConfig, workspace};
use serde_json::{Value, json};

use crate::rows::{Contender, Row};

/// How long a processor may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that works beside an Envoy; ends with its owner.
pub(crate) struct Beside(Child);

impl Beside {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a row does.
#[derive(Clone, Copy)]
enum Task {
    /// A request header from another, a response header from the request.
    Headers,
    /// The model of the body becomes a header.
    Model,
}

impl Task {
    fn of(row: &Row) -> Option<Self> {
        match row.name {
            "headers" => Some(Self::Headers),
            "model" => Some(Self::Model),
            _ => None,
        }
    }
}

/// Adds the peers that can be built here to a row, before ours, which is the last; what works beside each
/// contender.
pub(crate) fn join(row: &mut Row) -> Vec<Option<Beside>> {
    let mut besides: Vec<Option<Beside>> = row.contenders.iter().map(|_| None).collect();
    let Some(task) = Task::of(row) else {
        return besides;
    };
    let peers = [
        ("lua", Ok((lua(task), None))),
        ("wasm", wasm()),
        ("ext_proc", ext_proc(task)),
    ];
    for (name, peer) in peers {
        match peer {
            Ok((config, beside)) => {
                let last = row.contenders.len().saturating_sub(1);
                row.contenders.insert(last, Contender { name, config });
                besides.insert(last, beside);
            }
            Err(reason) => println!("\n{}: without {name}: {reason:#}", row.name),
        }
    }
    besides
}

fn lua(task: Task) -> EnvoyConfig {
    let script = match task {
        Task::Headers => {
            r#"
function envoy_on_request(handle)
  local headers = handle:headers()
  headers:replace("x-copy", headers:get("x-source"))
  handle:streamInfo():dynamicMetadata():set("lab", "method", headers:get(":method"))
end
function envoy_on_response(handle)
  handle:headers():add("x-asked", handle:streamInfo():dynamicMetadata():get("lab")["method"])
end"#
        }
        // Envoy's Lua reads no JSON: a pattern has to do.
        Task::Model => {
            r#"
function envoy_on_request(handle)
  local body = handle:body()
  local text = body:getBytes(0, body:length())
  handle:headers():replace("x-model", string.match(text, '"model"%s*:%s*"([^"]*)"'))
end"#
        }
    };
    let filter = json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": script},
        },
    });
    EnvoyConfig::new().without_module().filter_before(filter)
}

/// One filter does both.
fn wasm() -> Result<(EnvoyConfig, Option<Beside>)> {
    let file = built("peer.wasm", |file| {
        Command::new("clang")
            .args(["--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry"])
            .arg("-o")
            .arg(file)
            .arg(workspace::root().join("tests/peers/wasm.c"))
            .output()
    })?;
    let filter = json!({
        "name": "envoy.filters.http.wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "peer",
                // Headers wait for the body, and the body is told all the same.
                "allow_on_headers_stop_iteration": true,
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": file}},
                },
            },
        },
    });
    let config = EnvoyConfig::new().without_module().filter_before(filter);
    Ok((config, None))
}

fn ext_proc(task: Task) -> Result<(EnvoyConfig, Option<Beside>)> {
    let program = built("ext-proc", |file| {
        Command::new("go")
            .current_dir(workspace::root().join("tests/peers/ext-proc"))
            .args(["build", "-o"])
            .arg(file)
            .arg(".")
            .output()
    })?;
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let address = free.context("there is no free port")?;
    let beside = started(&program, address)?;
    let mode = match task {
        Task::Headers => json!({"request_header_mode": "SEND", "response_header_mode": "SEND"}),
        Task::Model => json!({
            "request_header_mode": "SKIP", "response_header_mode": "SKIP", "request_body_mode": "BUFFERED",
        }),
    };
    let filter = json!({
        "name": "envoy.filters.http.ext_proc",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {"cluster_name": "processor"}},
            "processing_mode": mode,
        },
    });
    let config = EnvoyConfig::new()
        .without_module()
        .cluster(cluster(address))
        .filter_before(filter);
    Ok((config, Some(beside)))
}

fn cluster(address: SocketAddr) -> Value {
    let place = json!({"address": address.ip().to_string(), "port_value": address.port()});
    let endpoint = json!({"endpoint": {"address": {"socket_address": place}}});
    json!({
        "name": "processor", "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "processor", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }},
    })
}

fn started(program: &PathBuf, address: SocketAddr) -> Result<Beside> {
    let child = Command::new(program).arg(address.to_string()).spawn();
    let beside = Beside(child.context("the processor cannot be started")?);
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            bail!("the processor does not listen");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(beside)
}

/// A file that `build` makes beside the other build products.
fn built(
    name: &str,
    build: impl FnOnce(&PathBuf) -> std::io::Result<std::process::Output>,
) -> Result<PathBuf> {
    let folder = workspace::root().join("target/peers");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    let output = build(&file).context("what builds it is not installed")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("it cannot be built: {}", said.lines().last().unwrap_or(""));
    }
    Ok(file)
}
