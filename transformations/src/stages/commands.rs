//! The values of Envoy's command operators, asked of the host when a transform runs.

use std::sync::Arc;

use llm::facts::Facts;

use crate::direction::Direction;
use crate::host::HostValue;
use crate::message::{HeaderSnapshot, Vars, append_header};
use crate::observer::Observer;
use crate::ops::TransformationOps;
use crate::template::commands::{Command, HeaderSource, MISSING, Operator};
use crate::value::print;

/// What an exchange remembers of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Captured<'a> {
    /// The headers that the response reads, as the client sent them.
    pub(crate) headers: Option<&'a HeaderSnapshot>,
    /// When it came, in nanoseconds since 1970.
    pub(crate) started: Option<i64>,
    /// The variables of the configuration, once something has read one.
    pub(crate) vars: Option<&'a Arc<Vars>>,
    /// What is known of it as LLM traffic.
    pub(crate) facts: Option<&'a Facts>,
    /// Whoever looks on.
    pub(crate) observer: Option<&'a Observer>,
}

/// Appends the value of an operator, or a hyphen if there is none.
pub(super) fn append<O: TransformationOps + ?Sized>(
    command: &Command,
    ops: &O,
    direction: Direction,
    captured: Captured<'_>,
    out: &mut String,
) {
    let start = out.len();
    if value(&command.operator, ops, direction, captured, out).is_none() {
        out.truncate(start);
        out.push(MISSING);
    } else if let Some(length) = command.length {
        cut(out, start, length);
    }
}

/// Appends the value; what was appended when the answer is `None` does not count.
fn value<O: TransformationOps + ?Sized>(
    operator: &Operator,
    ops: &O,
    direction: Direction,
    captured: Captured<'_>,
    out: &mut String,
) -> Option<()> {
    match operator {
        Operator::Header {
            source,
            name,
            other,
        } => header(*source, name, ops, direction, captured, out)
            .or_else(|| header(*source, other.as_ref()?, ops, direction, captured, out)),
        Operator::StartTime(format) => {
            let started = captured.started.unwrap_or_else(|| ops.unix_nanoseconds());
            format.append(started, out)
        }
        Operator::Metadata {
            namespace,
            key,
            last,
        } => {
            let value = ops.metadata(crate::MetadataSource::Dynamic, namespace, key, last)?;
            print::value(out, &value.to_value()).ok()
        }
        Operator::Attribute(attribute) => {
            let value = ops.attribute(*attribute)?;
            print::value(out, &value.to_value()).ok()
        }
        Operator::AddressWithoutPort(attribute) => {
            let HostValue::Text(address) = ops.attribute(*attribute)? else {
                return None;
            };
            out.push_str(without_port(&address));
            Some(())
        }
    }
}

/// The first value of a header. Requests read by a response are those that the client sent.
fn header<O: TransformationOps + ?Sized>(
    source: HeaderSource,
    name: &str,
    ops: &O,
    direction: Direction,
    captured: Captured<'_>,
    out: &mut String,
) -> Option<()> {
    if source == HeaderSource::Trailers {
        let mut found = None;
        ops.for_each_response_trailer_value(name, &mut |value| {
            if found.is_none()
                && let Ok(value) = str::from_utf8(value)
            {
                out.push_str(value);
                found = Some(());
            }
        });
        return found;
    }
    if source == HeaderSource::Request && direction == Direction::Response {
        out.push_str(captured.headers?.first(name)?);
        return Some(());
    }
    let first = append_header(ops, direction, name, out)?;
    out.truncate(first);
    Some(())
}

/// `192.0.2.7:51234` or `[2001:db8::1]:51234` without port and brackets; anything else as it is.
fn without_port(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host),
        _ => address,
    }
}

/// Leaves at most `length` bytes of what was appended from `start` on, and only whole characters.
fn cut(out: &mut String, start: usize, length: usize) {
    let mut end = start.saturating_add(length).min(out.len());
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
}
