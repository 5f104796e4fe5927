//! What counts as a number where a template needs one: numbers, and texts that spell one.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::NodeValue;

/// The number that a value is, or that its text spells: a header says `12`, and means it.
pub(crate) fn of_value(value: &Value) -> Option<Value> {
    match value.as_str() {
        Some(text) => of_text(text),
        None => own(value),
    }
}

/// The number that a value is by itself.
pub(crate) fn own(value: &Value) -> Option<Value> {
    if value.kind() == ValueKind::Number {
        return Some(value.clone());
    }
    let found = value.downcast_object_ref::<NodeValue>()?;
    found.as_f64().map(Value::from)
}

/// Decimal digits with a sign, a point and an exponent as far as there are any; white space around
/// them is nothing.
fn of_text(text: &str) -> Option<Value> {
    let text = text.trim_ascii();
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Value::from(integer));
    }
    // Words such as "inf" would be floats too.
    let is_plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let number = text.parse::<f64>().ok()?;
    (number.is_finite() && text.bytes().all(is_plain)).then(|| Value::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbers_if_they_spell_one() {
        for (text, number) in [
            ("12", Some(12.0)),
            (" 007 ", Some(7.0)),
            ("-1.5e3", Some(-1500.0)),
            ("18446744073709551616", Some(18_446_744_073_709_551_616.0)),
            ("", None),
            ("inf", None),
            ("NaN", None),
            ("1e999", None),
            ("10, 20", None),
            ("1_000", None),
            ("0x10", None),
        ] {
            let found = of_value(&Value::from(text)).and_then(|it| f64::try_from(it).ok());
            assert_eq!(found, number, "{text}");
        }
    }
}
