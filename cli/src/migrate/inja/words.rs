//! Expressions and statements of Inja, word by word.

mod calls;

/// Words that are no names.
const KEYWORDS: [&str; 10] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none",
];

/// Statements that need other templates.
const OTHER_TEMPLATES: [&str; 4] = ["include", "extends", "block", "endblock"];

/// Rewrites the words of one template.
#[derive(Debug)]
pub(super) struct Rewriter {
    /// Names are separated by slashes.
    pointers: bool,
    /// The third argument of `substring` is an end.
    pub(super) ends: bool,
    /// Names that the template makes itself.
    locals: Vec<String>,
    pub(super) reads_json: bool,
    /// It has what Inja does not know, and Jinja does.
    pub(super) is_jinja: bool,
    /// What cannot be moved, and what to do.
    pub(super) lost: Vec<(String, &'static str)>,
}

/// A word of an expression.
#[derive(Debug, PartialEq, Eq)]
enum Word<'t> {
    /// A name, with what follows it by dots.
    Name(&'t str),
    /// A string, a number, a sign or blanks, as they are.
    Other(&'t str),
}

impl Rewriter {
    pub(super) fn new(pointers: bool, ends: bool) -> Rewriter {
        Rewriter {
            pointers,
            ends,
            locals: vec!["loop".to_owned()],
            reads_json: false,
            is_jinja: false,
            lost: Vec::new(),
        }
    }

    pub(super) fn lose(&mut self, message: impl Into<String>, help: &'static str) {
        self.lost.push((message.into(), help));
    }

    /// What stands between `{%` and `%}`.
    pub(super) fn statement(&mut self, text: &str) -> String {
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match first {
            "for" => self.loop_head(rest),
            "else" if rest.starts_with("if ") => {
                let condition = rest.trim_start_matches("if ").trim();
                format!("elif {}", self.expression(condition))
            }
            "set" => match rest.split_once('=') {
                Some((name, value)) if !value.starts_with('=') => {
                    let value = self.expression(value.trim());
                    let name = name.trim();
                    if name.contains(['.', '-', '/']) {
                        self.lose(
                            format!("{{% set {name} %}} sets a member, which is not possible here"),
                            "set a name of its own",
                        );
                    }
                    self.locals.push(name.to_owned());
                    format!("set {name} = {value}")
                }
                _ => text.to_owned(),
            },
            name if OTHER_TEMPLATES.contains(&name) => {
                let message = format!("{{% {name} %}} is not moved: there is only one template");
                self.lose(message, "write its text in its place");
                text.to_owned()
            }
            "if" => format!("if {}", self.expression(rest)),
            _ => text.to_owned(),
        }
    }

    fn loop_head(&mut self, text: &str) -> String {
        let Some((names, list)) = text.split_once(" in ") else {
            return format!("for {text}");
        };
        let list = self.expression(list.trim());
        let names: Vec<_> = names.split(',').map(str::trim).collect();
        self.locals.extend(names.iter().map(|it| (*it).to_owned()));
        match names.as_slice() {
            [key, value] => format!("for {key}, {value} in {} | items", calls::grouped(&list)),
            _ => format!("for {} in {list}", names.join(", ")),
        }
    }

    /// An expression, with the blanks around it.
    pub(super) fn expression(&mut self, text: &str) -> String {
        let words = words(text);
        self.words(&words)
    }

    fn words(&mut self, words: &[Word<'_>]) -> String {
        let mut out = String::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let name = match word {
                Word::Name("is") | Word::Other("|") if !self.ends => {
                    self.is_jinja = true;
                    continue;
                }
                Word::Name(name) => *name,
                Word::Other("^") => {
                    out.push_str("**");
                    continue;
                }
                Word::Other(other) => {
                    out.push_str(other);
                    continue;
                }
            };
            if words.get(at) != Some(&Word::Other("(")) {
                out.push_str(&self.name(name));
                continue;
            }
            let (arguments, end) = arguments(words.get(at + 1..).unwrap_or_default());
            at += 1 + end;
            let arguments: Vec<_> = arguments
                .into_iter()
                .map(|it| self.words(it).trim().to_owned())
                .collect();
            out.push_str(&calls::moved(name, &arguments, self));
        }
        out
    }

    /// A name that is read.
    pub(super) fn name(&mut self, name: &str) -> String {
        if name == "null" {
            return "none".to_owned();
        }
        if KEYWORDS.contains(&name) {
            return name.to_owned();
        }
        let separator = if self.pointers && name.contains('/') {
            '/'
        } else {
            '.'
        };
        let mut parts = name.split(separator).filter(|it| !it.is_empty());
        let first = parts.next().unwrap_or_default();
        let rest: Vec<_> = parts.collect();
        if first == "loop" {
            return self.of_loop(&rest, name);
        }
        let mut out = match self.locals.iter().any(|it| it == first) {
            true => first.to_owned(),
            false => {
                self.reads_json = true;
                match is_plain(first) {
                    true => first.to_owned(),
                    false => format!("context()[\"{first}\"]"),
                }
            }
        };
        for part in rest {
            if part.bytes().all(|it| it.is_ascii_digit()) {
                out.push_str(&format!("[{part}]"));
            } else if is_plain(part) {
                out.push_str(&format!(".{part}"));
            } else {
                out.push_str(&format!("[\"{part}\"]"));
            }
        }
        out
    }

    /// What is known of a loop, which is counted from 0 there.
    fn of_loop(&mut self, rest: &[&str], name: &str) -> String {
        match rest {
            ["is_first"] => "loop.first".to_owned(),
            ["is_last"] => "loop.last".to_owned(),
            ["index"] => "loop.index0".to_owned(),
            ["index1"] => "loop.index".to_owned(),
            _ => {
                let help =
                    "keep what is asked of the outer loop with {% set %} before the inner one";
                self.lose(format!("{name} is not known here"), help);
                name.to_owned()
            }
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|it| it.is_alphabetic() || it == '_')
        && letters.all(|it| it.is_alphanumeric() || it == '_')
}

/// The arguments of a call, and how many words they are with the sign that closes it.
fn arguments<'w, 't>(words: &'w [Word<'t>]) -> (Vec<&'w [Word<'t>]>, usize) {
    let mut all = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Other("(" | "[" | "{") => depth += 1,
            Word::Other(")") if depth == 0 => {
                all.extend(words.get(start..at).filter(|it| !it.is_empty()));
                return (all, at + 1);
            }
            Word::Other(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Word::Other(",") if depth == 0 => {
                all.extend(words.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    all.extend(words.get(start..).filter(|it| !it.is_empty()));
    (all, words.len())
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_name = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.' | '-' | '/');
        let length = match first {
            '"' | '\'' => string_length(rest, first),
            _ if first.is_alphabetic() || first == '_' => {
                let end = rest.find(|it| !in_name(it)).unwrap_or(rest.len());
                // A sign at the end belongs to nobody.
                let name = rest.get(..end).unwrap_or_default();
                name.trim_end_matches(['.', '-', '/']).len()
            }
            _ if first.is_ascii_digit() => {
                let is_number = |it: char| it.is_ascii_digit() || it == '.';
                rest.find(|it| !is_number(it)).unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let (word, left) = rest.split_at(length);
        words.push(match first.is_alphabetic() || first == '_' {
            true => Word::Name(word),
            false => Word::Other(word),
        });
        rest = left;
    }
    words
}

fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}
