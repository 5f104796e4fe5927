//! The fields of an entry of `dynamicMetadata`.

use super::shape::{Flag, Form, Forms, Json, Number, Text};
use super::when::WHEN_HERE;
use super::{Field, Object};

/// `namespace`
pub static NAMESPACE: Field<Text> =
    Field::new("namespace", Text::Plain, "the namespace of the entry").needed();

/// `key`
pub static KEY: Field<Text> = Field::new("key", Text::Plain, "the key of the entry").needed();

/// `value`
pub static VALUE: Field<Forms> = Field::new(
    "value",
    Forms {
        all: &[
            Form::of(&&TYPED_VALUE),
            Form::instead(
                &Text::Template,
                "a text, as kgateway had it while 2.3 was made",
            ),
        ],
    },
    "the value of the entry, with its type; an entry that renders empty is skipped",
)
.needed();

/// An entry of `dynamicMetadata`.
pub static ENTRY: Object = Object {
    name: "metadataEntry",
    text: "An entry of dynamic metadata.",
    groups: &[&[&NAMESPACE, &KEY, &VALUE, &WHEN_HERE]],
};

/// `stringValue`
pub static STRING_VALUE: Field<Text> =
    Field::new("stringValue", Text::Template, "the template of a text").since("2.3");

/// `numberValue`
pub static NUMBER_VALUE: Field<Forms> = Field::new(
    "numberValue",
    Forms {
        all: &[Form::of(&Number), Form::of(&Text::Template)],
    },
    "a number, or a template that renders to one",
)
.not_in_policies();

/// `boolValue`
pub static BOOL_VALUE: Field<Forms> = Field::new(
    "boolValue",
    Forms {
        all: &[Form::of(&Flag { default: None }), Form::of(&Text::Template)],
    },
    "a boolean, or a template that renders to `true` or `false`",
)
.not_in_policies()
.needs_envoy(1, 38);

/// `jsonValue`
pub static JSON_VALUE: Field<Json> = Field::new(
    "jsonValue",
    Json,
    "a text, a number, a boolean or a list of these, in which texts may be templates; or a template that \
     renders to such JSON. Booleans and lists need Envoy 1.38",
)
.not_in_policies();

/// The value of an entry.
pub static TYPED_VALUE: Object = Object {
    name: "metadataValue",
    text: "A value of dynamic metadata, with its type.",
    groups: &[&[&STRING_VALUE, &NUMBER_VALUE, &BOOL_VALUE, &JSON_VALUE]],
};
