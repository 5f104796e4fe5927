//! The registry of diagnostic codes: one stable number for each kind of configuration problem.
//!
//! Used by everything that checks a configuration, on Envoy's main thread. Numbers are part of the
//! product: documentation and searches refer to them, so a number is never reused or renumbered.

use std::fmt;

mod explained;

pub use explained::{EXPLAINED, Example, Explained};

/// A stable diagnostic number, printed as `RF1203`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub(crate) u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RF{:04}", self.0)
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($number);)*

            /// Every code with its title, in ascending order: the source of the reference table.
            pub const ALL: &'static [(Code, &'static str)] = &[$((Code($number), $title)),*];
        }
    };
}

codes! {
    NOT_UTF8 = 1, "the configuration is not UTF-8 text";
    NOT_JSON = 2, "the configuration is not valid JSON";
    NOT_AN_OBJECT = 3, "the configuration is not a JSON object";
    DOUBLE_ENCODED = 4, "the configuration is JSON inside a JSON string";
    PROTOBUF_STRUCT = 5, "the configuration is a protobuf message, not JSON text";
    WRONG_TYPE = 1001, "a field holds the wrong type of value";
    MISSING_NAME = 1002, "a header rule has no name";
    BAD_HEADER_NAME = 1003, "a header name is not one that HTTP allows";
    PROTECTED_HEADER = 1004, "a header that a message cannot be without would be removed or doubled";
    UNKNOWN_CHOICE = 1005, "a field holds none of its known values";
    BAD_LIMIT = 1006, "a limit is out of range";
    INCOMPLETE_METADATA = 1007, "a dynamicMetadata entry lacks a part and is ignored";
    UNKNOWN_FIELD = 1008, "a field is not known and is ignored";
    IGNORED_BODY = 1009, "a body template is ignored because parseAs is None";
    MISSING_CAPABILITY = 1010, "the host cannot do what the configuration asks";
    BAD_EXTRACTOR = 1011, "an extractor lacks a part or names a group that does not exist";
    BAD_PATCH = 1013, "an operation of a patch is not valid";
    CONFLICTING_BODY = 1014, "a body is to become several things at once";
    BAD_METADATA_VALUE = 1015, "a constant is not of the type that dynamicMetadata asks for";
    FRAMING_HEADER = 1017, "a rule would say where the message ends";
    CONNECTION_HEADER = 1018, "a rule would say something about the connection and is ignored";
    BAD_HEADER_VALUE = 1019, "a constant is not what this header must hold";
    TEMPLATE_IN_POINTER = 1020, "a JSON Pointer holds a template";
    NEVER_REACHED = 1021, "something stands behind what always applies, and is never reached";
    BODY_IN_CONDITION = 1022, "what is made of the headers alone reads the body";
    MISSING_VALUE = 1023, "a rule lacks a value";
    BAD_VARIABLE = 1024, "a variable has a name that it cannot have";
    DECODES_NOTHING = 1025, "a body is to be decoded that nothing reads";
    BAD_PROFILE_CHOICE = 1026, "a profile is not chosen by one constant rule";
    UNKNOWN_PROFILE = 1027, "a profile is not known, or none is";
    BAD_PROFILES = 1028, "a file of profiles is not valid";
    BAD_EVENT_RULE = 1030, "a rule for the events of a stream contradicts itself or does nothing";
    UNKNOWN_AI_FIELD = 1101, "a field of ai, of a provider or of an access list is not known";
    BAD_PRICE = 1102, "a table of prices is not valid";
    BAD_MODEL = 1103, "a name or pattern of a model is not valid";
    BAD_GUARD_RULE = 1104, "a rule of the guard is not valid";
    BAD_MASK = 1105, "what is to be masked is not valid";
    OTHER_SPELLING = 1106, "a name is spelt as others spell it";
    NEVER_KNOWN = 1110, "a fact is told of which nothing is known here";
    BAD_PRICE_FILE = 1120, "a file of prices cannot be read";
    BAD_PROVIDER = 1130, "a provider is not configured as it must be";
    BAD_KEY = 1131, "a key cannot be read";
    BAD_NETWORK = 1140, "an address or a range of addresses is not valid";
    SYNTAX = 1201, "a template cannot be parsed";
    UNKNOWN_FUNCTION = 1203, "a template calls an unknown function";
    UNKNOWN_FILTER = 1204, "a template uses an unknown filter";
    UNKNOWN_TEST = 1205, "a template uses an unknown test";
    UNKNOWN_ATTRIBUTE = 1206, "a template reads an unknown field of request or response";
    WRONG_DIRECTION = 1207, "a template reads what does not exist in its direction";
    NEVER_DEFINED = 1208, "a template reads a variable that is never defined";
    ENV_NOT_ALLOWED = 1209, "a template reads an environment variable that is not allowed";
    METHOD_CALL = 1210, "a template calls a method; templates have filters instead";
    ARGUMENT_COUNT = 1211, "a function is called with the wrong number of arguments";
    REPETITION = 1212, "a template repeats a value too often";
    NEEDS_JSON = 1213, "a template reads JSON but the body is not parsed as JSON";
    TOO_LARGE = 1214, "a template is too large";
    OTHER_TEMPLATE = 1215, "a template refers to other templates";
    BAD_PATTERN = 1216, "a regular expression is not valid";
    NOT_CONSTANT = 1217, "an argument must be a constant";
    BAD_ARGUMENT = 1218, "a constant argument is not valid";
    UNKNOWN_NAME = 1219, "a template names an attribute or extractor that does not exist";
    COMPARISON = 1220, "a template compares a text with a number";
    ENV_WITHOUT_LIST = 1230, "templates may read every environment variable";
    UNKNOWN_OPERATOR = 1301, "a header value holds an unknown command operator";
    BAD_OPERATOR = 1302, "a command operator is not written as it must be";
    OPEN_OPERATOR = 1303, "a command operator does not end, so it is text";
    NO_TRAILERS = 1304, "a command operator reads trailers that never come in time";
    UNREADABLE_FILE = 2001, "a file cannot be read (tools only)";
    NOT_A_DOCUMENT = 2002, "a file is neither JSON nor YAML (tools only)";
    NOTHING_FOUND = 2003, "there is no configuration of this module where one was looked for (tools only)";
    NOT_IN_POLICY = 2004, "a TrafficPolicy of this kgateway has no such field (tools only)";
    UNKNOWN_FILTER_NAME = 2005, "this module has no filter of this name (tools only)";
    NOT_MOVED = 2006, "something of another engine is not moved (tools only)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascending() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
