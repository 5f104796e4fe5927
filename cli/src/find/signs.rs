//! Whether a text that cannot be read was meant for this module.

use transformations::config::fields::{access, provider, top};

/// What only configurations of this module say, without quotes and blanks.
const WORDS: [&str; 3] = ["rust_module", "rustformation", "kind:TrafficPolicy"];

/// What Helm's templates say, which are no YAML before they are rendered.
const HELM: [&str; 4] = [".Values", ".Release", ".Chart", "{{ include "];

/// The outermost fields by which a configuration is known.
const NAMES: [&str; 6] = [
    top::REQUESTS.name,
    top::RESPONSES.name,
    top::AI_HERE.name,
    access::DEFAULT_ACTION.name,
    provider::PROVIDERS.name,
    "profiles",
];

/// Whether there are some in a text. Of UTF-16 that is read as UTF-8, the letters of ASCII are left.
pub(super) fn are_in(text: &str) -> bool {
    let text = text.replace('\0', "");
    if HELM.iter().any(|it| text.contains(it)) {
        return false;
    }
    let bare = text.replace(['"', '\'', ' '], "");
    WORDS.iter().any(|it| bare.contains(it)) || text.lines().any(is_name) || are_at_top(&text)
}

/// Whether a line of YAML is an outermost field.
fn is_name(line: &str) -> bool {
    let name = line.split_once(':').map(|(name, _)| name);
    name.is_some_and(|name| NAMES.contains(&name))
}

/// Whether an outermost field of what was meant to be JSON is one, also where a comma or a brace is missing.
fn are_at_top(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '[', '}', ']', '"']) {
        let (mark, after) = rest.split_at(at).1.split_at(1);
        rest = after;
        match mark {
            "{" | "[" => depth += 1,
            "\"" => {
                let end = end_of_string(after);
                let (word, after) = after.split_at(end);
                rest = after.strip_prefix('"').unwrap_or(after);
                let is_field = rest.trim_start().starts_with([':', '{', '[']);
                if depth <= 1 && is_field && NAMES.contains(&word) {
                    return true;
                }
            }
            _ => depth = depth.saturating_sub(1),
        }
    }
    false
}

/// Where a string ends: at its quote, or with its line if there is none.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.find(|letter| match letter {
        _ if is_escaped => {
            is_escaped = false;
            false
        }
        '\\' => {
            is_escaped = true;
            false
        }
        letter => matches!(letter, '"' | '\n'),
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::are_in;

    #[test]
    fn what_was_meant_for_this_module_shows() {
        for text in [
            "{\"request\": {} \"response\": {}}",
            "{\"x\": \"a\\\"b\", \"ai\" {\"usage\": {}}}",
            "{\"x\": \"no end,\n\"response\": {}}",
            "kind: TrafficPolicy\nspec: [",
            "{\"kind\": \"TrafficPolicy\"",
            "profiles:\n  chat: [",
            "a: [\nname: rust_module",
            "{\0\"\0r\0e\0q\0u\0e\0s\0t\0\"\0:\0 \0{\0}\0}\0",
        ] {
            assert!(are_in(text), "{text}");
        }
        for text in [
            "{\"a\": {\"request\": 1} \"b\": 2}",
            "{\"a\": \"request\",",
            "services:\n  a:\n    profiles: [",
            "kind: TrafficPolicy\nname: {{ .Values.name }}",
            "kind: Deployment\nspec: [",
        ] {
            assert!(!are_in(text), "{text}");
        }
    }
}
