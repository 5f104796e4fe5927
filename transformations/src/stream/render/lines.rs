//! Renders the lines of a header that is edited, each from itself alone.

use std::sync::Arc;

use super::super::scratch::{Line, Rendered, Scratch};
use super::Render;
use crate::error::{Cause, Failure, TransformErrorKind};
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::Rule;

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// Leaves the new lines of a header in `scratch`, or that there is nothing to write. A line that is
    /// not UTF-8, or whose template fails, stays as it came.
    pub(super) fn lines(
        &mut self,
        rule: &Rule,
        name: &str,
        scratch: &mut Scratch,
        check: impl Fn(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<(), Failure> {
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
            let start = scratch.text.len();
            let rendered = self
                .line(rule, text, &mut scratch.text)
                .and_then(|()| Ok(check(&mut scratch.text, start)?));
            match rendered {
                Ok(()) => {
                    is_changed |= scratch.text.get(start..) != Some(text);
                    lines.push(Line::Made(start..scratch.text.len()));
                }
                Err(cause) => {
                    scratch.text.truncate(start);
                    self.failed(cause, rule.value.field, Place::Value)?;
                    lines.push(Line::Kept(line));
                }
            }
        }
        match is_changed {
            true => scratch.push_lines(lines),
            false => scratch.push(Rendered::Skipped),
        }
        Ok(())
    }

    fn line(&mut self, rule: &Rule, line: &str, out: &mut String) -> Result<(), Cause> {
        self.templates.line = Some(Arc::from(line));
        let result = self
            .templates
            .render(&rule.value.template, Place::Value, out);
        self.templates.line = None;
        result
    }
}
