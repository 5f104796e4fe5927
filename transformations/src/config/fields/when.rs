//! The conditions: of a transform, and of an entry in one.

use super::Field;
use super::shape::Text;

/// `when`
pub static WHEN: Field<Text> = Field::new(
    "when",
    Text::Expression,
    "the condition under which it is applied, decided with the headers; see [`when`](#when)",
)
.not_in_policies()
.or_else("always");

/// `when` of an entry
pub static WHEN_HERE: Field<Text> = Field::new(
    "when",
    Text::Expression,
    "the condition under which it is applied; see [`when`](#when)",
)
.not_in_policies()
.or_else("always");
