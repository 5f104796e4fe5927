//! JSON Merge Patch (RFC 7386) as edits of bytes.
//!
//! Called on worker threads. Like the operations of a JSON Patch, it opens only what it changes. Both
//! documents are from the message, so that the cost is linear in both.

use std::borrow::Cow;

use crate::json::document::Document;
use crate::json::node::{Kind, Node};
use crate::json::splice::{Closed, Edited, Members, Piece, Slice, Tree, close, open};
use crate::json::string;

/// The document with a merge patch applied: objects are merged, null removes a member, everything else
/// replaces. Each object that is merged into holds each of its keys once afterwards.
///
/// None if the patch nests deeper than [`MAX_DEPTH`](crate::json::MAX_DEPTH).
pub fn merge<'a>(document: &'a Document, patch: &'a Document) -> Option<Edited<'a>> {
    let mut root = open(document);
    put_or_merge(&mut root, &patch.root(), patch.text())?;
    Some(close(document, &root))
}

fn put_or_merge<'a>(target: &mut Tree<'a>, patch: &Node, text: &'a str) -> Option<()> {
    match target.open_object() {
        Some(members) if patch.kind() == Kind::Object => merge_into(members, patch, text),
        _ => {
            *target = new(patch, text)?;
            Some(())
        }
    }
}

/// `text` is what `patch` is from.
fn merge_into<'a>(members: &mut Members<'a>, patch: &Node, text: &'a str) -> Option<()> {
    if patch.is_too_deep() {
        return None;
    }
    members.settle();
    for (key, wanted) in patch.entries() {
        if wanted.is_null() {
            members.remove(&key);
            continue;
        }
        match members.child(&key) {
            Some(present) => put_or_merge(present, &wanted, text)?,
            None => members.put(Cow::Owned(key.into_owned()), new(&wanted, text)?),
        }
    }
    Some(())
}

/// What a merge patch puts where nothing is: itself, but objects lose their null members. Arrays and
/// what is in them stay as they are.
fn new<'a>(patch: &Node, text: &'a str) -> Option<Tree<'a>> {
    if patch.kind() != Kind::Object {
        let span = patch.span();
        return Some(Closed::value(
            Slice::whole(text).cut(span.start(), span.end()),
        ));
    }
    let mut made = String::new();
    without_nulls(&mut made, patch)?;
    Some(Tree::Made(vec![Piece::Owned(made)]))
}

fn without_nulls(out: &mut String, patch: &Node) -> Option<()> {
    if patch.kind() != Kind::Object {
        out.push_str(patch.raw());
        return Some(());
    }
    if patch.is_too_deep() {
        return None;
    }
    out.push('{');
    let mut is_first = true;
    for (key, value) in patch.entries().filter(|(_, value)| !value.is_null()) {
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        out.push_str(&string::quote(&key));
        out.push(':');
        without_nulls(out, &value)?;
    }
    out.push('}');
    Some(())
}
