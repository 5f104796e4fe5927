//! From XML text to the map of its root element, in one pass.
//!
//! The reader behind it finds tags, checks that they match, and expands nothing; what it leaves to its
//! caller (names, characters, what may stand outside of the root) is checked here.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use serde_json::{Map, Value as Json};

use super::names::{is_blank, is_name, is_text};
use crate::functions::repeated;
use crate::value::Fault;

/// How deep elements may nest. Each level takes two of JSON at most, and templates look 127 deep.
const MAX_DEPTH: usize = 60;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    NotWellFormed,
    DocumentType,
    Entity,
    Encoding,
    TooDeep,
}

impl Reason {
    fn sentence(self) -> &'static str {
        match self {
            Reason::NotWellFormed => "the text is not well-formed XML",
            Reason::DocumentType => "the text has a document type, which is not read",
            Reason::Entity => {
                "there is no such entity: only lt, gt, amp, apos, quot and numbers are known"
            }
            Reason::Encoding => "the text says that it has another encoding than UTF-8",
            Reason::TooDeep => "elements nest deeper than 60 levels",
        }
    }
}

impl From<quick_xml::Error> for Reason {
    fn from(error: quick_xml::Error) -> Reason {
        use quick_xml::escape::EscapeError::UnrecognizedEntity;

        match error {
            quick_xml::Error::Escape(UnrecognizedEntity(..)) => Reason::Entity,
            _ => Reason::NotWellFormed,
        }
    }
}

/// The root element, by its name.
///
/// # Errors
/// See [`Reason`].
pub(super) fn read(text: &str) -> Result<Map<String, Json>, Fault> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    match read_from(&mut reader, text) {
        Ok(root) => Ok(root),
        Err(reason) => {
            let at = reader.error_position().max(reader.buffer_position());
            Err(Fault::FromXml(reason.sentence(), at))
        }
    }
}

/// Reads `text` with a reader of it.
pub(super) fn read_from(
    reader: &mut Reader<&[u8]>,
    text: &str,
) -> Result<Map<String, Json>, Reason> {
    if !is_text(text) {
        return Err(Reason::NotWellFormed);
    }
    reader.config_mut().enable_all_checks(true);
    let mut tree = Tree::default();
    tree.read(reader)?;
    Ok(tree.root)
}

/// What was read so far.
#[derive(Default)]
struct Tree {
    /// The elements that are not closed, outermost first.
    open: Vec<Element>,
    root: Map<String, Json>,
}

struct Element {
    name: String,
    members: Map<String, Json>,
    has_children: bool,
    text: String,
}

impl Tree {
    fn read(&mut self, reader: &mut Reader<&[u8]>) -> Result<(), Reason> {
        loop {
            let at = reader.buffer_position();
            match reader.read_event()? {
                Event::Start(tag) => self.open(&tag)?,
                Event::Empty(tag) => {
                    self.open(&tag)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(text) if text.contains("]]>") => return Err(Reason::NotWellFormed),
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => match self.open.last_mut() {
                    Some(element) => element.text.push_str(&text.xml10_content()),
                    None => return Err(Reason::NotWellFormed),
                },
                Event::GeneralRef(reference) => self.reference(&reference)?,
                Event::Decl(declaration) if at == 0 => check(&declaration)?,
                Event::Decl(_) => return Err(Reason::NotWellFormed),
                Event::DocType(_) => return Err(Reason::DocumentType),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        if self.open.is_empty() && !self.root.is_empty() {
            Ok(())
        } else {
            Err(Reason::NotWellFormed)
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Reason> {
        let name = tag.name().into_inner();
        let is_second = self.open.is_empty() && !self.root.is_empty();
        if !is_name(name) || is_second {
            return Err(Reason::NotWellFormed);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        self.open.push(Element {
            name: name.to_owned(),
            members: attributes(tag)?,
            has_children: false,
            text: String::new(),
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        let parent = match self.open.last_mut() {
            Some(parent) => &mut parent.members,
            None => &mut self.root,
        };
        let (name, value) = element.into_member();
        repeated::insert(parent, name, value);
    }

    fn text(&mut self, text: &str) -> Result<(), Reason> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if is_blank(text) => {}
            None => return Err(Reason::NotWellFormed),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Reason> {
        let element = self.open.last_mut().ok_or(Reason::NotWellFormed)?;
        if let Some(character) = reference.resolve_char_ref()? {
            let mut bytes = [0; 4];
            let text = character.encode_utf8(&mut bytes);
            if !is_text(text) {
                return Err(Reason::NotWellFormed);
            }
            element.text.push_str(text);
        } else {
            let text = resolve_predefined_entity(reference).ok_or(Reason::Entity)?;
            element.text.push_str(text);
        }
        Ok(())
    }
}

impl Element {
    fn into_member(mut self) -> (String, Json) {
        if self.has_children && is_blank(&self.text) {
            self.text.clear();
        }
        let value = match (self.members.is_empty(), self.text.is_empty()) {
            (true, true) => Json::Null,
            (true, false) => Json::String(self.text),
            (false, true) => Json::Object(self.members),
            (false, false) => {
                self.members.insert("#text".to_owned(), self.text.into());
                Json::Object(self.members)
            }
        };
        (self.name, value)
    }
}

/// The attributes as members. That each is there once is checked here: the reader would compare each
/// with all others.
fn attributes(tag: &BytesStart<'_>) -> Result<Map<String, Json>, Reason> {
    let mut members = Map::new();
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Reason::NotWellFormed)?;
        let name = attribute.key.into_inner();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        let is_right = is_name(name) && is_text(&value) && !attribute.value.contains('<');
        let before = members.insert(format!("@{name}"), value.into());
        if !is_right || before.is_some() {
            return Err(Reason::NotWellFormed);
        }
    }
    Ok(members)
}

/// Whether the text is what it says it is.
fn check(declaration: &BytesDecl<'_>) -> Result<(), Reason> {
    if !declaration.version()?.starts_with("1.") {
        return Err(Reason::NotWellFormed);
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(_)) => Err(Reason::Encoding),
        Some(Err(_)) => Err(Reason::NotWellFormed),
    }
}
