//! Answers a request in place of the upstream, as `reply` says.
//!
//! Decided with the headers, unless something of it reads the body.

use super::commands::Captured;
use super::render::Render;
use crate::error::{Failure, FieldId, TransformErrorKind};
use crate::http;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{Action, DirectionProgram, Program, ReplyRule};

/// An answer to be sent in place of one from the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// From 200 to 599.
    pub status: u16,
    /// Lines, in order; names are lower case.
    pub headers: Vec<(String, String)>,
    /// The body, which may be empty.
    pub body: String,
    /// Where the reply stands in the configuration.
    pub field: FieldId,
}

impl Reply {
    /// What response code details begin with.
    pub const DETAILS: &'static str = "rustformation_reply";
}

/// The reply to a request of which only the headers are there; `None` if it goes upstream.
pub(super) fn decide<O: TransformationOps + ?Sized>(
    program: &Program,
    compiled: &DirectionProgram,
    rule: &ReplyRule,
    captured: Captured<'_>,
    ops: &mut O,
    text: &mut String,
) -> Result<(Option<Reply>, Vec<Failure>), Failure> {
    let mut render = Render::of_headers(program, compiled, captured, ops);
    let reply = render.reply(rule, text)?;
    Ok((reply, render.failures))
}

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// The reply, if it is to be sent. What it was to keep out must not come in where it cannot be
    /// decided or made: only a header of it is left out by `auto`. `text` is used and left as it was.
    pub(super) fn reply(
        &mut self,
        rule: &ReplyRule,
        text: &mut String,
    ) -> Result<Option<Reply>, Failure> {
        let start = text.len();
        let reply = self.parts_of_reply(rule, text);
        text.truncate(start);
        reply
    }

    fn parts_of_reply(
        &mut self,
        rule: &ReplyRule,
        text: &mut String,
    ) -> Result<Option<Reply>, Failure> {
        if let Some(when) = &rule.when {
            match self.templates.holds(&when.test, text) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(cause) => {
                    self.failed(cause, when.field, Place::Body)?;
                    return Ok(None);
                }
            }
        }
        let start = text.len();
        let rendered = self
            .templates
            .render(&rule.status.template, Place::Value, text);
        let status = rendered.and_then(|()| {
            let status = http::reply_status(text.get(start..).unwrap_or_default());
            Ok(status.ok_or(TransformErrorKind::InvalidHeaderValue)?)
        });
        let status = match status {
            Ok(status) => status,
            Err(cause) => {
                self.failed(cause, rule.status.field, Place::Body)?;
                return Ok(None);
            }
        };
        let headers = self.headers_of_reply(rule, text)?;
        let mut body = String::new();
        if let Some(value) = &rule.body {
            let rendered = self
                .templates
                .render(&value.template, Place::Value, &mut body);
            if let Err(cause) = rendered {
                self.failed(cause, value.field, Place::Body)?;
                body.clear();
            }
        }
        Ok(Some(Reply {
            status,
            headers,
            body,
            field: rule.field,
        }))
    }

    fn headers_of_reply(
        &mut self,
        rule: &ReplyRule,
        text: &mut String,
    ) -> Result<Vec<(String, String)>, Failure> {
        let mut headers = Vec::with_capacity(rule.headers.len());
        for header in &rule.headers {
            let Action::Add { name } = &header.action else {
                continue;
            };
            if let Some(when) = &header.when
                && !self.applies(when, text)?
            {
                continue;
            }
            let start = text.len();
            let template = &header.value.template;
            if let Err(cause) = self.templates.render(template, Place::Value, text) {
                self.failed(cause, header.value.field, Place::Value)?;
                continue;
            }
            let value = http::clean(text.get(start..).unwrap_or_default());
            if !value.is_empty() {
                headers.push((name.to_string(), value.into_owned()));
            }
        }
        Ok(headers)
    }
}
