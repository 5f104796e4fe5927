//! What validating found, for people, for programs and for GitHub's workflows.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use transformations::{Diagnostic, Severity};

use crate::find::locate::Position;
use crate::paint::{self, BOLD, painted};

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// How many configurations were found; a file of profiles is one.
    pub(super) configurations: usize,
    pub(super) problems: Vec<Problem>,
    /// Files of folders that could not be read as what their names say.
    pub(super) unread: Vec<String>,
}

/// One problem of one configuration.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) file: String,
    /// Where the configuration stands in the file; empty if it is the file.
    pub(super) place: String,
    /// Where in the file it stands.
    pub(super) position: Option<Position>,
    pub(super) diagnostic: Diagnostic,
}

impl Problem {
    /// The configuration that it is about.
    fn about(&self) -> String {
        let mut about = self.file.clone();
        if !self.place.is_empty() {
            about.push_str(&format!(": {}", self.place));
        }
        about
    }

    /// The file, the line and the column, as editors follow them.
    fn link(&self) -> Option<String> {
        let Position { line, column } = self.position?;
        Some(format!("{}:{line}:{column}", self.file))
    }
}

impl Report {
    pub(super) fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    pub(super) fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        let problems = self.problems.iter();
        problems
            .filter(|it| it.diagnostic.severity() == severity)
            .count()
    }

    /// For people: each configuration with its problems, and one line that sums up.
    pub(super) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut last = String::new();
        for problem in &self.problems {
            let about = problem.about();
            if about != last {
                writeln!(out, "{}", painted(BOLD, &about))?;
                last = about;
            }
            paint::diagnostic_at(out, &problem.diagnostic, problem.link().as_deref())?;
        }
        let (errors, warnings) = (self.errors(), self.warnings());
        let style = match (errors, warnings) {
            (0, 0) => BOLD,
            (0, _) => paint::YELLOW,
            _ => paint::RED,
        };
        let mut sum = format!(
            "{}: {}, {}",
            counted(self.configurations, "configuration"),
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        if let Some(unread) = self.unread() {
            sum.push_str(&format!("; {unread}"));
        }
        writeln!(out, "{}", painted(style, sum))
    }

    /// How many files were passed over, if some were.
    fn unread(&self) -> Option<String> {
        let count = self.unread.len();
        let files = || counted(count, "file");
        (count > 0).then(|| format!("{} could not be read as JSON or YAML", files()))
    }

    /// For programs: one object.
    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let report = json!({
            "configurations": self.configurations,
            "errors": self.errors(),
            "warnings": self.warnings(),
            "problems": self.problems.iter().map(as_json).collect::<Vec<_>>(),
            "unread": self.unread,
        });
        writeln!(out, "{report:#}")
    }

    /// For GitHub Actions: a workflow command for each problem.
    pub(super) fn github(&self, out: &mut dyn Write) -> io::Result<()> {
        for problem in &self.problems {
            let found = &problem.diagnostic;
            let mut message = String::new();
            for part in [&problem.place, found.path()] {
                if !part.is_empty() {
                    message.push_str(&format!("{part}: "));
                }
            }
            message.push_str(found.message());
            let help = found.help().map(|it| format!("help: {it}"));
            for part in [found.excerpt(), help].into_iter().flatten() {
                message.push_str(&format!("\n{part}"));
            }
            let line = problem.position.map_or(String::new(), |at| {
                format!(",line={},col={}", at.line, at.column)
            });
            writeln!(
                out,
                "::{} file={}{line},title={}::{}",
                found.severity(),
                property(&problem.file),
                found.code(),
                escaped(&message)
            )?;
        }
        if let Some(unread) = self.unread() {
            let files = self.unread.join(", ");
            writeln!(out, "::notice::{}", escaped(&format!("{unread}: {files}")))?;
        }
        Ok(())
    }
}

fn as_json(problem: &Problem) -> Value {
    let mut fields = Map::new();
    if !problem.file.is_empty() {
        fields.insert("file".to_owned(), problem.file.as_str().into());
    }
    if let Some(Position { line, column }) = problem.position {
        fields.insert("line".to_owned(), line.into());
        fields.insert("column".to_owned(), column.into());
    }
    if !problem.place.is_empty() {
        fields.insert("configuration".to_owned(), problem.place.as_str().into());
    }
    fields.extend(of_diagnostic(&problem.diagnostic));
    Value::Object(fields)
}

/// What is known of a problem by itself.
pub(crate) fn of_diagnostic(found: &Diagnostic) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
    put("severity", text(&found.severity().to_string()));
    put("code", text(&found.code().to_string()));
    put("path", text(found.path()));
    put("message", text(found.message()));
    put("excerpt", found.excerpt().map(Value::from));
    put("help", found.help().map(Value::from));
    fields
}

/// The text of a workflow command.
fn escaped(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D");
    text.replace('\n', "%0A")
}

/// A value among the properties of a workflow command.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
