//! Problems found in a configuration, as text for the person who wrote it.
//!
//! Built while a configuration is compiled, on Envoy's main thread, or by tools that look for configurations in
//! files, and printed by the filter or the tool. A diagnostic says what was wrong, where, and what would be right. It shows
//! a piece of the one template it is about, and nothing of any other field: configurations may
//! hold secrets.

use std::fmt;

use crate::codes::Code;

mod excerpt;
mod mask;
mod nearest;

pub(crate) use excerpt::Excerpt;
pub(crate) use nearest::nearest;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Loads, but is unlikely to do what was meant.
    Warning,
    /// The configuration is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// One problem: code, place, sentence, excerpt and help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    code: Code,
    severity: Severity,
    path: String,
    message: String,
    excerpt: Option<Excerpt>,
    help: Option<String>,
}

impl Diagnostic {
    /// An error at a JSON path of the configuration; an empty path means the whole of it.
    pub fn error(code: Code, path: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            path: path.to_owned(),
            message: message.into(),
            excerpt: None,
            help: None,
        }
    }

    /// The same with another severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Diagnostic {
        self.severity = severity;
        self
    }

    /// The same, with what would be right.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same at another path.
    pub(crate) fn at(mut self, path: String) -> Diagnostic {
        self.path = path;
        self
    }

    /// The same inside a file, which its path names first.
    pub(crate) fn inside(self, file: &str) -> Diagnostic {
        let path = match self.path.is_empty() {
            true => file.to_owned(),
            false => format!("{file}: {}", self.path),
        };
        self.at(path)
    }

    pub(crate) fn with_excerpt(mut self, excerpt: Excerpt) -> Diagnostic {
        self.excerpt = Some(excerpt);
        self
    }

    /// The stable number of this kind of problem.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether this problem refuses the configuration.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The JSON path of the field, such as `response.set[0].value`; empty for the whole text.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line of the template that it is about, with a caret under the mistake; what may be a secret is
    /// hidden.
    pub fn excerpt(&self) -> Option<String> {
        self.excerpt.as_ref().map(ToString::to_string)
    }

    /// What would be right, if that is known.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] ", self.severity, self.code)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{excerpt}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

/// All problems of a refused configuration, errors and lesser ones, in the order of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Wraps what a compilation found.
    pub(crate) fn new(found: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics(found)
    }

    /// The problems, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, which never holds for a refused configuration.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
