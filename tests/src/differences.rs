//! Where supported Envoys differ in what a client or an origin can see: each difference once.
//!
//! Read by tests that run on every release and expect the same everywhere but here. A difference that
//! is not in this file is a defect of the module.

use crate::envoy::Version;

/// Something that an Envoy release brought.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    major: u16,
    minor: u16,
    /// What holds from that release on, and what held before.
    pub what: &'static str,
}

impl Difference {
    const fn since(major: u16, minor: u16, what: &'static str) -> Self {
        Self { major, minor, what }
    }

    /// Whether `version` has it.
    pub fn is_in(self, version: Version) -> bool {
        version.at_least(self.major, self.minor)
    }
}

/// Adding to a header that is there.
pub const ADD_MAKES_A_LINE: Difference = Difference::since(
    1,
    37,
    "adding a header makes a further line; before, there is one line with the values joined by \", \"",
);

/// The field of a per-route configuration that names the filter inside the module.
pub const PER_ROUTE_FILTER_NAME: Difference = Difference::since(
    1,
    38,
    "a per-route configuration may say filter_name; before, only per_route_config_name is known",
);

/// The other spelling of that field.
pub const PER_ROUTE_CONFIG_NAME_IS_OLD: Difference = Difference::since(
    1,
    38,
    "per_route_config_name works with a deprecation warning; before, without one",
);

/// What an access log says about an answer of the module.
pub const LOCAL_REPLY_SAYS_WHY: Difference = Difference::since(
    1,
    37,
    "the details of a local reply name the error; before, a module cannot give any",
);

/// A filter configuration given as `google.protobuf.Struct`.
pub const STRUCT_IS_JSON: Difference = Difference::since(
    1,
    38,
    "the module gets the JSON of a Struct; before, its wire form, which is refused with the remedy",
);

/// The same on a route.
pub const PER_ROUTE_STRUCT_IS_JSON: Difference = Difference::since(
    1,
    39,
    "the module gets the JSON of a route's Struct; before, its wire form, which is refused with the remedy",
);

/// Values of dynamic metadata.
pub const METADATA_HOLDS_BOOLEANS: Difference = Difference::since(
    1,
    38,
    "dynamic metadata can be set to a boolean; before, a configuration that asks for it is refused",
);

/// Names of the statistics that a module defines.
pub const STATS_NAMESPACE_IS_CONFIGURABLE: Difference = Difference::since(
    1,
    38,
    "metrics_namespace replaces the prefix dynamicmodulescustom; before, the prefix is fixed",
);

/// How much of a body Envoy will hold.
pub const BUFFER_LIMIT_IS_RAISABLE: Difference = Difference::since(
    1,
    38,
    "a filter may raise the buffer limit of its stream; before, only the configuration can",
);

/// What `jsonValue` may be.
pub const METADATA_HOLDS_LISTS: Difference = Difference::since(
    1,
    38,
    "dynamic metadata can hold lists; before, a configuration that could make one is refused",
);

/// The rest of what `jsonValue` may be.
pub const METADATA_NESTS: Difference = Difference::since(
    1,
    40,
    "dynamic metadata can hold objects and lists of anything; before, a configuration that makes one is refused",
);

/// Responses that a filter in a cluster's chain holds back, Lua's and Buffer's kin included.
pub const HELD_RESPONSES_ARE_RETRIED: Difference = Difference::since(
    1,
    37,
    "a response that an upstream filter holds can be retried; before, Envoy itself crashes of it",
);
