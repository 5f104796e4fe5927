//! Documents of JSON and YAML with where everything stands in their text.

use std::fmt;

use formats::json::{Fault, Kind, Reader};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::path::{Path, Segment};
use super::yaml;

/// How deeply it is looked into.
const DEEPEST: usize = 128;

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    /// The byte at which it begins.
    pub(super) at: usize,
    pub(super) what: What,
}

/// What it is.
#[derive(Debug)]
pub(super) enum What {
    /// Members, each with the byte at which its name begins.
    Members(Vec<(String, usize, Node)>),
    Items(Vec<Node>),
    Text(String),
    /// Something that holds nothing.
    Other,
}

impl Node {
    /// The value at the end of a path, or as near to it as there is one.
    pub(super) fn follow(&self, path: &Path) -> &Node {
        let mut node = self;
        for segment in path.segments() {
            let next = match (segment, &node.what) {
                (Segment::Name(name), What::Members(all)) => {
                    let mut named = all.iter().filter(|(it, ..)| it == name);
                    named.next_back().map(|(.., node)| node)
                }
                (Segment::Number(number), What::Items(all)) => all.get(*number),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// The byte at which a field stands that is named as diagnostics do, or what of it there is: a container by
    /// its name, anything else by itself.
    pub(super) fn find(&self, field: &str) -> usize {
        let (mut node, mut at, mut rest) = (self, self.at, field);
        loop {
            let next = match &node.what {
                What::Members(all) => member(all, rest.strip_prefix('.').unwrap_or(rest)),
                What::Items(all) => item(all, rest),
                What::Text(_) | What::Other => None,
            };
            let Some((name_at, inside, left)) = next.filter(|_| !rest.is_empty()) else {
                return at;
            };
            at = match inside.what {
                What::Members(_) | What::Items(_) => name_at,
                What::Text(_) | What::Other => inside.at,
            };
            (node, rest) = (inside, left);
        }
    }
}

/// The member with the longest name that a field begins with, since names may hold dots.
fn member<'n, 'f>(
    all: &'n [(String, usize, Node)],
    field: &'f str,
) -> Option<(usize, &'n Node, &'f str)> {
    let matching = all.iter().filter_map(|(name, at, node)| {
        let left = field.strip_prefix(name.as_str())?;
        let ends = left.is_empty() || left.starts_with(['.', '[']);
        ends.then_some((*at, node, left))
    });
    matching.min_by_key(|(.., left)| left.len())
}

fn item<'n, 'f>(all: &'n [Node], field: &'f str) -> Option<(usize, &'n Node, &'f str)> {
    let (number, left) = field.strip_prefix('[')?.split_once(']')?;
    let node = all.get(number.parse::<usize>().ok()?)?;
    Some((node.at, node, left))
}

/// The documents of a text.
///
/// # Errors
/// The byte from which on it cannot be read.
pub(super) fn read(text: &str) -> Result<Vec<Node>, usize> {
    if text.trim_start().starts_with(['{', '[', '"'])
        && let Some(node) = json(text)
    {
        return Ok(vec![node]);
    }
    yaml::spanned::<Tree>(text).map(|all| all.into_iter().map(of_yaml).collect())
}

/// The byte at which a text is no JSON any more.
pub(super) fn malformed_at(text: &str) -> Option<usize> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    Some(yaml::offset(
        text,
        error.line() as u64,
        error.column() as u64,
    ))
}

fn json(text: &str) -> Option<Node> {
    let mut root = None;
    let read = formats::json::read(text, |reader| {
        root = Some(of_json(reader, 0)?);
        Ok(())
    });
    root.filter(|_| read.is_ok())
}

fn of_json(reader: &mut Reader<'_>, depth: usize) -> Result<Node, Fault> {
    let mut what = What::Other;
    let raw = match reader.kind() {
        Kind::Object if depth < DEEPEST => reader.value_with(|reader| {
            let mut members = Vec::new();
            reader.entries(|key, reader| {
                let name = key.as_str().unwrap_or_default().into_owned();
                members.push((name, key.range().start, of_json(reader, depth + 1)?));
                Ok(())
            })?;
            what = What::Members(members);
            Ok(())
        })?,
        Kind::Array if depth < DEEPEST => reader.value_with(|reader| {
            let mut items = Vec::new();
            reader.items(|_, reader| {
                items.push(of_json(reader, depth + 1)?);
                Ok(())
            })?;
            what = What::Items(items);
            Ok(())
        })?,
        _ => {
            let raw = reader.value()?;
            if let Some(text) = raw.as_str() {
                what = What::Text(text.into_owned());
            }
            raw
        }
    };
    Ok(Node {
        at: raw.range().start,
        what,
    })
}

/// A value of YAML with the places of what it holds.
#[derive(Debug)]
enum Tree {
    Members(Vec<(Spanned<String>, Spanned<Tree>)>),
    Items(Vec<Spanned<Tree>>),
    Text(String),
    Other,
}

fn of_yaml(spanned: Spanned<Tree>) -> Node {
    Node {
        at: at(&spanned),
        what: match spanned.value {
            Tree::Members(all) => {
                let members = all.into_iter().map(|(name, value)| {
                    let name_at = at(&name);
                    (name.value, name_at, of_yaml(value))
                });
                What::Members(members.collect())
            }
            Tree::Items(all) => What::Items(all.into_iter().map(of_yaml).collect()),
            Tree::Text(text) => What::Text(text),
            Tree::Other => What::Other,
        },
    }
}

fn at<T>(spanned: &Spanned<T>) -> usize {
    let offset = spanned.defined.span().byte_offset();
    offset
        .and_then(|it| usize::try_from(it).ok())
        .unwrap_or_default()
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Tree::Items(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = members.next_key()? {
            all.push((name, members.next_value()?));
        }
        Ok(Tree::Members(all))
    }
}
