//! The fields at the top of a configuration.

use super::on_error::ON_ERRORS;
use super::shape::{Form, Forms, List, Names, Text, Whole, Words};
use super::transform::{REQUEST, RESPONSE};
use super::{AnyField, Field, Object};
use crate::config::OnError;

/// `request`
pub static REQUESTS: Field<Forms> = Field::new(
    "request",
    Forms {
        all: &[Form::of(&&REQUEST), Form::of(&List { of: &&REQUEST })],
    },
    "the transform of requests, or a list of transforms, of which the first whose `when` holds is \
     applied; see [`when`](#when)",
)
.since("2.2")
.or_else("nothing");

/// `response`
pub static RESPONSES: Field<Forms> = Field::new(
    "response",
    Forms {
        all: &[Form::of(&&RESPONSE), Form::of(&List { of: &&RESPONSE })],
    },
    "the same for responses, local replies of other filters included",
)
.since("2.2")
.or_else("nothing");

/// `onError` at the top
pub static ON_ERROR: Field<Words<OnError>> = Field::new(
    "onError",
    Words {
        all: ON_ERRORS,
        default: Some(OnError::Auto),
    },
    "for both directions, unless they say otherwise; see [`onError`](#onerror)",
)
.not_in_policies();

/// `vars`
pub static VARS: Field<Names> = Field::new(
    "vars",
    Names::of(Text::Name, &Text::Template),
    "`{\"name\": template}`: texts that all templates know by their names, rendered once for each \
     exchange; see [`vars`](#vars)",
)
.not_in_policies();

/// `limits`
pub static LIMITS_OF_ALL: Field<&Object> = Field::new(
    "limits",
    &LIMITS,
    "bounds on rendering; see [`limits`](#limits)",
)
.not_in_policies();

/// `envAllow`
pub static ENV_ALLOW: Field<List> = Field::new(
    "envAllow",
    List { of: &Text::Plain },
    "the environment variables that `env()` may read. `RUSTFORMATIONS_ENV_ALLOW` (names separated by \
     commas, in Envoy's environment) is the outer limit, and what a `TrafficPolicy` has instead; \
     without either, templates can read everything, and a configuration that calls `env()` gets a \
     warning",
)
.not_in_policies()
.or_else("every name");

/// `ai`
pub static AI_HERE: Field<&Object> = Field::new(
    "ai",
    &super::ai::AI,
    "what is done about LLM traffic; see [llm.md](llm.md). Unknown fields in it are errors",
)
.not_in_policies();

/// `provider`
pub static PROVIDER_HERE: Field<&Object> = Field::new(
    "provider",
    &super::provider::ONE,
    "who answers: behind everything else in a request, and before it in the response, both are \
     translated for that provider of language models, as its filter does it in the chain of a listener; \
     see [providers.md](providers.md). Unknown fields in it are errors",
)
.not_in_policies();

/// The whole configuration.
pub static CONFIGURATION: Object = Object {
    name: "configuration",
    text: "What happens to the requests and responses of a filter or route.",
    groups: &[&[
        &REQUESTS,
        &RESPONSES,
        &ON_ERROR,
        &VARS,
        &LIMITS_OF_ALL,
        &ENV_ALLOW,
        &AI_HERE,
        &PROVIDER_HERE,
    ]],
};

/// `limits.fuel`
pub static FUEL: Field<Whole> = Field::new(
    "fuel",
    Whole::pieces(1, 100_000_000).or(1_000_000),
    "instructions that one template may run; a body of more than 64 KiB that is read adds one for \
     each of its bytes",
);

/// `limits.outputBytes`
pub static OUTPUT_BYTES: Field<Whole> = Field::new(
    "outputBytes",
    Whole::bytes(256 << 20).or(32 << 20),
    "bytes that the templates of one direction may produce together, intermediate values included; \
     those of one event of a stream have as much for themselves",
);

/// `limits.recursion`: the largest is safe on the stack of an Envoy worker.
pub static RECURSION: Field<Whole> = Field::new(
    "recursion",
    Whole::pieces(1, 200).or(100),
    "how deep templates may call themselves",
);

/// `limits.decodeRatio`
pub static DECODE_RATIO: Field<Whole> = Field::new(
    "decodeRatio",
    Whole::pieces(1, 10_000).or(100),
    "how many bytes a compressed body may decode to for each of its own, beyond the first MiB",
);

/// Bounds on rendering.
pub static LIMITS: Object = Object {
    name: "limits",
    text: "Bounds on the rendering of templates.",
    groups: &[&[&FUEL, &OUTPUT_BYTES, &RECURSION, &DECODE_RATIO]],
};

/// The fields of kgateway 2.0, which moved twice since: ignored, and told where what they said belongs.
pub static OLDEST: [&AnyField; 3] = [
    &Field::new(
        "request_headers_setter",
        super::shape::Json,
        "`request.set`",
    ),
    &Field::new(
        "response_headers_setter",
        super::shape::Json,
        "`response.set`",
    ),
    &Field::new(
        "route_specific",
        super::shape::Json,
        "a configuration on each route",
    ),
];
