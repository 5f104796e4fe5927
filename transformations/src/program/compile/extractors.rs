//! Compiles `extractors`.

use super::Compiler;
use crate::codes::Code;
use crate::config::{Extractor, Transform};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;

impl Compiler<'_> {
    /// The extractors of all transforms of a direction, which share their names.
    pub(super) fn extractors(&mut self, transforms: &[Transform], direction: Direction) {
        let mut known: Vec<&Extractor> = Vec::new();
        for extractor in transforms.iter().flat_map(|it| &it.extractors) {
            let other = known.iter().find(|known| known.name == extractor.name);
            if other.is_some_and(|other| !other.finds_the_same(extractor)) {
                let message = "another transform of this direction has an extractor of this name";
                let problem = Diagnostic::error(Code::BAD_EXTRACTOR, &extractor.path, message);
                self.found
                    .push(problem.with_help("give one of them another name"));
            }
            known.push(extractor);
        }
        for transform in transforms {
            self.extractors
                .compile(direction, &transform.extractors, self.found);
        }
    }
}
