//! The Dockerfile as instructions, the rules of ours that it has to keep, and what `.dockerignore` leaves out of
//! its context.
//!
//! Called by tests on their own thread. It reads only the syntax that our file uses: one instruction
//! for each line, continued by `\`, comments on lines of their own, no here-documents.

use std::path::Path;

/// One instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// `FROM`, `COPY`, ..., in capitals.
    pub name: String,
    /// The rest, on one line.
    pub rest: String,
}

impl Instruction {
    /// The words that are not `--option=value`.
    pub fn words(&self) -> Vec<&str> {
        self.rest
            .split_whitespace()
            .filter(|word| !word.starts_with("--"))
            .collect()
    }

    /// The value of `--name=value`.
    pub fn option(&self, name: &str) -> Option<&str> {
        let is = |word: &'_ str| word.starts_with("--") && word[2..].starts_with(name);
        let word = self.rest.split_whitespace().find(|word| is(word))?;
        word.split_once('=').map(|(_, value)| value)
    }
}

/// The instructions of a Dockerfile.
pub fn parse(text: &str) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut line = String::new();
    for next in text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        match next.trim_end().strip_suffix('\\') {
            Some(part) => line.push_str(part),
            None => {
                line.push_str(next);
                if let Some((name, rest)) = line.trim().split_once(char::is_whitespace) {
                    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
                    instructions.push(Instruction {
                        name: name.to_uppercase(),
                        rest,
                    });
                }
                line.clear();
            }
        }
    }
    instructions
}

/// What breaks a rule of our own, one sentence each: those that hadolint does not know.
pub fn problems(instructions: &[Instruction]) -> Vec<String> {
    let mut found = Vec::new();
    let mut user = "";
    for instruction in instructions {
        let run = &instruction.rest;
        match instruction.name.as_str() {
            "FROM" => user = "",
            "USER" => user = instruction.words().first().copied().unwrap_or_default(),
            "RUN" if run.contains("cargo build") && !run.contains("--locked") => {
                found.push("cargo may change the lock file".to_owned());
            }
            "RUN" if run.contains("curl ") || run.contains("wget http") => {
                found.push(format!("`{run}` fetches what nobody pinned"));
            }
            _ => {}
        }
    }
    let is_number = !user.is_empty() && user.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number || user.starts_with('0') {
        found.push("runAsNonRoot needs a USER in digits, and not 0".to_owned());
    }
    found
}

/// The files and folders that `COPY` takes from the context.
pub fn context_sources(instructions: &[Instruction]) -> Vec<&str> {
    let copies = instructions
        .iter()
        .filter(|one| one.name == "COPY" && one.option("from").is_none());
    copies
        .flat_map(|copy| {
            let words = copy.words();
            let sources = words.len().saturating_sub(1);
            words.into_iter().take(sources)
        })
        .collect()
}

/// Whether `.dockerignore` with this text leaves `path` out of the context. The last rule that
/// matches a path or a folder above it wins, as Docker has it.
pub fn is_ignored(rules: &str, path: &Path) -> bool {
    let mut ignored = false;
    for rule in rules
        .lines()
        .map(str::trim)
        .filter(|rule| !rule.is_empty() && !rule.starts_with('#'))
    {
        let (rule, ignores) = match rule.strip_prefix('!') {
            Some(rule) => (rule, false),
            None => (rule, true),
        };
        let rule: Vec<&str> = rule.trim_matches('/').split('/').collect();
        let matches = |path: &Path| {
            let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
            matches_parts(&rule, &parts)
        };
        if path
            .ancestors()
            .any(|path| path.as_os_str() != "" && matches(path))
        {
            ignored = ignores;
        }
    }
    ignored
}

fn matches_parts(rule: &[&str], path: &[&str]) -> bool {
    match (rule.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len())
            .any(|skipped| matches_parts(rest, path.get(skipped..).unwrap_or_default())),
        (Some((part, rule)), Some((name, path))) => {
            matches_name(part, name) && matches_parts(rule, path)
        }
        _ => false,
    }
}

fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|tail| matches_name(end, tail)))
        }),
    }
}
