//! The fields of the filter `http-acl`, which are those of kgateway's `TrafficPolicy.spec.acl`. What is not known
//! here is refused: an access list with a typing error must not stand open.

use super::shape::{List, Text, Whole, Words};
use super::{Field, Object};
use crate::config::access::Action;

const ACTIONS: &[(&str, Action)] = &[("allow", Action::Allow), ("deny", Action::Deny)];

/// `defaultAction`
pub static DEFAULT_ACTION: Field<Words<Action>> = Field::new(
    "defaultAction",
    Words {
        all: ACTIONS,
        default: None,
    },
    "`allow` or `deny`, where no rule matches",
)
.needed();

/// `rules`
pub static RULES: Field<List> = Field::new(
    "rules",
    List { of: &AS_RULE },
    "rules for addresses, in any order; see [rules](#rules)",
)
.or_else("none");

static AS_RULE: &Object = &RULE;

/// `denyResponse`
pub static DENY_RESPONSE: Field<&Object> = Field::new(
    "denyResponse",
    &DENIAL,
    "what those get who are turned away; see [denyResponse](#denyresponse)",
)
.or_else("a 403");

/// The whole access list.
pub static ACCESS_LIST: Object = Object {
    name: "accessList",
    text: "Who is let in, by address, and how others are turned away.",
    groups: &[&[&DEFAULT_ACTION, &RULES, &DENY_RESPONSE]],
};

/// `rules[].name`
pub static NAME: Field<Text> =
    Field::new("name", Text::Plain, "reported when the rule denies").or_else("`rule`");

/// `rules[].action`
pub static ACTION: Field<Words<Action>> = Field::new(
    "action",
    Words {
        all: ACTIONS,
        default: None,
    },
    "`allow` or `deny`",
)
.needed();

/// `rules[].cidrs`
pub static CIDRS: Field<List> = Field::new(
    "cidrs",
    List { of: &Text::Plain },
    "addresses and ranges such as `10.0.0.0/8`, without bits behind the prefix. The longest match decides, \
     of equal ones the last. At least one is needed",
);

/// `rules[].cidr`
pub static CIDR: Field<Text> = Field::new(
    "cidr",
    Text::Plain,
    "one more of them; better written in `cidrs`",
);

/// A rule.
pub static RULE: Object = Object {
    name: "accessRule",
    text: "What happens to clients with some addresses.",
    groups: &[&[&NAME, &CIDRS, &CIDR, &ACTION]],
};

/// `denyResponse.statusCode`
pub static STATUS: Field<Whole> = Field::new(
    "statusCode",
    Whole::pieces(200, 599).or(403),
    "the status, from 200 on",
);

/// `denyResponse.headers`
pub static HEADERS: Field<List> = Field::new(
    "headers",
    List { of: &AS_HEADER },
    "`{\"name\", \"value\"}`: added to the reply. Control characters other than the tab become spaces, in the \
     names of rules too",
)
.or_else("none");

static AS_HEADER: &Object = &HEADER;

/// `denyResponse.blockedByHeaderName`
pub static BLOCKED_BY: Field<Text> = Field::new(
    "blockedByHeaderName",
    Text::RegularHeaderName,
    "a header that says what denied: the rule's name, `rule`, or `default`",
)
.or_else("none");

/// `denyResponse.addBlockedByHeader`
pub static ADD_BLOCKED_BY: Field<Text> = Field::new(
    "addBlockedByHeader",
    Text::RegularHeaderName,
    "the same under another name; better written as `blockedByHeaderName`",
)
.or_else("none");

/// How clients are turned away.
pub static DENIAL: Object = Object {
    name: "denyResponse",
    text: "What clients get who are turned away.",
    groups: &[&[&STATUS, &HEADERS, &BLOCKED_BY, &ADD_BLOCKED_BY]],
};

/// `denyResponse.headers[].name`
pub static HEADER_NAME: Field<Text> =
    Field::new("name", Text::RegularHeaderName, "the name").needed();

/// `denyResponse.headers[].value`
pub static HEADER_VALUE: Field<Text> = Field::new("value", Text::Plain, "the value").needed();

/// A header of such an answer.
pub static HEADER: Object = Object {
    name: "denyHeader",
    text: "A header for clients who are turned away.",
    groups: &[&[&HEADER_NAME, &HEADER_VALUE]],
};
