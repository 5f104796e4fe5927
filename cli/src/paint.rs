//! Colours: which there are, and a diagnostic in them. Whether they arrive is decided where they are written.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use transformations::{Diagnostic, Severity};

/// Of errors.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// Of what is new.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// Of warnings.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// Of what would be right.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();
/// Of places.
pub(crate) const BOLD: Style = Style::new().bold();

/// Something in a colour.
pub(crate) fn painted(style: Style, what: impl Display) -> impl Display {
    format!("{style}{what}{style:#}")
}

/// The colour of a severity.
pub(crate) fn of_severity(severity: Severity) -> Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
    }
}

/// A diagnostic as Envoy's log has it.
pub(crate) fn diagnostic(out: &mut dyn Write, problem: &Diagnostic) -> io::Result<()> {
    diagnostic_at(out, problem, None)
}

/// The same with where it stands in which file.
pub(crate) fn diagnostic_at(
    out: &mut dyn Write,
    problem: &Diagnostic,
    place: Option<&str>,
) -> io::Result<()> {
    let style = of_severity(problem.severity());
    let label = format!("{}[{}]", problem.severity(), problem.code());
    write!(out, "{} ", painted(style, label))?;
    if !problem.path().is_empty() {
        write!(out, "{}: ", painted(BOLD, problem.path()))?;
    }
    writeln!(out, "{}", problem.message())?;
    if let Some(place) = place {
        writeln!(out, "{} {place}", painted(CYAN, " -->"))?;
    }
    if let Some(excerpt) = problem.excerpt() {
        // The second line holds nothing but the caret.
        let (line, caret) = excerpt.rsplit_once('\n').unwrap_or((&excerpt, ""));
        writeln!(out, "{line}\n{}", painted(style, caret))?;
    }
    if let Some(help) = problem.help() {
        writeln!(out, "{} {help}", painted(CYAN, "help:"))?;
    }
    Ok(())
}
