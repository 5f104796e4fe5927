//! Inja's templates in the language of this module.
//!
//! Text and the marks around it stay; what stands between the marks is read as words, and only those are
//! changed that are spelled in another way here.

use super::notes::Notes;
use crate::find::path::Path;

mod words;

use words::Rewriter;

/// A template that was moved.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) text: String,
    /// It reads JSON of the body.
    pub(super) reads_json: bool,
}

/// Moves a template that stands at `path`, unless something of it cannot be. With `pointers` names are separated
/// by slashes.
pub(super) fn moved(
    text: &str,
    pointers: bool,
    path: &Path,
    notes: &mut Notes,
) -> Option<Template> {
    told(text, Rewriter::new(pointers, false), path, notes)
}

/// Moves a template of the Rust engine of 2.0 and 2.1, in which the third argument of `substring` is an end.
pub(super) fn of_first_engine(text: &str, path: &Path, notes: &mut Notes) -> Option<Template> {
    told(text, Rewriter::new(false, true), path, notes)
}

fn told(
    original: &str,
    mut rewriter: Rewriter,
    path: &Path,
    notes: &mut Notes,
) -> Option<Template> {
    let text = rewritten(original, &mut rewriter);
    if rewriter.is_jinja {
        let message = "filters (\"|\") and tests (\"is\") are Jinja's and not Inja's: the template is kept as it is";
        notes.lost(path, message, "what is Jinja's already needs no move");
        return Some(Template {
            text: original.to_owned(),
            reads_json: false,
        });
    }
    let is_moved = rewriter.lost.is_empty();
    for (message, help) in rewriter.lost {
        notes.lost(path, format!("{message}: the template is left out"), help);
    }
    is_moved.then_some(Template {
        text,
        reads_json: rewriter.reads_json,
    })
}

fn rewritten(text: &str, rewriter: &mut Rewriter) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut is_line_start = true;
    while !rest.is_empty() {
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        if is_line_start && let Some(statement) = line_statement(line) {
            // Its line goes with it.
            out.push_str(&format!("{{% {} %}}", rewriter.statement(statement)));
            rest = rest.get(line.len()..).unwrap_or_default();
            continue;
        }
        let mark = next_mark(rest).filter(|(at, _)| *at < line.len());
        let Some((at, close)) = mark else {
            out.push_str(line);
            rest = rest.get(line.len()..).unwrap_or_default();
            is_line_start = true;
            continue;
        };
        let (before, marked) = rest.split_at(at);
        out.push_str(before);
        let (open, inner) = marked.split_at(2);
        let Some(end) = end_of(inner, close) else {
            out.push_str(marked);
            break;
        };
        let inside = inner.get(..end).unwrap_or_default();
        out.push_str(open);
        match open {
            "{{" => out.push_str(&rewriter.expression(inside)),
            "{%" => {
                // Marks that trim blanks stay where they are.
                let trimmed = inside.strip_prefix(['-', '+']).unwrap_or(inside);
                let first = inside.len() - trimmed.len();
                let body = trimmed.strip_suffix('-').unwrap_or(trimmed);
                out.push_str(inside.get(..first).unwrap_or_default());
                out.push_str(&format!(" {} ", rewriter.statement(body.trim())));
                out.push_str(trimmed.get(body.len()..).unwrap_or_default());
            }
            _ => out.push_str(inside),
        }
        out.push_str(close);
        rest = inner.get(end + 2..).unwrap_or_default();
        is_line_start = false;
    }
    out
}

/// The statement of a line that is one: `## for x in list`.
fn line_statement(line: &str) -> Option<&str> {
    let statement = line.trim().strip_prefix("##")?;
    (!statement.starts_with('#')).then(|| statement.trim())
}

/// The first mark, and the one that closes it.
fn next_mark(text: &str) -> Option<(usize, &'static str)> {
    let marks = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
    let found = marks
        .iter()
        .filter_map(|(open, close)| Some((text.find(open)?, *close)));
    found.min_by_key(|(at, _)| *at)
}

/// Where a mark is closed: not in a string, unless it is a comment.
fn end_of(text: &str, close: &str) -> Option<usize> {
    if close == "#}" {
        return text.find(close);
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None if text.get(at..).is_some_and(|rest| rest.starts_with(close)) => return Some(at),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
