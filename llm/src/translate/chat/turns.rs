//! Turns that alternate, as every target but OpenAI wants them: neighbours of one role are one turn, and a
//! turn that says nothing, which they refuse, is none.

use crate::translate::json::Json;

/// The turns so far, as JSON without brackets around them.
#[derive(Debug)]
pub(in crate::translate) struct Turns {
    json: Json,
    /// The member that holds what is said.
    said: &'static str,
    /// Whose turn it is.
    open: Option<&'static str>,
}

impl Turns {
    pub(in crate::translate) fn new(said: &'static str) -> Turns {
        Turns {
            json: Json::default(),
            said,
            open: None,
        }
    }

    /// Appends what a role says.
    pub(in crate::translate) fn append(&mut self, role: &'static str, said: &str) {
        if said.is_empty() {
            return;
        }
        if self.open != Some(role) {
            self.close();
            self.json.open_object();
            self.json.member_string("role", role);
            self.json.key(self.said);
            self.json.open_array();
            self.open = Some(role);
        }
        self.json.raw(said);
    }

    /// Ends the turn that is open.
    pub(in crate::translate) fn close(&mut self) {
        if self.open.take().is_some() {
            self.json.close_array();
            self.json.close_object();
        }
    }

    /// All turns; the last one must be closed.
    pub(in crate::translate) fn text(&self) -> &str {
        self.json.text()
    }
}
