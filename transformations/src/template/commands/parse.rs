//! From the text of an operator to a [`Command`], or what is wrong with it.
//!
//! Called by the compiler on the main thread.

use super::{Call, Command, HeaderSource, Operator, TimeFormat};
use crate::codes::Code;
use crate::diagnostics::nearest;
use crate::direction::Direction;
use crate::host::{Attribute, LastKinds};
use crate::http;

/// Every operator, with how it is written.
pub(crate) const KNOWN: [(&str, &str); 10] = [
    ("REQ", "%REQ(name?other):length%"),
    ("RESP", "%RESP(name?other):length%"),
    ("TRAILER", "%TRAILER(name?other):length%"),
    ("PROTOCOL", "%PROTOCOL%"),
    ("RESPONSE_CODE", "%RESPONSE_CODE%"),
    ("START_TIME", "%START_TIME(format)%"),
    (
        "DYNAMIC_METADATA",
        "%DYNAMIC_METADATA(namespace:key):length%",
    ),
    ("DOWNSTREAM_REMOTE_ADDRESS", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    (
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    ),
    ("UPSTREAM_HOST", "%UPSTREAM_HOST%"),
];

/// How the operator of this name is written, if there is one.
pub(crate) fn usage(name: &str) -> Option<&'static str> {
    let (_, usage) = KNOWN.iter().find(|(known, _)| *known == name)?;
    Some(usage)
}

/// What is wrong with an operator.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault {
            code,
            message: message.into(),
            help: help.into(),
        }
    }

    fn form(call: &Call<'_>, message: impl Into<String>) -> Fault {
        let usage = usage(call.name).unwrap_or_default();
        Fault::new(Code::BAD_OPERATOR, message, format!("write {usage}"))
    }
}

/// Reads one operator of a header value in `direction`.
///
/// # Errors
/// An unknown name, arguments that the operator does not take, or a value that cannot be there.
pub(crate) fn parse(call: &Call<'_>, direction: Direction) -> Result<Command, Fault> {
    let operator = match call.name {
        "REQ" => header(call, HeaderSource::Request)?,
        "RESP" => in_response(call, direction, header(call, HeaderSource::Response)?)?,
        "TRAILER" => in_response(call, direction, header(call, HeaderSource::Trailers)?)?,
        "RESPONSE_CODE" => {
            let status = Operator::Header {
                source: HeaderSource::Response,
                name: ":status".into(),
                other: None,
            };
            in_response(call, direction, plain(call, status)?)?
        }
        "START_TIME" => Operator::StartTime(start_time(call)?),
        "DYNAMIC_METADATA" => metadata(call)?,
        "PROTOCOL" => {
            let protocol = attribute(call, "request.protocol")?;
            plain(call, Operator::Attribute(protocol))?
        }
        "DOWNSTREAM_REMOTE_ADDRESS" => {
            let address = attribute(call, "source.address")?;
            plain(call, Operator::Attribute(address))?
        }
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => {
            let address = attribute(call, "source.address")?;
            plain(call, Operator::AddressWithoutPort(address))?
        }
        "UPSTREAM_HOST" => {
            let address = attribute(call, "upstream.address")?;
            in_response(call, direction, plain(call, Operator::Attribute(address))?)?
        }
        name => return Err(unknown(name)),
    };
    Ok(Command {
        length: length(call, &operator)?,
        operator,
    })
}

fn unknown(name: &str) -> Fault {
    let known = KNOWN.iter().map(|(known, _)| *known);
    let help = match nearest(name, known).and_then(usage) {
        Some(usage) => format!("did you mean {usage}?"),
        None => format!("write %%{name}%% to send this text as it stands"),
    };
    let message = format!("unknown operator %{name}%");
    Fault::new(Code::UNKNOWN_OPERATOR, message, help)
}

fn in_response(
    call: &Call<'_>,
    direction: Direction,
    operator: Operator,
) -> Result<Operator, Fault> {
    if direction == Direction::Response {
        return Ok(operator);
    }
    let message = format!(
        "%{}% has no value while the request is transformed",
        call.name
    );
    let help = "move this rule to \"response\"";
    Err(Fault::new(Code::WRONG_DIRECTION, message, help))
}

/// An operator without arguments.
fn plain(call: &Call<'_>, operator: Operator) -> Result<Operator, Fault> {
    match call.arguments {
        None => Ok(operator),
        Some(_) => {
            let message = format!("{} takes no arguments", call.name);
            Err(Fault::form(call, message))
        }
    }
}

/// One of the attributes that every Envoy tells.
fn attribute(call: &Call<'_>, name: &'static str) -> Result<Attribute, Fault> {
    Attribute::find(name).ok_or_else(|| unknown(call.name))
}

/// `name` or `name?other`.
fn header(call: &Call<'_>, source: HeaderSource) -> Result<Operator, Fault> {
    let arguments = call.arguments.unwrap_or_default();
    let (name, other) = match arguments.split_once('?') {
        Some((name, other)) => (name, Some(other)),
        None => (arguments, None),
    };
    for name in [Some(name), other].into_iter().flatten() {
        if !is_header_name(name) {
            let message = if name.is_empty() {
                format!("{} needs the name of a header", call.name)
            } else {
                "this is not the name of a header".to_owned()
            };
            return Err(Fault::form(call, message));
        }
    }
    Ok(Operator::Header {
        source,
        name: name.to_ascii_lowercase().into(),
        other: other.map(|other| other.to_ascii_lowercase().into()),
    })
}

fn is_header_name(name: &str) -> bool {
    http::is_token(name.strip_prefix(':').unwrap_or(name))
}

fn start_time(call: &Call<'_>) -> Result<TimeFormat, Fault> {
    let format = call.arguments.filter(|format| !format.is_empty());
    TimeFormat::parse(format.unwrap_or(TimeFormat::DEFAULT)).map_err(|specifier| {
        let message = format!("START_TIME does not know the specifier {specifier:?}");
        let help = format!("it knows {}", TimeFormat::SPECIFIERS);
        Fault::new(Code::BAD_OPERATOR, message, help)
    })
}

fn metadata(call: &Call<'_>) -> Result<Operator, Fault> {
    let arguments = call.arguments.unwrap_or_default();
    let Some((namespace, key)) = arguments.split_once(':') else {
        let message = "DYNAMIC_METADATA needs a namespace and a key";
        return Err(Fault::form(call, message));
    };
    if namespace.is_empty() || key.is_empty() {
        let message = "DYNAMIC_METADATA needs a namespace and a key";
        return Err(Fault::form(call, message));
    }
    if key.contains(':') {
        let message = "a module can read the keys of a namespace, not what is nested in them";
        let mut fault = Fault::form(call, message);
        fault.code = Code::MISSING_CAPABILITY;
        return Err(fault);
    }
    Ok(Operator::Metadata {
        namespace: namespace.into(),
        key: key.into(),
        last: LastKinds::default(),
    })
}

/// The bytes of the value to keep, for operators that take a length.
fn length(call: &Call<'_>, operator: &Operator) -> Result<Option<usize>, Fault> {
    let Some(digits) = call.length else {
        return Ok(None);
    };
    let is_cut = match operator {
        Operator::Header { .. } => call.arguments.is_some(),
        Operator::Metadata { .. } => true,
        _ => false,
    };
    if !is_cut {
        return Err(Fault::form(call, format!("{} takes no length", call.name)));
    }
    match digits.parse() {
        Ok(length) => Ok(Some(length)),
        Err(_) => Err(Fault::form(call, "the length is too large")),
    }
}
