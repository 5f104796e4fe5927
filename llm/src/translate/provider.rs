//! The providers: where each is, how it is asked, and by which header it knows who asks.
//!
//! Facts only; keys, regions and projects come from whoever configures. Read when a configuration
//! is compiled (names, authorities, headers) and for each request on its worker thread (paths).

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Options;
use crate::dialect::Dialect;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// OpenAI, and everything that is compatible with it.
    Openai,
    /// OpenAI's models in Azure.
    AzureOpenai,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// Google's models in Vertex AI.
    VertexGemini,
    /// Anthropic's models in Vertex AI.
    VertexAnthropic,
    /// Amazon Bedrock by its Converse API, whatever the model.
    Bedrock,
    /// Anthropic's models in Amazon Bedrock, by InvokeModel.
    BedrockAnthropic,
}

/// What is known of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderFacts {
    /// The name in configurations.
    pub name: &'static str,
    /// Where it is, with `{region}` for the region; none where everybody has an address of their
    /// own.
    pub authority: Option<&'static str>,
    /// The header that holds the key.
    pub key_header: &'static str,
    /// What stands before the key in that header.
    pub key_prefix: &'static str,
    /// A header that names the version of the API, and the version this was written for.
    pub version_header: Option<(&'static str, &'static str)>,
    /// What `anthropic_version` in bodies says.
    pub body_version: Option<&'static str>,
    /// What the path begins with unless another prefix is configured.
    pub prefix: &'static str,
    /// Whether the model stands in the path, and not in the body.
    pub is_model_in_path: bool,
    /// Whether a body says that a stream is wanted; elsewhere the path does.
    pub is_stream_in_body: bool,
    /// Whether streams come in Amazon's binary framing, and not as Server-Sent Events.
    pub is_framed: bool,
}

/// Every header in which a client of any provider sends who it is. None of them may reach a
/// provider that the client did not mean it for.
pub const CREDENTIAL_HEADERS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-goog-user-project",
    "x-amz-security-token",
    "openai-organization",
    "openai-project",
];

/// The parameters of a query in which clients of Gemini may send who they are.
const CREDENTIAL_PARAMETERS: [&str; 2] = ["key", "access_token"];

/// The path without what says in its query who the client is: that is for no provider, as are
/// [`CREDENTIAL_HEADERS`].
pub fn without_key(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let is_key = |it: &&str| {
        let name = it.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        CREDENTIAL_PARAMETERS.contains(&&*name)
    };
    let kept: Vec<_> = query.split('&').filter(|it| !is_key(it)).collect();
    match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", kept.join("&")),
    }
}

const GOOGLE: ProviderFacts = ProviderFacts {
    name: "gemini",
    authority: Some("generativelanguage.googleapis.com"),
    key_header: "x-goog-api-key",
    key_prefix: "",
    version_header: None,
    body_version: None,
    prefix: "/v1beta",
    is_model_in_path: true,
    is_stream_in_body: false,
    is_framed: false,
};

const BEDROCK: ProviderFacts = ProviderFacts {
    name: "bedrock",
    authority: Some("bedrock-runtime.{region}.amazonaws.com"),
    key_header: "authorization",
    key_prefix: "Bearer ",
    version_header: None,
    body_version: None,
    prefix: "",
    is_model_in_path: true,
    is_stream_in_body: false,
    is_framed: true,
};

impl Provider {
    /// Every provider, in the order of documentation.
    pub const ALL: [Provider; 8] = [
        Provider::Openai,
        Provider::AzureOpenai,
        Provider::Anthropic,
        Provider::Gemini,
        Provider::VertexGemini,
        Provider::VertexAnthropic,
        Provider::Bedrock,
        Provider::BedrockAnthropic,
    ];

    /// What is known of it.
    pub const fn facts(self) -> ProviderFacts {
        const OPENAI: ProviderFacts = ProviderFacts {
            name: "openai",
            authority: Some("api.openai.com"),
            key_header: "authorization",
            key_prefix: "Bearer ",
            version_header: None,
            body_version: None,
            prefix: "/v1",
            is_model_in_path: false,
            is_stream_in_body: true,
            is_framed: false,
        };
        const VERTEX: ProviderFacts = ProviderFacts {
            name: "vertex-gemini",
            authority: Some("{region}-aiplatform.googleapis.com"),
            key_header: "authorization",
            key_prefix: "Bearer ",
            prefix: "/v1",
            ..GOOGLE
        };
        match self {
            Provider::Openai => OPENAI,
            Provider::AzureOpenai => ProviderFacts {
                name: "azure-openai",
                authority: None,
                key_header: "api-key",
                key_prefix: "",
                prefix: "/openai",
                ..OPENAI
            },
            Provider::Anthropic => ProviderFacts {
                name: "anthropic",
                authority: Some("api.anthropic.com"),
                key_header: "x-api-key",
                key_prefix: "",
                version_header: Some(("anthropic-version", "2023-06-01")),
                ..OPENAI
            },
            Provider::Gemini => GOOGLE,
            Provider::VertexGemini => VERTEX,
            Provider::VertexAnthropic => ProviderFacts {
                name: "vertex-anthropic",
                body_version: Some("vertex-2023-10-16"),
                is_stream_in_body: true,
                ..VERTEX
            },
            Provider::Bedrock => BEDROCK,
            Provider::BedrockAnthropic => ProviderFacts {
                name: "bedrock-anthropic",
                body_version: Some("bedrock-2023-05-31"),
                ..BEDROCK
            },
        }
    }

    /// The name in configurations.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The provider of this name.
    pub fn named(name: &str) -> Option<Provider> {
        Provider::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Where it is for a region; none where that must be configured.
    pub fn authority(self, region: &str) -> Option<String> {
        let authority = self.facts().authority?;
        if !authority.contains("{region}") {
            return Some(authority.to_owned());
        }
        let is_vertex = matches!(self, Provider::VertexGemini | Provider::VertexAnthropic);
        match region {
            "" => None,
            "global" if is_vertex => Some("aiplatform.googleapis.com".to_owned()),
            "us" | "eu" if is_vertex => Some(format!("aiplatform.{region}.rep.googleapis.com")),
            _ => Some(authority.replace("{region}", region)),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands for itself in a segment of a path; a slash in the name of a model does not.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'@');

/// What is asked of a provider, as far as its path says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asks<'a> {
    /// The dialect that goes upstream; none for Bedrock's own.
    pub(super) dialect: Option<Dialect>,
    pub(super) model: &'a str,
    pub(super) stream: bool,
    /// Tokens are to be counted, and nothing answered.
    pub(super) count: bool,
    /// The query that the client sent, where it goes on, be it empty.
    pub(super) query: Option<&'a str>,
}

/// The path at a provider, query included.
pub(super) fn path(provider: Provider, asks: Asks<'_>, options: &Options<'_>) -> String {
    let prefix = match options.path_prefix.trim_end_matches('/') {
        "" => provider.facts().prefix,
        prefix => prefix,
    };
    let model = utf8_percent_encode(asks.model, SEGMENT);
    let endpoint = match asks.dialect {
        Some(Dialect::OpenaiResponses) if asks.count => "responses/input_tokens",
        Some(Dialect::OpenaiResponses) => "responses",
        Some(Dialect::OpenaiCompletions) => "completions",
        Some(Dialect::OpenaiEmbeddings) => "embeddings",
        Some(Dialect::AnthropicMessages) if asks.count => "messages/count_tokens",
        Some(Dialect::AnthropicMessages) => "messages",
        _ => "chat/completions",
    };
    let is_google = matches!(provider, Provider::Gemini | Provider::VertexGemini);
    let query = match asks.query {
        Some("") => String::new(),
        Some(query) => format!("?{query}"),
        // Streams are read as events here; a client of Gemini's own says what it reads.
        None if is_google && asks.stream => "?alt=sse".to_owned(),
        None => String::new(),
    };
    match provider {
        Provider::Openai | Provider::Anthropic => format!("{prefix}/{endpoint}{query}"),
        Provider::AzureOpenai => match options.api_version {
            "" | "v1" => format!("{prefix}/v1/{endpoint}"),
            "preview" => format!("{prefix}/v1/{endpoint}?api-version=preview"),
            version if endpoint.starts_with("responses") => {
                format!("{prefix}/{endpoint}?api-version={version}")
            }
            version => format!("{prefix}/deployments/{model}/{endpoint}?api-version={version}"),
        },
        Provider::Gemini => {
            let name = asks.model.strip_prefix("models/").unwrap_or(asks.model);
            let name = utf8_percent_encode(name, SEGMENT);
            format!("{prefix}/models/{name}:{}{query}", google_method(asks))
        }
        Provider::VertexGemini => {
            let models = vertex_models(prefix, "google", options);
            format!("{models}/{model}:{}{query}", google_method(asks))
        }
        Provider::VertexAnthropic => {
            let models = vertex_models(prefix, "anthropic", options);
            match (asks.count, asks.stream) {
                (true, _) => format!("{models}/count-tokens:rawPredict"),
                (false, true) => format!("{models}/{model}:streamRawPredict"),
                (false, false) => format!("{models}/{model}:rawPredict"),
            }
        }
        Provider::Bedrock => {
            let method = if asks.stream {
                "converse-stream"
            } else {
                "converse"
            };
            format!("{prefix}/model/{model}/{method}")
        }
        Provider::BedrockAnthropic => {
            let stream = if asks.stream {
                "-with-response-stream"
            } else {
                ""
            };
            format!("{prefix}/model/{model}/invoke{stream}")
        }
    }
}

fn google_method(asks: Asks<'_>) -> &'static str {
    match (asks.count, asks.stream) {
        (true, _) => "countTokens",
        (false, true) => "streamGenerateContent",
        (false, false) => "generateContent",
    }
}

fn vertex_models(prefix: &str, publisher: &str, options: &Options<'_>) -> String {
    let (project, region) = (options.project, options.region);
    format!("{prefix}/projects/{project}/locations/{region}/publishers/{publisher}/models")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_providers() {
        for provider in Provider::ALL {
            assert_eq!(Provider::named(provider.name()), Some(provider));
            assert!(CREDENTIAL_HEADERS.contains(&provider.facts().key_header));
        }
        assert_eq!(Provider::named("vertex"), None);
    }

    #[test]
    fn no_query_says_who_the_client_is() {
        for (path, without) in [
            ("/a?key=s", "/a"),
            ("/a?alt=sse&key=s&x=key", "/a?alt=sse&x=key"),
            ("/a?access_token=s&b=1", "/a?b=1"),
            ("/a?%6bey=s&access%5Ftoken=s", "/a"),
            ("/a?monkey=1&key", "/a?monkey=1"),
            ("/key=s", "/key=s"),
        ] {
            assert_eq!(without_key(path), without);
        }
    }

    #[test]
    fn authorities_are_those_of_regions() {
        let of = |name: &str, region: &str| Provider::named(name).unwrap().authority(region);
        let table = [
            ("openai", "", Some("api.openai.com")),
            ("azure-openai", "westeurope", None),
            ("anthropic", "", Some("api.anthropic.com")),
            ("gemini", "", Some("generativelanguage.googleapis.com")),
            ("vertex-gemini", "", None),
            ("vertex-gemini", "global", Some("aiplatform.googleapis.com")),
            (
                "vertex-anthropic",
                "eu",
                Some("aiplatform.eu.rep.googleapis.com"),
            ),
            (
                "vertex-anthropic",
                "europe-west1",
                Some("europe-west1-aiplatform.googleapis.com"),
            ),
            (
                "bedrock",
                "us-east-1",
                Some("bedrock-runtime.us-east-1.amazonaws.com"),
            ),
        ];
        for (name, region, expected) in table {
            assert_eq!(of(name, region).as_deref(), expected, "{name} {region}");
        }
    }
}
