//! Costs worked out by hand, and price tables of both shapes.

use proptest::prelude::*;

use super::*;

const TABLE: &str = r#"{
    "gpt-4o*": {"input": "2.50", "cachedInput": "1.25", "output": "10.00"},
    "gpt-4o-mini": {"input": "0.15", "output": "0.60"},
    "claude-sonnet-4*": {
        "input": "3", "cachedInput": "0.30", "cacheWrite": "3.75", "output": "15",
        "tiers": [{"above": 200000, "input": "6", "output": "22.50"}]
    },
    "thinker": {"input": "1", "output": "2", "reasoning": "5"},
    "fine": {"input": "0.0001", "output": "0.0005"},
    "embedder": {"input": "0.02"},
    "free": {"input": "0", "output": "0"},
    "dear": {"input": "1000000", "output": "1000000"}
}"#;

fn prices() -> Prices {
    let loaded = Prices::read(TABLE).unwrap();
    assert_eq!((loaded.shape, loaded.skipped), (Shape::Own, 0));
    loaded.prices
}

/// Input, cached, written, output, thought.
fn usage(counts: (u64, u64, u64, u64, u64)) -> Usage {
    let told = |count: u64| Some(count).filter(|count| *count > 0);
    Usage {
        input_tokens: counts.0,
        cached_tokens: told(counts.1),
        cache_creation_tokens: told(counts.2),
        output_tokens: counts.3,
        reasoning_tokens: told(counts.4),
    }
}

#[test]
fn costs_are_those_of_paper_and_pencil() {
    let priced = |nano| Cost::Priced(nano);
    let prices = prices();
    for (model, counts, expected) in [
        // In nanodollars for a token: input 2500, cached 1250, output 10000.
        // 128 * 2500 + 1920 * 1250 + 96 * 10000 = 320000 + 2400000 + 960000
        ("gpt-4o-2024", (2048, 1920, 0, 96, 64), priced(3_680_000)),
        // 1000 * 150 + 10 * 600; cached input falls back to input.
        ("gpt-4o-mini", (1000, 500, 0, 10, 0), priced(156_000)),
        // 12 * 3000 + 4000 * 300 + 300 * 3750 + 25 * 15000 = 36000 + 1200000 + 1125000 + 375000
        (
            "claude-sonnet-4-5",
            (4312, 4000, 300, 25, 0),
            priced(2_736_000),
        ),
        // 200000 is not above: 200000 * 3000 + 10 * 15000
        (
            "claude-sonnet-4-5",
            (200_000, 0, 0, 10, 0),
            priced(600_150_000),
        ),
        // The whole in the tier: 200001 * 6000 + 10 * 22500
        (
            "claude-sonnet-4-5",
            (200_001, 0, 0, 10, 0),
            priced(1_200_231_000),
        ),
        // Cached and written ones as below the tier, which does not name them:
        // (250000 - 200000 - 10000) * 6000 + 200000 * 300 + 10000 * 3750 + 100 * 22500
        // = 240000000 + 60000000 + 37500000 + 2250000
        (
            "claude-sonnet-4-5",
            (250_000, 200_000, 10_000, 100, 0),
            priced(339_750_000),
        ),
        // Thoughts apart: 100 * 1000 + (50 - 20) * 2000 + 20 * 5000
        ("thinker", (100, 0, 0, 50, 20), priced(260_000)),
        // Parts larger than the whole are the whole: 10 * 1000 + 5 * 5000; nothing is counted
        // twice.
        ("thinker", (10, 0, 0, 5, 90), priced(35_000)),
        ("claude-sonnet-4-5", (10, 90, 90, 0, 0), priced(3_000)),
        // 0.1 and 0.5 nanodollars: 4 * 0.1 = 0.4 is 0, 5 * 0.1 = 0.5 is 1, 1 * 0.1 + 1 * 0.5 is 1,
        // 3 * 0.5 = 1.5 is 2. One rounding for the whole: 4 * 0.1 + 1 * 0.5 = 0.9 is 1, not 0 + 1.
        ("fine", (4, 0, 0, 0, 0), priced(0)),
        ("fine", (5, 0, 0, 0, 0), priced(1)),
        ("fine", (1, 0, 0, 1, 0), priced(1)),
        ("fine", (0, 0, 0, 3, 0), priced(2)),
        ("fine", (4, 0, 0, 1, 0), priced(1)),
        ("embedder", (1_000, 0, 0, 0, 0), priced(20_000)),
        // Output has no price here.
        ("embedder", (1_000, 0, 0, 1, 0), Cost::UnknownModel),
        ("free", (1_000_000, 0, 0, 7, 0), priced(0)),
        ("gpt-4o", (0, 0, 0, 0, 0), priced(0)),
        ("other", (1, 0, 0, 1, 0), Cost::UnknownModel),
        // A dollar a token: 9007199 dollars are told, one more is not.
        (
            "dear",
            (9_007_199, 0, 0, 0, 0),
            priced(9_007_199_000_000_000),
        ),
        ("dear", (9_007_200, 0, 0, 0, 0), priced(HIGHEST_NANO_USD)),
        (
            "dear",
            (u64::MAX, 0, 0, u64::MAX, u64::MAX),
            priced(HIGHEST_NANO_USD),
        ),
    ] {
        let cost = prices.cost(Some(model), Some(&usage(counts)));
        assert_eq!(cost, expected, "{model} {counts:?}");
    }
}

#[test]
fn what_is_not_known_has_no_cost() {
    let prices = prices();
    let told = usage((1, 0, 0, 1, 0));
    assert_eq!(prices.cost(Some("gpt-4o"), None), Cost::NoUsage);
    assert_eq!(prices.cost(Some("other"), None), Cost::NoUsage);
    assert_eq!(prices.cost(None, Some(&told)), Cost::UnknownModel);
    assert_eq!(cost(&[], Some("gpt-4o"), Some(&told)), Cost::UnknownModel);
}

#[test]
fn what_an_operator_wrote_goes_before_a_file() {
    let read = |text| Prices::read(text).unwrap().prices;
    let written = read(r#"{"gpt-*": {"input": "1", "output": "1"}}"#);
    let file =
        read(r#"{"gpt-4": {"input": "9", "output": "9"}, "o3": {"input": "2", "output": "2"}}"#);
    let one = usage((1, 0, 0, 0, 0));
    let of = |model| cost(&[&written, &file], Some(model), Some(&one));
    assert_eq!(of("gpt-4"), Cost::Priced(1_000));
    assert_eq!(of("o3"), Cost::Priced(2_000));
    assert_eq!(of("o4"), Cost::UnknownModel);
}

#[test]
fn tiers_build_on_each_other_in_their_order() {
    let text = r#"{"m": {"input": "1", "output": "1", "tiers": [
        {"above": 300, "output": "4"}, {"above": 100, "input": "2", "output": "3"}]}}"#;
    let prices = Prices::read(text).unwrap().prices;
    let of = |input| prices.cost(Some("m"), Some(&usage((input, 0, 0, 1, 0))));
    assert_eq!(of(100), Cost::Priced(100 * 1_000 + 1_000));
    assert_eq!(of(101), Cost::Priced(101 * 2_000 + 3_000));
    assert_eq!(of(301), Cost::Priced(301 * 2_000 + 4_000));
}

#[test]
fn mistakes_in_our_own_shape_are_told_with_their_place() {
    use PriceFileFault::{
        EmptyPattern, NoAbove, NoCount, NoObject, NoPrice, NoText, NoTiers, Repeated, SameTier,
        UnknownField,
    };
    for (text, path, fault) in [
        ("[]", "", NoObject),
        (r#"{"m": "2"}"#, "m", NoObject),
        (r#"{"m": {}}"#, "m", NoPrice),
        (r#"{"m": {"cachedInput": "1"}}"#, "m", NoPrice),
        (r#"{"": {"input": "1"}}"#, "", EmptyPattern),
        (r#"{"m": {"inputs": "1"}}"#, "m.inputs", UnknownField),
        (
            r#"{"m": {"input": "1", "above": 1}}"#,
            "m.above",
            UnknownField,
        ),
        (r#"{"m": {"input": 2.5}}"#, "m.input", NoText),
        (
            r#"{"m": {"input": "2,5"}}"#,
            "m.input",
            PriceFileFault::Price(PriceError::NotANumber),
        ),
        (
            r#"{"m": {"input": "1", "input": "2"}}"#,
            "m.input",
            Repeated,
        ),
        (
            r#"{"m": {"input": "1"}, "m": {"input": "1"}}"#,
            "m",
            Repeated,
        ),
        (r#"{"m": {"input": "1", "tiers": {}}}"#, "m.tiers", NoTiers),
        (r#"{"m": {"input": "1", "tiers": [1]}}"#, "m.tiers", NoTiers),
        (
            r#"{"m": {"input": "1", "tiers": [{"input": "1"}]}}"#,
            "m.tiers[0]",
            NoAbove,
        ),
        (
            r#"{"m": {"input": "1", "tiers": [{"above": "9"}]}}"#,
            "m.tiers[0].above",
            NoCount,
        ),
        (
            r#"{"m": {"input": "1", "tiers": [{"above": -9}]}}"#,
            "m.tiers[0].above",
            NoCount,
        ),
        (
            r#"{"m": {"input": "1", "tiers": [{"above": 9, "tiers": []}]}}"#,
            "m.tiers[0].tiers",
            UnknownField,
        ),
        (
            r#"{"m": {"input": "1", "tiers": [{"above": 9}, {"above": 9.0}]}}"#,
            "m.tiers",
            SameTier,
        ),
        (
            r#"{"m": {"input": "1", "tiers": [{"above": 1}, {"above": 2, "output": "-1"}]}}"#,
            "m.tiers[1].output",
            PriceFileFault::Price(PriceError::Negative),
        ),
    ] {
        let error = Prices::read(text).map(|_| ()).unwrap_err();
        assert_eq!((error.path.as_str(), error.fault), (path, fault), "{text}");
    }
    let error = Prices::read("{\"m\":").map(|_| ()).unwrap_err();
    assert!(matches!(error.fault, PriceFileFault::Json(_)));
    let error = Prices::read(r#"{"m": {"input": 2.5}}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "m.input: a price must be a decimal number as text, such as \"2.50\""
    );
}

#[test]
fn the_table_of_litellm_is_recognised_and_read_from_its_digits() {
    let text = r#"{
        "sample_spec": {"input_cost_per_token": 0.0000000, "litellm_provider": "one of ..."},
        "gpt-4o": {
            "max_tokens": 16384, "litellm_provider": "openai", "mode": "chat",
            "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
            "cache_read_input_token_cost": 1.25e-06, "input_cost_per_token_batches": 1.25e-06,
            "input_cost_per_token_priority": 4.25e-06, "supports_vision": true
        },
        "claude-sonnet-4-5": {
            "litellm_provider": "anthropic",
            "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
            "cache_read_input_token_cost": 3e-07, "cache_creation_input_token_cost": 3.75e-06,
            "cache_creation_input_token_cost_above_1hr": 6e-06,
            "input_cost_per_token_above_200k_tokens": 6e-06,
            "output_cost_per_token_above_200k_tokens": 2.25e-05,
            "cache_read_input_token_cost_above_200k_tokens": 6e-07
        },
        "thinker": {
            "input_cost_per_token": 1E-6, "output_cost_per_token": "2e-6",
            "output_cost_per_reasoning_token": 0.000005
        },
        "text-embedding-3-small": {"input_cost_per_token": 2e-08, "output_cost_per_token": 0.0},
        "no-output": {"input_cost_per_token": 1e-06, "output_cost_per_token": null},
        "dall-e-3": {"input_cost_per_image": 0.04, "litellm_provider": "openai"},
        "broken": {"input_cost_per_token": -1, "output_cost_per_token": 1e-06},
        "azure/*": {"input_cost_per_token": 1e-06},
        "not-an-object": 7
    }"#;
    let loaded = Prices::read(text).unwrap();
    assert_eq!(loaded.shape, Shape::LiteLlm);
    assert_eq!((loaded.prices.len(), loaded.skipped), (5, 5));
    let of = |model, counts| loaded.prices.cost(Some(model), Some(&usage(counts)));
    assert_eq!(
        of("gpt-4o", (2048, 1920, 0, 96, 64)),
        Cost::Priced(3_680_000)
    );
    assert_eq!(
        of("claude-sonnet-4-5", (4312, 4000, 300, 25, 0)),
        Cost::Priced(2_736_000)
    );
    // 40000 * 6000 + 200000 * 600 + 10000 * 3750 + 100 * 22500
    let long = (250_000, 200_000, 10_000, 100, 0);
    assert_eq!(of("claude-sonnet-4-5", long), Cost::Priced(399_750_000));
    assert_eq!(of("thinker", (100, 0, 0, 50, 20)), Cost::Priced(260_000));
    // 3 * 20 nanodollars.
    assert_eq!(
        of("text-embedding-3-small", (3, 0, 0, 0, 0)),
        Cost::Priced(60)
    );
    assert_eq!(of("no-output", (1, 0, 0, 1, 0)), Cost::UnknownModel);
    for unknown in [
        "sample_spec",
        "dall-e-3",
        "broken",
        "azure/x",
        "azure/*",
        "not-an-object",
    ] {
        assert_eq!(
            of(unknown, (1, 0, 0, 0, 0)),
            Cost::UnknownModel,
            "{unknown}"
        );
    }
}

#[test]
fn both_shapes_say_the_same() {
    let own = Prices::read(r#"{"m": {"input": "0.1", "output": "0.3"}}"#)
        .unwrap()
        .prices;
    let theirs = r#"{"m": {"input_cost_per_token": 1e-07, "output_cost_per_token": 3e-07}}"#;
    assert_eq!(
        own.find("m"),
        Prices::read(theirs).unwrap().prices.find("m")
    );
}

proptest! {
    #[test]
    fn no_usage_is_too_much(
        counts in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>())
    ) {
        for model in ["dear", "fine", "claude-sonnet-4-5", "thinker"] {
            match prices().cost(Some(model), Some(&usage(counts))) {
                Cost::Priced(nano) => prop_assert!(nano <= HIGHEST_NANO_USD),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn more_tokens_never_cost_less(input in 0u64..1 << 40, output in 0u64..1 << 40, more in 0u64..1 << 20) {
        let prices = prices();
        let of = |input, output| match prices.cost(Some("claude-sonnet-4-5"), Some(&usage((input, 0, 0, output, 0)))) {
            Cost::Priced(nano) => nano,
            _ => 0,
        };
        prop_assert!(of(input + more, output) >= of(input, output));
        prop_assert!(of(input, output + more) >= of(input, output));
    }

    #[test]
    fn any_text_is_a_table_or_is_not(text in r#"(\{|\}|\[|\]|"m"|"input"|"tiers"|"1"|:|,|1|"above"|"litellm_provider"){0,14}"#) {
        let _ = Prices::read(&text);
    }
}
