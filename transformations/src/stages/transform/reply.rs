//! Answers a request in place of the upstream, as `reply` says.
//!
//! Decided with the headers, unless something of it reads the body.

use super::super::BodyAccess;
use super::super::commands::Captured;
use super::super::edits::Edits;
use super::super::view::MessageView;
use super::Render;
use crate::error::{Failure, FieldId, TransformErrorKind};
use crate::http;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{Action, DirectionProgram, Program, ReplyRule, TemplateField};

/// An answer to be sent in place of one from the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnReply {
    /// From 200 to 599.
    pub(crate) status: u16,
    /// Lines, in order; names are lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, which may be empty, and is if the status allows none.
    pub(crate) body: String,
    /// Where the reply stands in the configuration.
    pub(crate) field: FieldId,
}

/// The reply to a request of which only the headers are there; `None` if it goes upstream.
///
/// # Errors
/// What failed, if `onError` does not leave it out.
pub(crate) fn decide<O: TransformationOps + ?Sized>(
    program: &Program,
    compiled: &DirectionProgram,
    rule: &ReplyRule,
    captured: Captured<'_>,
    ops: &mut O,
) -> Result<(Option<OwnReply>, Vec<Failure>), Failure> {
    let view = MessageView::new(compiled, captured, ops, BodyAccess::HeadersOnly);
    let mut edits = Edits::take();
    let mut failures = Vec::new();
    let reply = Render::new(program, compiled, view, &mut edits, &mut failures).reply(rule);
    edits.give_back();
    Ok((reply?, failures))
}

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// The reply, if it is to be sent. What it was to keep out must not come in where it cannot be
    /// decided or made: only a header of it is left out by `auto`.
    pub(super) fn reply(&mut self, rule: &ReplyRule) -> Result<Option<OwnReply>, Failure> {
        let start = self.edits.text.len();
        let reply = self.parts_of_reply(rule);
        self.edits.text.truncate(start);
        reply
    }

    fn parts_of_reply(&mut self, rule: &ReplyRule) -> Result<Option<OwnReply>, Failure> {
        if let Some(when) = &rule.when {
            match self
                .templates
                .holds(when.field, &when.test, &mut self.edits.text)
            {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(cause) => {
                    self.failed(cause, when.field, Place::Body)?;
                    return Ok(None);
                }
            }
        }
        let text = &mut self.edits.text;
        let start = text.len();
        let TemplateField { template, field } = &rule.status;
        let rendered = self.templates.render(*field, template, Place::Value, text);
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
        let headers = self.headers_of_reply(rule)?;
        let mut body = String::new();
        // A body behind such a head would be taken for the next response.
        let value = rule.body.as_ref();
        if let Some(value) = value.filter(|_| !http::has_no_content(status)) {
            let rendered =
                self.templates
                    .render(value.field, &value.template, Place::Value, &mut body);
            if let Err(cause) = rendered {
                self.failed(cause, value.field, Place::Body)?;
                body.clear();
            }
        }
        Ok(Some(OwnReply {
            status,
            headers,
            body,
            field: rule.field,
        }))
    }

    fn headers_of_reply(&mut self, rule: &ReplyRule) -> Result<Vec<(String, String)>, Failure> {
        let mut headers = Vec::with_capacity(rule.headers.len());
        for header in &rule.headers {
            let Action::Add { name } = &header.action else {
                continue;
            };
            if let Some(when) = &header.when
                && !self.applies(when)?
            {
                continue;
            }
            let text = &mut self.edits.text;
            let start = text.len();
            let TemplateField { template, field } = &header.value;
            if let Err(cause) = self.templates.render(*field, template, Place::Value, text) {
                self.failed(cause, *field, Place::Value)?;
                continue;
            }
            let value = http::clean(self.edits.text.get(start..).unwrap_or_default());
            if !value.is_empty() {
                headers.push((name.to_string(), value.into_owned()));
            }
        }
        Ok(headers)
    }
}
