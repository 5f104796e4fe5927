//! What cannot be moved, each with where it stands.

use transformations::{Code, Diagnostic};

use crate::find::locate::{Around, Spot};
use crate::find::path::Path;

/// All of it, in the order in which it was met.
#[derive(Debug, Default)]
pub(super) struct Notes {
    document: usize,
    /// The string of the document that paths lead on from.
    string: Option<Path>,
    all: Vec<(Spot, Diagnostic)>,
}

impl Notes {
    /// What comes is about the document of this number.
    pub(super) fn in_document(&mut self, number: usize) {
        self.document = number;
    }

    /// What comes is about the text of a string of it, or again about the document.
    pub(super) fn in_string(&mut self, path: Option<Path>) {
        self.string = path;
    }

    /// Where something stands.
    pub(super) fn spot(&self, path: &Path) -> Spot {
        let spot = Spot::of(path.clone());
        let spot = match &self.string {
            None => spot,
            Some(string) => spot.within(Around::String {
                document: 0,
                path: string.clone(),
            }),
        };
        spot.in_document(self.document)
    }

    /// Something has no counterpart here, and is left out.
    pub(super) fn lost(&mut self, path: &Path, what: impl Into<String>, help: &str) {
        let mut problem = Diagnostic::error(Code::NOT_MOVED, "", what);
        if !help.is_empty() {
            problem = problem.with_help(help);
        }
        let spot = self.spot(path);
        self.all.push((spot, problem));
    }

    /// There is nothing to move.
    pub(super) fn nothing(&mut self) {
        let message = "there is nothing of another engine here";
        let help = "it is looked for in TrafficPolicies (spec.transformation), in transformationTemplate of the \
                    classic filter, and in request_headers_setter of kgateway 2.0 and 2.1";
        let problem = Diagnostic::error(Code::NOTHING_FOUND, "", message).with_help(help);
        self.all.push((Spot::default(), problem));
    }

    /// What the module says of what was moved.
    pub(super) fn of(&mut self, spot: &Spot, problem: Diagnostic) {
        self.all.push((spot.clone(), problem));
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Spot, &Diagnostic)> {
        self.all.iter().map(|(spot, problem)| (spot, problem))
    }
}
