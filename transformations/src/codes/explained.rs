//! For each code the smallest text that it is said of, and what to do about it.
//!
//! For whoever explains codes to people: the command-line tool and the reference. A test compiles each example
//! and finds the code in what is said of it.

use super::Code;

/// A code, explained.
#[derive(Clone, Copy, Debug)]
pub struct Explained {
    /// The code.
    pub code: Code,
    /// A text that it is said of.
    pub example: Example,
    /// What to do, in one sentence without a full stop.
    pub remedy: &'static str,
}

/// The smallest text that a code is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Example {
    /// A configuration, for an Envoy 1.36.
    Config(&'static [u8]),
    /// A file of profiles, in YAML.
    Profiles(&'static str),
    /// What a kgateway 2.2 would be given.
    Policy(&'static str),
    /// A file that only tools look at.
    File(&'static str),
    /// A configuration of the filter `llm-provider`.
    Provider(&'static str),
    /// A configuration of the filter `http-acl`.
    AccessList(&'static str),
    /// It would be too long to show.
    TooLong,
}

impl Code {
    /// The code as it is printed, in any case and with or without its letters: `RF1203`, `1203`.
    pub fn find(text: &str) -> Option<Code> {
        let digits = text.trim();
        let digits = digits
            .strip_prefix("RF")
            .or_else(|| digits.strip_prefix("rf"))
            .unwrap_or(digits);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u16 = digits.parse().ok()?;
        let mut all = Code::ALL.iter();
        all.find_map(|(code, _)| (code.0 == number).then_some(*code))
    }

    /// What it means.
    pub fn title(self) -> &'static str {
        let found = Code::ALL.iter().find(|(code, _)| *code == self);
        found.map_or("", |(_, title)| title)
    }

    /// Its example, and what to do; a test sees to it that every code has both.
    pub fn explained(self) -> Option<&'static Explained> {
        EXPLAINED.iter().find(|it| it.code == self)
    }
}

const fn config(code: Code, example: &'static str, remedy: &'static str) -> Explained {
    other(code, Example::Config(example.as_bytes()), remedy)
}

const fn other(code: Code, example: Example, remedy: &'static str) -> Explained {
    Explained {
        code,
        example,
        remedy,
    }
}

/// Every code, in ascending order.
#[rustfmt::skip]
pub const EXPLAINED: &[Explained] = &[
    other(Code::NOT_UTF8, Example::Config(b"\xff\xfe{\0}\0"), "write the configuration as UTF-8, and give it to Envoy in a StringValue"),
    config(Code::NOT_JSON, r#"{"request": {"set": [],}}"#, "mend the JSON at the line and column that are named"),
    config(Code::NOT_AN_OBJECT, r#"[{"request": {}}]"#, "write one object; {} is a configuration that does nothing"),
    config(Code::DOUBLE_ENCODED, r#""{\"request\": {}}""#, "take one level of quoting away, so that the text begins with {"),
    config(Code::PROTOBUF_STRUCT, r#"{"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}"#, "give filter_config as a google.protobuf.StringValue whose value is the JSON text"),
    config(Code::WRONG_TYPE, r#"{"request": {"set": "x-a"}}"#, "write a value of the type that is named"),
    config(Code::MISSING_NAME, r#"{"request": {"set": [{"value": "1"}]}}"#, "name the header of the rule"),
    config(Code::BAD_HEADER_NAME, r#"{"request": {"set": [{"name": "x a", "value": "1"}]}}"#, "use letters, digits and hyphens; of the names that begin with a colon only those that the direction has"),
    config(Code::PROTECTED_HEADER, r#"{"request": {"remove": [":path"]}}"#, "set another value instead"),
    config(Code::UNKNOWN_CHOICE, r#"{"onError": "retry"}"#, "write one of the words that are listed"),
    config(Code::BAD_LIMIT, r#"{"request": {"maxBodyBytes": 0}}"#, "write a whole number between the bounds that are named"),
    config(Code::INCOMPLETE_METADATA, r#"{"request": {"dynamicMetadata": [{"key": "k"}]}}"#, "give the entry a namespace, a key and a value"),
    config(Code::UNKNOWN_FIELD, r#"{"request": {"headers": []}}"#, "correct the name, or take the field away; it does nothing"),
    config(Code::IGNORED_BODY, r#"{"request": {"body": {"parseAs": "None", "value": "x"}}}"#, "leave parseAs out if the body is to be replaced, else leave the value out"),
    config(Code::MISSING_CAPABILITY, r#"{"request": {"dynamicMetadata": [{"namespace": "n", "key": "k", "value": {"boolValue": true}}]}}"#, "use the Envoy that is named, or do without: the help says how"),
    config(Code::BAD_EXTRACTOR, r#"{"request": {"extractors": {"id": {"header": ":path", "regex": "/([0-9]+)", "subgroup": 2}}}}"#, "give the extractor a source and an expression that has the group"),
    config(Code::BAD_PATCH, r#"{"request": {"body": {"patch": [{"op": "replcae", "path": "/a", "value": 1}]}}}"#, "write the operation as RFC 6902 has it"),
    config(Code::CONFLICTING_BODY, r#"{"request": {"body": {"value": "x", "patch": [{"op": "remove", "path": "/a"}]}}}"#, "keep one of the two"),
    config(Code::BAD_METADATA_VALUE, r#"{"request": {"dynamicMetadata": [{"namespace": "n", "key": "k", "value": {"numberValue": "one"}}]}}"#, "write a constant of this type, or stringValue for a text"),
    config(Code::FRAMING_HEADER, r#"{"response": {"set": [{"name": "content-length", "value": "1"}]}}"#, "take the rule away: the length follows from the body"),
    config(Code::CONNECTION_HEADER, r#"{"response": {"set": [{"name": "connection", "value": "close"}]}}"#, "take the rule away: Envoy speaks for its connections"),
    config(Code::BAD_HEADER_VALUE, r#"{"response": {"set": [{"name": ":status", "value": "ok"}]}}"#, "write a value that this header can have"),
    config(Code::TEMPLATE_IN_POINTER, r#"{"request": {"body": {"patch": [{"op": "remove", "path": "/{{ n }}"}]}}}"#, "write the place out, or use json_set and json_remove, which take computed ones"),
    config(Code::NEVER_REACHED, r#"{"request": [{"set": []}, {"when": "true", "set": []}]}"#, "put what has a condition before what has none"),
    config(Code::BODY_IN_CONDITION, r#"{"request": {"when": "'x' in body()", "set": []}}"#, "decide by headers; templates of values may read the body"),
    config(Code::MISSING_VALUE, r#"{"response": {"edit": [{"name": "via"}]}}"#, "give the rule the value that is named"),
    config(Code::BAD_VARIABLE, r#"{"vars": {"header": "x"}}"#, "take a name of letters, digits and underscores that nothing else has"),
    config(Code::DECODES_NOTHING, r#"{"request": {"body": {"decode": true}}}"#, "take decode away, or let a template read the body"),
    config(Code::BAD_PROFILE_CHOICE, r#"{"request": {"set": [{"name": "x-rustformations-profile", "value": "{{ header('x') }}"}]}}"#, "write one rule in request.set with the name of a profile as its constant value"),
    config(Code::UNKNOWN_PROFILE, r#"{"request": {"set": [{"name": "x-rustformations-profile", "value": "chat"}]}}"#, "name a file of profiles in RUSTFORMATIONS_PROFILES, and one of its profiles in the rule"),
    other(Code::BAD_PROFILES, Example::Profiles("profile: {}\n"), "write one object, profiles, with each profile by its name"),
    config(Code::BAD_EVENT_RULE, r#"{"response": {"stream": {"format": "ndjson", "rules": [{"event": "a", "drop": true}]}}}"#, "let each rule do one thing that this format of events has"),
    config(Code::UNKNOWN_AI_FIELD, r#"{"ai": {"maks": {}}}"#, "correct the name: what is unknown in ai is an error, since it may have been a guard"),
    config(Code::BAD_PRICE, r#"{"ai": {"cost": {"prices": {"m": {"input": 2.5}}}}}"#, "write dollars for a million tokens as a text, such as \"2.50\""),
    config(Code::BAD_MODEL, r#"{"ai": {"publish": {"models": [""]}}}"#, "write the name of a model, or the beginning of one and an asterisk"),
    config(Code::BAD_GUARD_RULE, r#"{"ai": {"guard": {"deny": [{"name": "r"}]}}}"#, "give the rule a name, and either words or a regular expression"),
    config(Code::BAD_MASK, r#"{"ai": {"mask": {"patterns": [{"name": "STAFF", "regex": "("}]}}}"#, "mend what is named: an expression, a name, or the file of the key"),
    config(Code::OTHER_SPELLING, r#"{"ai": {"mask": {"detectors": {"creditCard": "block"}}}}"#, "use the spelling that is named; this one works, too"),
    config(Code::NEVER_KNOWN, r#"{"ai": {"usage": {}, "publish": {"headers": {"x-cost": "cost_usd"}}}}"#, "configure the stage that the fact comes from"),
    config(Code::BAD_PRICE_FILE, r#"{"ai": {"cost": {"file": "/no/such/file.json"}}}"#, "name a file that is there and holds prices of one of the two shapes"),
    other(Code::BAD_PROVIDER, Example::Provider(r#"{"provider": "vertex-gemini", "region": "eu"}"#), "give the provider what it needs, in the form that is named"),
    other(Code::BAD_KEY, Example::Provider(r#"{"provider": "openai", "auth": {"apiKey": {"file": "/no/such/key"}}}"#), "name a file or an environment variable that is there and holds one line, the key"),
    other(Code::BAD_NETWORK, Example::AccessList(r#"{"defaultAction": "allow", "rules": [{"cidrs": ["10.1.2.3/8"], "action": "deny"}]}"#), "write an address, or a range without bits behind its prefix"),
    config(Code::SYNTAX, r#"{"request": {"set": [{"name": "x-a", "value": "{{ header('x') "}]}}"#, "mend the template at the caret"),
    config(Code::UNKNOWN_FUNCTION, r#"{"request": {"set": [{"name": "x-a", "value": "{{ heder('x') }}"}]}}"#, "correct the name; all functions are in the reference"),
    config(Code::UNKNOWN_FILTER, r#"{"request": {"set": [{"name": "x-a", "value": "{{ 'x' | uper }}"}]}}"#, "correct the name; all filters are in the reference"),
    config(Code::UNKNOWN_TEST, r#"{"request": {"set": [{"name": "x-a", "value": "{{ 1 is eben }}"}]}}"#, "correct the name; all tests are in the reference"),
    config(Code::UNKNOWN_ATTRIBUTE, r#"{"request": {"set": [{"name": "x-a", "value": "{{ request.heders }}"}]}}"#, "read one of the fields that request and response have"),
    config(Code::WRONG_DIRECTION, r#"{"request": {"set": [{"name": "x-a", "value": "{{ response.status }}"}]}}"#, "move the rule to the direction in which this is known"),
    config(Code::NEVER_DEFINED, r#"{"response": {"stream": {"atEnd": [{"data": "{{ total }}"}]}}}"#, "define the variable, or read what is there"),
    config(Code::ENV_NOT_ALLOWED, r#"{"envAllow": ["HOME"], "request": {"set": [{"name": "x-a", "value": "{{ env('SECRET') }}"}]}}"#, "add the name to envAllow, and to RUSTFORMATIONS_ENV_ALLOW where that is set"),
    config(Code::METHOD_CALL, r#"{"request": {"set": [{"name": "x-a", "value": "{{ header('x').upper() }}"}]}}"#, "use the filter: value | upper"),
    config(Code::ARGUMENT_COUNT, r#"{"request": {"set": [{"name": "x-a", "value": "{{ substring('x') }}"}]}}"#, "call the function as its signature says"),
    config(Code::REPETITION, r#"{"request": {"set": [{"name": "x-a", "value": "{{ 'a' * 99999999999 }}"}]}}"#, "repeat it less often"),
    config(Code::NEEDS_JSON, r#"{"request": {"set": [{"name": "x-a", "value": "{{ request.json.a }}"}]}}"#, "set body.parseAs to AsJson"),
    other(Code::TOO_LARGE, Example::TooLong, "split the template, or move what repeats into vars"),
    config(Code::OTHER_TEMPLATE, r#"{"request": {"set": [{"name": "x-a", "value": "{% include 'x' %}"}]}}"#, "write it in place: there are no other templates; macros and vars are what can be shared"),
    config(Code::BAD_PATTERN, r#"{"request": {"set": [{"name": "x-a", "value": "{{ regex_match('x', '(') }}"}]}}"#, "mend the regular expression; look-around and back-references are not there"),
    config(Code::NOT_CONSTANT, r#"{"request": {"set": [{"name": "x-a", "value": "{{ regex_match('x', header('y')) }}"}]}}"#, "write the argument as a constant: it is compiled when the configuration is loaded"),
    config(Code::BAD_ARGUMENT, r#"{"request": {"set": [{"name": "x-a", "value": "{{ sha256('x', 'base65') }}"}]}}"#, "write a constant that the function takes"),
    config(Code::UNKNOWN_NAME, r#"{"request": {"set": [{"name": "x-a", "value": "{{ extraction('id') }}"}]}}"#, "name an attribute that there is, or an extractor of this direction"),
    config(Code::COMPARISON, r#"{"request": {"set": [{"name": "x-a", "value": "{{ query_param('page') == 5 }}"}]}}"#, "make a number of the text first (| int), or compare with a text"),
    config(Code::ENV_WITHOUT_LIST, r#"{"request": {"set": [{"name": "x-a", "value": "{{ env('TEAM') }}"}]}}"#, "list the names in envAllow, or in RUSTFORMATIONS_ENV_ALLOW"),
    config(Code::UNKNOWN_OPERATOR, r#"{"request": {"set": [{"name": "x-a", "value": "%RQE(x)%"}]}}"#, "correct the name, or write %% for a percent sign"),
    config(Code::BAD_OPERATOR, r#"{"request": {"set": [{"name": "x-a", "value": "%REQ%"}]}}"#, "write the operator as its syntax is shown"),
    config(Code::OPEN_OPERATOR, r#"{"request": {"set": [{"name": "x-a", "value": "%REQ(:path)"}]}}"#, "end the operator with a percent sign, or leave it as the text that it is"),
    config(Code::NO_TRAILERS, r#"{"response": {"set": [{"name": "x-a", "value": "%TRAILER(x-t)%"}]}}"#, "let the body be held, so that trailers are there when headers are written, or read something else"),
    other(Code::UNREADABLE_FILE, Example::File("no-such-file.json"), "name a file that is there and may be read"),
    other(Code::NOT_A_DOCUMENT, Example::File("kind: ["), "mend the YAML at the line and column that are named"),
    other(Code::NOTHING_FOUND, Example::File("replicas: 2"), "name the file or folder that holds configurations"),
    other(Code::NOT_IN_POLICY, Example::Policy(r#"{"ai": {"usage": {}}}"#), "put it into a profile, which a policy can choose, or use the kgateway that is named"),
    other(Code::UNKNOWN_FILTER_NAME, Example::File(r#"{"@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter", "dynamic_module_config": {"name": "rust_module"}, "filter_name": "rustformatoin"}"#), "use one of the names that are listed"),
    other(Code::NOT_MOVED, Example::File(r#"{"transformationTemplate": {"headers": {"x-key": {"text": "{{ data_source('key') }}"}}}}"#), "do what the help says, by hand, in what was moved"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessPolicy;
    use crate::profiles::Profiles;
    use crate::provider::{NoKeys, Providers};
    use crate::{Capabilities, CompileOptions, Program, config::beyond_policy};

    fn said_of(example: Example) -> Vec<Code> {
        let options = CompileOptions {
            capabilities: Capabilities::of_envoy((1, 36)),
            env_allow: None,
        };
        let found = match example {
            Example::Config(text) => match Program::compile(text, &options) {
                Ok(program) => program.warnings().to_vec(),
                Err(found) => found.iter().cloned().collect(),
            },
            Example::Profiles(text) => match Profiles::parse("profiles.yaml", text.as_bytes()) {
                Ok(_) => Vec::new(),
                Err(found) => found.iter().cloned().collect(),
            },
            Example::Policy(text) => beyond_policy(&serde_json::from_str(text).unwrap(), (2, 2)),
            Example::Provider(text) => {
                match Providers::compile(text.as_bytes(), (1, 36), &NoKeys) {
                    Ok(_) => Vec::new(),
                    Err(found) => found.iter().cloned().collect(),
                }
            }
            Example::AccessList(text) => match AccessPolicy::compile(text.as_bytes()) {
                Ok(_) => Vec::new(),
                Err(found) => found.iter().cloned().collect(),
            },
            Example::File(_) | Example::TooLong => Vec::new(),
        };
        found.iter().map(|it| it.code()).collect()
    }

    #[test]
    fn every_code_is_explained_once_in_order() {
        let codes: Vec<_> = EXPLAINED.iter().map(|it| it.code).collect();
        let all: Vec<_> = Code::ALL.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, all);
    }

    #[test]
    fn every_example_is_one() {
        let mut wrong = Vec::new();
        for it in EXPLAINED {
            // Where the tool looks at files is the tool's to test.
            let is_elsewhere = matches!(it.example, Example::File(_) | Example::TooLong);
            if !is_elsewhere && !said_of(it.example).contains(&it.code) {
                wrong.push(format!("{}: {:?}", it.code, said_of(it.example)));
            }
        }
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn codes_are_found_as_they_are_printed() {
        for text in ["RF1203", "rf1203", "1203"] {
            assert_eq!(Code::find(text), Some(Code::UNKNOWN_FUNCTION));
        }
        assert_eq!(Code::find("RF0002"), Some(Code::NOT_JSON));
        assert_eq!(Code::find("RF9999"), None);
        assert_eq!(Code::find("RF+2"), None);
    }
}
