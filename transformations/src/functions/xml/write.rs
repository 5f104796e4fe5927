//! From the map of a root element to XML text.

use std::borrow::Cow;
use std::fmt::{self, Write};

use minijinja::Error;
use quick_xml::escape::partial_escape;
use quick_xml::events::attributes::Attribute;

use super::names::{is_name, is_text};
use crate::value::Fault;
use crate::value::budget::{self, PaidText};
use formats::json::{Kind, Node};

/// Why a value is no element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwritable {
    Root,
    Name,
    Attribute,
    List,
    Character,
}

impl From<Unwritable> for Fault {
    fn from(unwritable: Unwritable) -> Fault {
        Fault::ToXml(match unwritable {
            Unwritable::Root => {
                "the value must be a map with one member, which is the root element"
            }
            Unwritable::Name => "a name is not one that XML allows",
            Unwritable::Attribute => {
                "an attribute, and `#text`, must be a text, a number or a boolean"
            }
            Unwritable::List => "a list holds a list",
            Unwritable::Character => "a text holds a character that XML cannot hold",
        })
    }
}

/// Writes the one member of `root`, and pays for it as it grows: a long name may stand for many short
/// items.
///
/// # Errors
/// See [`Unwritable`]; what nests deeper than templates look; or nothing left to pay with.
pub(super) fn write(root: &Node) -> Result<String, Error> {
    if root.kind() != Kind::Object {
        return Err(Fault::from(Unwritable::Root).into());
    }
    let mut members = root.entries();
    let (Some((name, value)), None) = (members.next(), members.next()) else {
        return Err(Fault::from(Unwritable::Root).into());
    };
    if value.kind() == Kind::Array {
        return Err(Fault::from(Unwritable::Root).into());
    }
    let mut out = PaidText::default();
    match element(&mut out, &name, &value) {
        Ok(()) => Ok(out.into_string()),
        Err(Stop::Fault(fault)) => Err(fault.into()),
        Err(Stop::Overdrawn) => Err(budget::overdrawn()),
    }
}

/// Why writing stopped.
enum Stop {
    Fault(Fault),
    Overdrawn,
}

impl From<fmt::Error> for Stop {
    fn from(_: fmt::Error) -> Stop {
        Stop::Overdrawn
    }
}

impl From<Unwritable> for Stop {
    fn from(unwritable: Unwritable) -> Stop {
        Stop::Fault(unwritable.into())
    }
}

/// Recurses as deep as a document can be looked into.
fn element(out: &mut PaidText, name: &str, value: &Node) -> Result<(), Stop> {
    if !is_name(name) {
        return Err(Unwritable::Name.into());
    }
    if value.is_too_deep() {
        return Err(Stop::Fault(Fault::JsonTooDeep));
    }
    match value.kind() {
        Kind::Null => write!(out, "<{name}/>")?,
        Kind::Object => {
            write!(out, "<{name}")?;
            let has_content = attributes(out, value)?;
            if has_content {
                out.write_str(">")?;
                content(out, value)?;
                write!(out, "</{name}>")?;
            } else {
                out.write_str("/>")?;
            }
        }
        Kind::Array => return Err(Unwritable::List.into()),
        Kind::Bool(_) | Kind::Number | Kind::String => {
            write!(out, "<{name}>")?;
            text(out, value)?;
            write!(out, "</{name}>")?;
        }
    }
    Ok(())
}

/// Writes the attributes of an element, and tells whether it has anything else.
fn attributes(out: &mut PaidText, element: &Node) -> Result<bool, Stop> {
    let mut has_content = false;
    for (key, value) in element.entries() {
        let Some(name) = key.strip_prefix('@') else {
            has_content = true;
            continue;
        };
        if !is_name(name) {
            return Err(Unwritable::Name.into());
        }
        if value.is_null() {
            continue;
        }
        let value = scalar(&value)?;
        let attribute = Attribute::from((name, &*value));
        write!(out, " {name}=\"{}\"", attribute.value)?;
    }
    Ok(has_content)
}

fn content(out: &mut PaidText, parent: &Node) -> Result<(), Stop> {
    for (key, value) in parent.entries() {
        if key.starts_with('@') {
            continue;
        }
        if key == "#text" {
            if !value.is_null() {
                text(out, &value)?;
            }
            continue;
        }
        match value.kind() {
            Kind::Array => value
                .items()
                .try_for_each(|item| element(out, &key, &item))?,
            _ => element(out, &key, &value)?,
        }
    }
    Ok(())
}

fn text(out: &mut PaidText, value: &Node) -> Result<(), Stop> {
    let text = scalar(value)?;
    out.write_str(&partial_escape(&*text))?;
    Ok(())
}

fn scalar(value: &Node) -> Result<Cow<'_, str>, Unwritable> {
    match value.kind() {
        Kind::Bool(_) | Kind::Number => Ok(value.raw().into()),
        Kind::String => {
            let text = value.as_str().unwrap_or_default();
            if is_text(&text) {
                Ok(text)
            } else {
                Err(Unwritable::Character)
            }
        }
        Kind::Null | Kind::Array | Kind::Object => Err(Unwritable::Attribute),
    }
}
