//! Writes operators as expressions of the template language.
//!
//! The template that is compiled has, in place of each operator, a call with the operator's number.
//! So operators work wherever literal text does (in conditions, loops, macros), and a value made
//! only of literals, operators and plain reads stays on the fast path. The function that is called
//! has a name that the template itself does not contain. Done by the compiler on the main thread.

use std::fmt::Write;
use std::ops::Range;

use super::Command;

/// What takes the place of a piece of literal text.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// A percent sign.
    Percent,
    /// The value of an operator.
    Command(Command),
}

/// A template whose operators are calls.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// The name of the function that is called.
    pub(crate) function: String,
    /// The number of the first operator.
    pub(crate) first: usize,
    /// The operators in the order of their numbers.
    pub(crate) commands: Vec<Command>,
}

impl Rewritten {
    /// The operator of this number.
    pub(crate) fn command(&self, number: usize) -> Option<&Command> {
        self.commands.get(number.checked_sub(self.first)?)
    }
}

/// Makes the edits, which do not overlap. Operators are numbered from `first` on.
pub(crate) fn rewrite(
    source: &str,
    mut edits: Vec<(Range<usize>, Edit)>,
    first: usize,
) -> Rewritten {
    let mut function = String::from("command");
    while source.contains(&function) {
        function.push('_');
    }
    edits.sort_by_key(|(place, _)| place.start);
    let mut rewritten = Rewritten {
        text: String::with_capacity(source.len()),
        function,
        first,
        commands: Vec::new(),
    };
    let mut at = 0;
    for (place, edit) in edits {
        let before = source.get(at..place.start).unwrap_or_default();
        rewritten.text.push_str(before);
        match edit {
            Edit::Percent => rewritten.text.push_str("{{ '%' }}"),
            Edit::Command(command) => {
                let number = first + rewritten.commands.len();
                // Writing to a string cannot fail.
                let _ = write!(rewritten.text, "{{{{ {}({number}) }}}}", rewritten.function);
                rewritten.commands.push(command);
            }
        }
        at = place.end;
    }
    rewritten
        .text
        .push_str(source.get(at..).unwrap_or_default());
    rewritten
}

/// Whether literal text with this source before it is the content of `{% raw %}`, which is sent as
/// it stands.
pub(crate) fn is_raw(before: &str) -> bool {
    let tag = before
        .trim_end()
        .strip_suffix("%}")
        .and_then(|tag| tag.rsplit_once("{%"));
    let is_mark = |c: char| c == '-' || c == '+' || c.is_whitespace();
    tag.is_some_and(|(_, tag)| tag.trim_matches(is_mark) == "raw")
}
