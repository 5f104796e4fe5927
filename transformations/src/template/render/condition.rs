//! Decides conditions with what templates see.

use super::{Renderer, View};
use crate::direction::Direction;
use crate::error::{Cause, FieldId};
use crate::http;
use crate::template::Test;

impl<V: View> Renderer<'_, V> {
    /// Whether the condition of a field holds for the message as it came. `text` is used and left as it was.
    ///
    /// # Errors
    /// Why it cannot be decided.
    pub(crate) fn holds(
        &mut self,
        field: FieldId,
        test: &Test,
        text: &mut String,
    ) -> Result<bool, Cause> {
        let result = self.decided(test, text);
        if let Some(observer) = self.view.observer() {
            observer.asked(field, &result, std::mem::take(&mut self.fuel));
        }
        result
    }

    fn decided(&mut self, test: &Test, text: &mut String) -> Result<bool, Cause> {
        self.missed = false;
        let start = text.len();
        let result = self.test(test, text);
        text.truncate(start);
        let missed = std::mem::take(&mut self.missed);
        self.told_of_absence(result, missed)
    }

    fn test(&mut self, test: &Test, text: &mut String) -> Result<bool, Cause> {
        let start = text.len();
        Ok(match test {
            Test::Always(answer) => *answer,
            Test::Header {
                direction,
                name,
                part,
                is,
            } => {
                self.view.header(*direction, name, text);
                is.holds(part.of(text.get(start..).unwrap_or_default()))
            }
            Test::Status(least, most) => {
                self.view.header(Direction::Response, ":status", text);
                let status = text.get(start..).unwrap_or_default();
                let status = http::status(status.as_bytes());
                status.is_some_and(|status| (*least..=*most).contains(&status))
            }
            Test::Not(test) => !self.test(test, text)?,
            Test::Both(left, right) => self.test(left, text)? && self.test(right, text)?,
            Test::Either(left, right) => self.test(left, text)? || self.test(right, text)?,
            Test::Template(template) => {
                self.template(template, text)?;
                text.len() > start
            }
        })
    }
}
