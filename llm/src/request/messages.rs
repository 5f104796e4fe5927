//! Messages of any dialect: who speaks, and which texts are said.
//!
//! Read on the worker thread of a request, from what a dialect finds in its own members.

use formats::json::{Fault, Kind, Raw, Reader};

use super::{Request, Turn};
use crate::place::Place;
use crate::text::{Depth, Leaves, Role, Text, TextKind};

impl Request {
    /// Reads the messages in `reader`, each with `message`, which gives its role and its content.
    pub(super) fn messages(
        &mut self,
        reader: &mut Reader<'_>,
        message: fn(&mut Request, &mut Reader<'_>) -> Result<Head, Fault>,
    ) -> Result<(), Fault> {
        let messages = reader.value_with(|reader| match reader.kind() {
            Kind::Array => reader.items(|_, reader| self.turn(reader, message)),
            Kind::Object => self.turn(reader, message),
            _ => self.leaves(Depth::TOP, TextKind::Text, reader),
        })?;
        self.messages = Some(messages.into());
        Ok(())
    }

    fn turn(
        &mut self,
        reader: &mut Reader<'_>,
        message: fn(&mut Request, &mut Reader<'_>) -> Result<Head, Fault>,
    ) -> Result<(), Fault> {
        let first = self.texts.len();
        let mut head = Head::default();
        let whole = reader.value_with(|reader| {
            match reader.kind() {
                Kind::Object => head = message(self, reader)?,
                _ => self.leaves(Depth::TOP, TextKind::Text, reader)?,
            }
            Ok(())
        })?;
        let role = head.role.unwrap_or(Role::User);
        let index = self.turns.len();
        self.speak(first, role, Some(index));
        self.turns.push(Turn {
            role,
            place: whole.into(),
            content: head.content,
        });
        Ok(())
    }

    /// Says who spoke the texts from `first` on: the role may come behind what is said.
    pub(super) fn speak(&mut self, first: usize, role: Role, message: Option<usize>) {
        for text in self.texts.iter_mut().skip(first) {
            text.message = message;
            text.role = match text.kind {
                TextKind::ToolResult => Role::Tool,
                _ => role,
            };
        }
    }

    /// Says what the texts from `first` on are: a member behind them may tell.
    pub(super) fn retell(&mut self, first: usize, kind: TextKind) {
        for text in self.texts.iter_mut().skip(first) {
            text.kind = kind;
        }
    }

    /// A string that is text.
    pub(super) fn text(&mut self, kind: TextKind, raw: Raw<'_>) {
        if raw.kind() == Kind::String {
            self.texts.push(Text {
                place: raw.into(),
                role: Role::User,
                kind,
                message: None,
            });
        }
    }

    /// A value of a shape that is not known.
    pub(super) fn leaves(
        &mut self,
        depth: Depth,
        kind: TextKind,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        self.collect(Leaves { keys: true }, depth, kind, reader)
    }

    /// A value whose keys are the client's own: arguments and results of tools.
    pub(super) fn values(
        &mut self,
        depth: Depth,
        kind: TextKind,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        self.collect(Leaves { keys: false }, depth, kind, reader)
    }

    fn collect(
        &mut self,
        leaves: Leaves,
        depth: Depth,
        kind: TextKind,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        let all = leaves.read(depth, reader, &mut |raw| self.text(kind, raw))?;
        self.is_too_deep |= !all;
        Ok(())
    }

    /// A string, or parts that are read with `part`.
    pub(super) fn content(
        &mut self,
        depth: Depth,
        kind: TextKind,
        reader: &mut Reader<'_>,
        part: fn(&mut Request, Depth, TextKind, &mut Reader<'_>) -> Result<(), Fault>,
    ) -> Result<Place, Fault> {
        let content = reader.value_with(|reader| match (reader.kind(), depth.below()) {
            (Kind::String, _) => {
                let raw = reader.value()?;
                self.text(kind, raw);
                Ok(())
            }
            (Kind::Array, Some(depth)) => reader.items(|_, reader| match reader.kind() {
                Kind::Object => part(self, depth, kind, reader),
                _ => self.leaves(depth, kind, reader),
            }),
            (Kind::Object, Some(depth)) => part(self, depth, kind, reader),
            (Kind::Array | Kind::Object, None) => {
                self.is_too_deep = true;
                Ok(())
            }
            _ => Ok(()),
        })?;
        Ok(content.into())
    }
}

/// What a message says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) role: Option<Role>,
    pub(super) content: Option<Place>,
}

impl Head {
    /// Notes who speaks; that somebody else does too is for `request` to tell.
    pub(super) fn role(&mut self, request: &mut Request, key: Raw<'_>, role: Role) {
        if self.role.replace(role).is_some() {
            request.repeated = Some(key.into());
        }
    }

    pub(super) fn content(&mut self, request: &mut Request, key: Raw<'_>, content: Place) {
        if self.content.replace(content).is_some() {
            request.repeated = Some(key.into());
        }
    }
}
