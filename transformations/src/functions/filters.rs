//! The engine's filters and tests, as templates know them: names, documentation, examples.
//!
//! The engine cannot be asked for its list, so it is written down here; a test renders each example.
//! Left out on purpose: the filter `format`, which pads to any width that its first argument asks
//! for. Filters of our own stand with their functions.

use super::Function;

/// A filter or a test of the engine.
#[derive(Debug)]
pub struct Builtin {
    /// The name.
    pub name: &'static str,
    /// How to use it, such as `value | default(other)`.
    pub signature: &'static str,
    /// One line of documentation.
    pub summary: &'static str,
    /// A template and what it renders to.
    pub example: (&'static str, &'static str),
}

const fn builtin(
    name: &'static str,
    signature: &'static str,
    summary: &'static str,
    template: &'static str,
    result: &'static str,
) -> Builtin {
    Builtin {
        name,
        signature,
        summary,
        example: (template, result),
    }
}

/// Every filter of the engine.
#[rustfmt::skip]
pub const FILTERS: &[Builtin] = &[
    builtin("abs", "number | abs", "The number without its sign.", "{{ -3|abs }}", "3"),
    builtin("attr", "map | attr(name)", "A field whose name is computed.", "{{ {\"a\": 1}|attr(\"a\") }}", "1"),
    builtin("batch", "list | batch(count, fill?)", "The list cut into lists of this length.", "{{ [1, 2, 3]|batch(2)|list }}", "[[1, 2], [3]]"),
    builtin("bool", "value | bool", "Whether the value counts as true.", "{{ \"x\"|bool }}", "true"),
    builtin("capitalize", "text | capitalize", "The first letter in upper case, the rest in lower.", "{{ \"hELLO\"|capitalize }}", "Hello"),
    builtin("chain", "list | chain(other, ...)", "Lists one after the other, or maps merged.", "{{ [1]|chain([2])|list }}", "[1, 2]"),
    builtin("count", "value | count", "The same as length.", "{{ [1, 2]|count }}", "2"),
    builtin("d", "value | d(other)", "The same as default.", "{{ missing|d(\"x\") }}", "x"),
    builtin("default", "value | default(other, even_if_false?)", "The other value if this one is not there: not defined, null, or not found by a function.", "{{ missing|default(\"none\") }}", "none"),
    builtin("dictsort", "map | dictsort(by?, reverse?)", "The pairs of a map, sorted by key.", "{{ {\"b\": 1, \"a\": 2}|dictsort }}", "[[\"a\", 2], [\"b\", 1]]"),
    builtin("e", "text | e", "The same as escape.", "{{ \"<\"|e }}", "&lt;"),
    builtin("escape", "text | escape", "The text with the special characters of HTML escaped.", "{{ \"a & b\"|escape }}", "a &amp; b"),
    builtin("first", "value | first", "The first item, or character.", "{{ [1, 2]|first }}", "1"),
    builtin("float", "value | float", "The value as a number with a fraction.", "{{ \"1.5\"|float + 1 }}", "2.5"),
    builtin("groupby", "list | groupby(attribute, default?)", "Pairs of a value of the attribute and the items that have it.", "{% for role, said in messages|groupby(\"role\") %}{{ role }}:{{ said|length }} {% endfor %}", "system:1 user:1 "),
    builtin("indent", "text | indent(width?, first?, blank?)", "All lines but the first moved to the right, by 4 unless told.", "{{ \"a\\nb\"|indent(2) }}", "a\n  b"),
    builtin("int", "value | int", "The value as a whole number.", "{{ \"42\"|int + 1 }}", "43"),
    builtin("items", "map | items", "The pairs of a map.", "{% for key, value in {\"a\": 1}|items %}{{ key }}={{ value }}{% endfor %}", "a=1"),
    builtin("join", "list | join(separator?)", "The items as one text.", "{{ [1, 2, 3]|join(\"-\") }}", "1-2-3"),
    builtin("last", "value | last", "The last item, or character.", "{{ messages|last|attr(\"role\") }}", "user"),
    builtin("length", "value | length", "How many characters, items or keys there are.", "{{ messages|length }}", "2"),
    builtin("lines", "text | lines", "The lines of a text.", "{{ \"a\\nb\"|lines|join(\",\") }}", "a,b"),
    builtin("list", "value | list", "The items, characters or keys as a list.", "{{ \"ab\"|list }}", "[\"a\", \"b\"]"),
    builtin("lower", "text | lower", "The text in lower case.", "{{ \"ABC\"|lower }}", "abc"),
    builtin("map", "list | map(attribute=name) or list | map(filter, ...)", "An attribute of each item, or each item through a filter.", "{{ messages|map(attribute=\"role\")|join(\",\") }}", "system,user"),
    builtin("max", "list | max", "The greatest item.", "{{ [1, 3, 2]|max }}", "3"),
    builtin("min", "list | min", "The smallest item.", "{{ [3, 1, 2]|min }}", "1"),
    builtin("pprint", "value | pprint", "The value on several lines, for people.", "{{ [1]|pprint }}", "[\n    1,\n]"),
    builtin("reject", "list | reject(test?, ...)", "The items that do not pass a test.", "{{ [1, 2, 3]|reject(\"odd\")|list }}", "[2]"),
    builtin("rejectattr", "list | rejectattr(attribute, test?, ...)", "The items whose attribute does not pass a test.", "{{ messages|rejectattr(\"role\", \"eq\", \"system\")|map(attribute=\"role\")|join }}", "user"),
    builtin("replace", "text | replace(pattern, with)", "The text with every occurrence of the pattern replaced.", "{{ \"a-b-c\"|replace(\"-\", \"+\") }}", "a+b+c"),
    builtin("reverse", "value | reverse", "The items or characters in reverse order.", "{{ [1, 2, 3]|reverse }}", "[3, 2, 1]"),
    builtin("round", "number | round(digits?)", "The number rounded, to a whole one unless told.", "{{ 2.7182|round(2) }}", "2.72"),
    builtin("safe", "text | safe", "Marks text that {% autoescape %} shall leave alone.", "{{ \"<b>\"|safe }}", "<b>"),
    builtin("select", "list | select(test?, ...)", "The items that pass a test.", "{{ [1, 2, 3]|select(\"odd\")|list }}", "[1, 3]"),
    builtin("selectattr", "list | selectattr(attribute, test?, ...)", "The items whose attribute passes a test.", "{{ (messages|selectattr(\"role\", \"eq\", \"user\")|first).content }}", "Hello there"),
    builtin("slice", "list | slice(count, fill?)", "The list cut into this many lists.", "{{ [1, 2, 3]|slice(2)|list }}", "[[1, 2], [3]]"),
    builtin("sort", "list | sort(reverse?, attribute?, case_sensitive?)", "The items in order.", "{{ [3, 1, 2]|sort }}", "[1, 2, 3]"),
    builtin("string", "value | string", "The value as text.", "{{ (1|string) ~ \"0\" }}", "10"),
    builtin("sum", "list | sum", "The numbers added up.", "{{ [1, 2, 3]|sum }}", "6"),
    builtin("title", "text | title", "Each word with its first letter in upper case.", "{{ \"hello there\"|title }}", "Hello There"),
    builtin("trim", "text | trim(characters?)", "The text without white space, or these characters, at both ends.", "{{ \"  x \"|trim }}", "x"),
    builtin("unique", "list | unique", "The items without repetitions.", "{{ [1, 2, 1]|unique|list }}", "[1, 2]"),
    builtin("upper", "text | upper", "The text in upper case.", "{{ \"abc\"|upper }}", "ABC"),
    builtin("zip", "list | zip(other, ...)", "Lists of the items that stand at the same place.", "{{ [1, 2]|zip([\"a\", \"b\"])|list }}", "[[1, \"a\"], [2, \"b\"]]"),
];

/// Every test of the engine, those that are operators included.
#[rustfmt::skip]
pub const TESTS: &[Builtin] = &[
    builtin("boolean", "value is boolean", "The value is true or false.", "{{ true is boolean }}", "true"),
    builtin("defined", "value is defined", "The variable is there.", "{{ missing is defined }}", "false"),
    builtin("divisibleby", "number is divisibleby(other)", "The other number divides this one.", "{{ 9 is divisibleby(3) }}", "true"),
    builtin("endingwith", "text is endingwith(end)", "The text ends so.", "{{ \"abc\" is endingwith(\"c\") }}", "true"),
    builtin("eq", "value is eq(other)", "The values are equal; also ==, equalto, sameas for the same kind.", "{{ 1 is eq(1) }}", "true"),
    builtin("==", "list | select(\"==\", other)", "The same as eq.", "{{ [1, 2]|select(\"==\", 2)|list }}", "[2]"),
    builtin("equalto", "value is equalto(other)", "The same as eq.", "{{ 1 is equalto(2) }}", "false"),
    builtin("escaped", "value is escaped", "The text was marked by safe or escape.", "{{ (\"x\"|safe) is escaped }}", "true"),
    builtin("even", "number is even", "The number is even.", "{{ 2 is even }}", "true"),
    builtin("false", "value is false", "The value is the boolean false.", "{{ false is false }}", "true"),
    builtin("filter", "name is filter", "There is a filter of this name.", "{{ \"upper\" is filter }}", "true"),
    builtin("float", "value is float", "The value is a number with a fraction.", "{{ 1.5 is float }}", "true"),
    builtin("ge", "value is ge(other)", "The value is at least the other.", "{{ 2 is ge(2) }}", "true"),
    builtin(">=", "list | select(\">=\", other)", "The same as ge.", "{{ [1, 2]|select(\">=\", 2)|list }}", "[2]"),
    builtin("greaterthan", "value is greaterthan(other)", "The same as gt.", "{{ 2 is greaterthan(1) }}", "true"),
    builtin("gt", "value is gt(other)", "The value is more than the other.", "{{ 2 is gt(1) }}", "true"),
    builtin(">", "list | select(\">\", other)", "The same as gt.", "{{ [1, 2]|select(\">\", 1)|list }}", "[2]"),
    builtin("in", "value is in(list)", "The list, map or text holds the value.", "{{ 1 is in([1, 2]) }}", "true"),
    builtin("int", "value is int", "The same as integer.", "{{ 1 is int }}", "true"),
    builtin("integer", "value is integer", "The value is a whole number.", "{{ 1.5 is integer }}", "false"),
    builtin("iterable", "value is iterable", "A loop can go over the value.", "{{ [1] is iterable }}", "true"),
    builtin("le", "value is le(other)", "The value is at most the other.", "{{ 2 is le(1) }}", "false"),
    builtin("<=", "list | select(\"<=\", other)", "The same as le.", "{{ [1, 2]|select(\"<=\", 1)|list }}", "[1]"),
    builtin("lessthan", "value is lessthan(other)", "The same as lt.", "{{ 1 is lessthan(2) }}", "true"),
    builtin("lower", "text is lower", "The text is in lower case.", "{{ \"abc\" is lower }}", "true"),
    builtin("lt", "value is lt(other)", "The value is less than the other.", "{{ 1 is lt(2) }}", "true"),
    builtin("<", "list | select(\"<\", other)", "The same as lt.", "{{ [1, 2]|select(\"<\", 2)|list }}", "[1]"),
    builtin("mapping", "value is mapping", "The value is a map.", "{{ {} is mapping }}", "true"),
    builtin("ne", "value is ne(other)", "The values differ.", "{{ 1 is ne(2) }}", "true"),
    builtin("!=", "list | select(\"!=\", other)", "The same as ne.", "{{ [1, 2]|select(\"!=\", 2)|list }}", "[1]"),
    builtin("none", "value is none", "The value is null.", "{{ none is none }}", "true"),
    builtin("number", "value is number", "The value is a number.", "{{ 1 is number }}", "true"),
    builtin("odd", "number is odd", "The number is odd.", "{{ 2 is odd }}", "false"),
    builtin("safe", "value is safe", "The same as escaped.", "{{ \"x\" is safe }}", "false"),
    builtin("sameas", "value is sameas(other)", "The values are of one kind and equal.", "{{ 1 is sameas(1) }}", "true"),
    builtin("sequence", "value is sequence", "The value is a list.", "{{ [1] is sequence }}", "true"),
    builtin("startingwith", "text is startingwith(start)", "The text starts so.", "{{ \"abc\" is startingwith(\"a\") }}", "true"),
    builtin("string", "value is string", "The value is text.", "{{ 1 is string }}", "false"),
    builtin("test", "name is test", "There is a test of this name.", "{{ \"odd\" is test }}", "true"),
    builtin("true", "value is true", "The value is the boolean true.", "{{ 1 is true }}", "false"),
    builtin("undefined", "value is undefined", "The variable is not there.", "{{ missing is undefined }}", "true"),
    builtin("upper", "text is upper", "The text is in upper case.", "{{ \"abc\" is upper }}", "false"),
];

/// Whether there is a filter of this name, of the engine or of our own.
pub(crate) fn is_filter(name: &str) -> bool {
    filter_names().any(|known| known == name)
}

/// The function of our own that is also a filter of this name.
pub(crate) fn own(name: &str) -> Option<&'static Function> {
    super::find(name).filter(|function| function.filter().is_some())
}

/// Whether there is a test of this name.
pub(crate) fn is_test(name: &str) -> bool {
    test_names().any(|known| known == name)
}

/// The names of all filters.
pub(crate) fn filter_names() -> impl Iterator<Item = &'static str> {
    let own = super::all().filter(|function| function.filter().is_some());
    FILTERS
        .iter()
        .map(|filter| filter.name)
        .chain(own.map(|function| function.name()))
}

/// The names of all tests.
pub(crate) fn test_names() -> impl Iterator<Item = &'static str> {
    TESTS.iter().map(|test| test.name)
}
