//! The fields of the filter `llm-provider`. What is not known here is refused: a provider that is
//! configured by half would be asked with the wrong model, or with nobody's key.

use llm::translate::{Provider, Unsupported};

use super::shape::{Form, Forms, Json, List, Names, OneOf, Text, Words};
use super::{Field, Object};

/// `provider`
pub static PROVIDER: Field<Words<Provider>> = Field::new(
    "provider",
    Words {
        all: &[
            (Provider::Openai.name(), Provider::Openai),
            (Provider::AzureOpenai.name(), Provider::AzureOpenai),
            (Provider::Anthropic.name(), Provider::Anthropic),
            (Provider::Gemini.name(), Provider::Gemini),
            (Provider::VertexGemini.name(), Provider::VertexGemini),
            (Provider::VertexAnthropic.name(), Provider::VertexAnthropic),
            (Provider::Bedrock.name(), Provider::Bedrock),
            (
                Provider::BedrockAnthropic.name(),
                Provider::BedrockAnthropic,
            ),
        ],
        default: None,
    },
    "who answers: `openai` and everything compatible with it, `azure-openai`, `anthropic`, `gemini`, \
     `vertex-gemini`, `vertex-anthropic`, `bedrock` (Converse) or `bedrock-anthropic` (InvokeModel)",
)
.needed();

/// `model`
pub static MODEL: Field<Text> = Field::new(
    "model",
    Text::Plain,
    "the model that is asked, unless `models` has one for the client's",
)
.or_else("the client's");

/// `models`
pub static MODELS: Field<Names> = Field::new(
    "models",
    Names::of(Text::Filled, &Text::Filled).without_nulls(),
    "`{\"name\": \"model\"}`: what is asked in the place of the client's model. The exact name goes \
     first, then the longest pattern",
);

/// `auth.apiKey.file`
pub static KEY_FILE: Field<Text> = Field::new(
    "file",
    Text::Filled,
    "a file that holds the key, without the white space around it. It is read again when it changes; \
     while it cannot be read, or is empty, the last key stays",
);

/// `auth.apiKey.env`
pub static KEY_ENV: Field<Text> = Field::new(
    "env",
    Text::Filled,
    "an environment variable of Envoy's that holds the key",
);

/// `auth.apiKey.metadata.namespace`
pub static NAMESPACE: Field<Text> =
    Field::new("namespace", Text::Filled, "the namespace of the metadata").needed();

/// `auth.apiKey.metadata.key`
pub static KEY: Field<Text> = Field::new("key", Text::Filled, "the key in that namespace").needed();

/// A place in dynamic metadata.
pub static METADATA: Object = Object {
    name: "metadata",
    text: "A place in dynamic metadata, which a filter before this one has written.",
    groups: &[&[&NAMESPACE, &KEY]],
};

/// `auth.apiKey.metadata`
pub static KEY_METADATA: Field<&Object> = Field::new(
    "metadata",
    &METADATA,
    "dynamic metadata that holds the key; a request without is answered with 401",
);

/// A key, from one of three places.
pub static API_KEY: Object = Object {
    name: "apiKey",
    text: "A key, from one of these places.",
    groups: &[&[&KEY_FILE, &KEY_ENV, &KEY_METADATA]],
};

/// `auth.apiKey`
pub static API_KEY_HERE: Field<OneOf> = Field::new(
    "apiKey",
    OneOf(&API_KEY),
    "the key, which goes into the header that the provider reads it from",
);

/// `auth.gcp.tokenFile`
pub static TOKEN_FILE: Field<Text> = Field::new(
    "tokenFile",
    Text::Filled,
    "a file that holds an access token, kept up to date by somebody else. It is watched as files of \
     keys are",
)
.needed();

/// An access token of Google's.
pub static GCP: Object = Object {
    name: "gcp",
    text: "An access token of Google's.",
    groups: &[&[&TOKEN_FILE]],
};

/// `auth.gcp`
pub static GCP_HERE: Field<&Object> = Field::new(
    "gcp",
    &GCP,
    "an access token, which goes into `authorization`; for `vertex-gemini` and `vertex-anthropic`",
);

/// How the provider knows who asks.
pub static AUTH: Object = Object {
    name: "auth",
    text: "How the provider knows who asks: one of these.",
    groups: &[&[&API_KEY_HERE, &GCP_HERE]],
};

/// `auth`
pub static AUTH_HERE: Field<Forms> = Field::new(
    "auth",
    Forms {
        all: &[
            Form::of(&OneOf(&AUTH)),
            Form::of(&Words {
                all: &[("none", ())],
                default: None,
            }),
        ],
    },
    "how the provider knows who asks; see [auth](#auth). `\"none\"` leaves it to a filter behind this \
     one, such as `aws_request_signing` or `credential_injector`. The client's own credentials are \
     taken away in any case",
)
.or_else("`\"none\"`");

/// `defaults`
pub static DEFAULTS: Field<Names> = Field::new(
    "defaults",
    Names::of(Text::Plain, &Json),
    "members of the client's request where it has none of the name, as far as its dialect knows them; \
     not of counts and embeddings. See [what is added](#what-is-added)",
);

/// `set`
pub static SET: Field<Names> = Field::new(
    "set",
    Names::of(Text::Plain, &Json),
    "members at the top of the request that goes to the provider, in its own words, whatever the client \
     says; not of counts",
);

/// `remove`
pub static REMOVE: Field<List> = Field::new(
    "remove",
    List { of: &Text::Plain },
    "members at the top of the client's request that are left out before it is read",
);

/// `unsupported`
pub static UNSUPPORTED: Field<Words<Unsupported>> = Field::new(
    "unsupported",
    Words {
        all: &[("refuse", Unsupported::Refuse), ("drop", Unsupported::Drop)],
        default: Some(Unsupported::Refuse),
    },
    "what becomes of what the provider cannot express: `refuse` answers the request with 422 and the \
     name of the field, `drop` leaves the field out and counts it",
);

/// `authority`
pub static AUTHORITY: Field<Text> = Field::new(
    "authority",
    Text::Host,
    "the host that requests are for. Who must have one of their own (`azure-openai`) and leave it out \
     keep the client's",
)
.or_else("the provider's");

/// `region`
pub static REGION: Field<Text> = Field::new(
    "region",
    Text::Word,
    "Vertex, which needs it for its paths, and Bedrock: where",
);

/// `project`
pub static PROJECT: Field<Text> =
    Field::new("project", Text::Word, "Vertex, which needs it: whose");

/// `apiVersion`
pub static API_VERSION: Field<Text> = Field::new(
    "apiVersion",
    Text::Word,
    "Azure: `api-version` (without, its version 1). Anthropic, wherever it runs: another \
     `anthropic-version`",
)
.or_else("the provider's");

/// `pathPrefix`
pub static PATH_PREFIX: Field<Text> = Field::new(
    "pathPrefix",
    Text::PathPrefix,
    "what paths begin with, in the place of what is usual at the provider (`/v1` for `openai`)",
)
.or_else("the provider's");

/// One provider.
pub static ONE: Object = Object {
    name: "provider",
    text: "One provider.",
    groups: &[&[
        &PROVIDER,
        &MODEL,
        &MODELS,
        &AUTH_HERE,
        &DEFAULTS,
        &SET,
        &REMOVE,
        &UNSUPPORTED,
        &AUTHORITY,
        &REGION,
        &PROJECT,
        &API_VERSION,
        &PATH_PREFIX,
    ]],
};

/// `providers`
pub static PROVIDERS: Field<Names> = Field::new(
    "providers",
    Names::of(Text::Plain, &AS_ONE).without_nulls().not_empty(),
    "several providers by names of your own, in the place of everything above. Which of them is asked \
     says the metadata of the host that was picked: `rustformations.llm: {provider: NAME}`",
)
.needed();

static AS_ONE: &Object = &ONE;

/// Several providers.
pub static SEVERAL: Object = Object {
    name: "providers",
    text: "Several providers.",
    groups: &[&[&PROVIDERS]],
};
