//! HTTP message transformations with Jinja templates.
//!
//! A configuration says which headers to set, add and remove, what the body becomes, and what goes
//! into dynamic metadata; each value is a template over the message. [`Program::compile`] turns the
//! configuration into something that runs, or says everything that is wrong with it.
//! [`Program::needs`] says what the program reads and writes, so that a host can decide before any
//! traffic what it will have to hold. [`Program::open`] gives the state of one exchange: it is told
//! what comes, calls back into the host through [`TransformationOps`], and answers whether that goes on,
//! is held, or is answered in another way.
//!
//! ```
//! use std::sync::Arc;
//! use transformations::{CompileOptions, Next, Program, memory::MemoryHost};
//!
//! let config = br#"{"request": {"set": [{"name": "x-who", "value": "{{ header('user-agent') }}"}]}}"#;
//! let program = Arc::new(Program::compile(config, &CompileOptions::default())?);
//! assert!(!program.needs().request.buffers());
//!
//! let mut host = MemoryHost::default();
//! host.request.headers.push((b"user-agent".to_vec(), b"curl/8".to_vec()));
//! let mut exchange = program.open();
//! // These headers are the whole request; else its body would follow.
//! let answer = exchange.on_request_headers(&mut host, true);
//! assert_eq!(answer.next, Next::Pass);
//! assert_eq!(host.request.values("x-who"), ["curl/8"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate knows HTTP and JSON, never Envoy. Compilation happens on the main thread; a program is
//! shared by all workers without locks; an exchange belongs to one worker.

#![forbid(unsafe_code)]

pub mod access;
mod ai;
mod applied;
pub mod codes;
pub mod config;
pub mod diagnostics;
mod direction;
mod error;
mod exchange;
pub mod files;
pub mod functions;
mod host;
pub mod http;
pub mod live;
#[cfg(feature = "memory")]
pub mod memory;
mod message;
mod metadata;
mod needs;
pub mod network;
mod observer;
mod on_error;
mod ops;
mod options;
pub mod profiles;
mod program;
pub mod provider;
mod stages;
mod template;
mod value;
/// The host in memory, as tests call it.
#[cfg(feature = "testing")]
pub use memory as testing;

pub use applied::{Applied, BodyChange};
pub use codes::Code;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use direction::Direction;
pub use error::{Failure, FieldId, StageName, TransformError, TransformErrorKind};
pub use exchange::{Answer, Exchange, ExchangeOps, Next, Reply};
/// What is counted of LLM traffic, and which names may be told apart.
pub use llm::stats;

pub use host::{Attribute, AttributeKind, HostValue, LastKinds, MetadataKind, MetadataSource};
pub use metadata::MAX_METADATA_DEPTH;
pub use needs::{BodyNeed, DirectionNeeds, Needs, Writes};
pub use observer::{Observer, Step};
pub use ops::TransformationOps;
pub use options::{Capabilities, CompileOptions, ENV_ALLOW_VARIABLE};
pub use program::Program;
