use super::*;

fn names() -> Vec<Box<str>> {
    vec!["EMAIL".into(), "EMAIL_2".into()]
}

#[test]
fn numbers_go_by_first_appearance_and_stay() {
    let mut numbering = Numbering::new(2);
    assert_eq!(numbering.number(0, "a"), Ok(1));
    assert_eq!(numbering.number(0, "b"), Ok(2));
    assert_eq!(numbering.number(1, "a"), Ok(1));
    assert_eq!(numbering.number(0, "a"), Ok(1));
}

#[test]
fn numbers_that_a_text_uses_are_skipped() {
    let mut numbering = Numbering::new(2);
    let text = "[EMAIL_1] [EMAIL_03] [EMAIL_4 [[EMAIL_2_1]] EMAIL_2] [EMAIL_99999999999999999999]";
    numbering.reserve(text, &names());
    numbering.reserve("[EMAIL_3]", &names());
    assert_eq!(numbering.number(0, "a"), Ok(2));
    assert_eq!(numbering.number(0, "b"), Ok(4));
    assert_eq!(numbering.number(1, "a"), Ok(2));
}

#[test]
fn memory_is_bounded() {
    let mut numbering = Numbering::new(1);
    for index in 0..MAX_VALUES {
        assert!(numbering.number(0, &index.to_string()).is_ok());
    }
    assert_eq!(
        numbering.number(0, "one more"),
        Err(MaskError::TooManyValues)
    );
    assert_eq!(numbering.number(0, "7"), Ok(8), "what is known stays known");
    let mut numbering = Numbering::new(1);
    let long = "x".repeat(MAX_VALUE_BYTES);
    assert_eq!(numbering.number(0, &long), Ok(1));
    assert_eq!(numbering.number(0, "y"), Err(MaskError::TooManyBytes));
}

#[test]
fn a_request_that_uses_all_numbers_is_told() {
    let mut numbering = Numbering::new(1);
    for number in 0..=MAX_NUMBER {
        numbering.reserve(&format!("[EMAIL_{number}]"), &names());
    }
    assert_eq!(numbering.number(0, "a"), Err(MaskError::TooManyValues));
}

#[test]
fn digests_are_those_of_the_key() {
    // RFC 4231, test case 2.
    let key = HashKey::new(b"Jefe");
    let placeholder = key.placeholder("EMAIL", "what do ya want for nothing?");
    assert_eq!(placeholder, "[EMAIL#5bdcc146]");
    assert_eq!(format!("{key:?}"), "HashKey");
}

#[test]
fn only_placeholders_of_the_request_are_known() {
    let mut numbering = Numbering::new(2);
    numbering.number(0, "a").unwrap();
    numbering.number(1, "b").unwrap();
    let originals = numbering.originals(&names());
    assert_eq!(originals.len(), 2);
    let is = |text: &str, at: At<'_>| assert!(originals.at(text) == at, "{text}");
    is("[EMAIL_1] x", At::Placeholder(9, "a"));
    is("[EMAIL_2_1]", At::Placeholder(11, "b"));
    is("[EMAIL_2]", At::Nothing);
    is("[EMAIL_2_", At::Cut);
    is("[", At::Cut);
    is("[EMAIL_1", At::Cut);
    is("[EMAIL_12", At::Nothing);
    is("[EMAIL_é", At::Nothing);
    is("[x]", At::Nothing);
    assert!(Originals::default().at("[EMAIL_1]") == At::Nothing);
    assert_eq!(
        format!("{originals:?} {numbering:?}"),
        "Originals(2) Numbering(2 values)"
    );
}
