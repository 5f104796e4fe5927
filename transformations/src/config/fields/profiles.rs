//! The one field of a file of profiles.

use super::shape::{Names, Text};
use super::{Field, Object, top};

/// `profiles`
pub static PROFILES: Field<Names> = Field::new(
    "profiles",
    Names::of(Text::ProfileName, &AS_CONFIGURATION).without_nulls(),
    "configurations by their names, which are made of letters, digits, `-`, `_` and `.`",
)
.needed();

static AS_CONFIGURATION: &Object = &top::CONFIGURATION;

/// The whole file.
pub static FILE: Object = Object {
    name: "profiles",
    text: "Whole configurations with names, of which a policy chooses one.",
    groups: &[&[&PROFILES]],
};
