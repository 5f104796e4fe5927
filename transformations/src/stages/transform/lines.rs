//! Renders the lines of a header that is edited, each from itself alone.

use std::sync::Arc;

use super::super::edits::Line;
use super::Render;
use crate::error::{Cause, Failure, TransformErrorKind};
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::Rule;

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// The new lines of a header; none if they are as they came. A line that is not UTF-8, or whose
    /// template fails, stays as it came.
    pub(super) fn lines(
        &mut self,
        rule: &Rule,
        name: &str,
        check: impl Fn(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<Option<Vec<Line>>, Failure> {
        let mut came: Vec<Vec<u8>> = Vec::new();
        let host = &self.templates.view.host;
        host.for_each_value(name, &mut |line| came.push(line.to_vec()));
        let mut lines = Vec::with_capacity(came.len());
        let mut is_changed = false;
        for line in came {
            let Ok(text) = str::from_utf8(&line) else {
                lines.push(Line::Kept(line));
                continue;
            };
            let start = self.edits.text.len();
            let rendered = self
                .line(rule, text)
                .and_then(|()| Ok(check(&mut self.edits.text, start)?));
            let made = &mut self.edits.text;
            match rendered {
                Ok(()) => {
                    is_changed |= made.get(start..) != Some(text);
                    lines.push(Line::Made(start..made.len()));
                }
                Err(cause) => {
                    made.truncate(start);
                    self.failed(cause, rule.value.field, Place::Value)?;
                    lines.push(Line::Kept(line));
                }
            }
        }
        Ok(is_changed.then_some(lines))
    }

    fn line(&mut self, rule: &Rule, line: &str) -> Result<(), Cause> {
        self.templates.line = Some(Arc::from(line));
        let out = &mut self.edits.text;
        let result =
            self.templates
                .render(rule.value.field, &rule.value.template, Place::Value, out);
        self.templates.line = None;
        result
    }
}
