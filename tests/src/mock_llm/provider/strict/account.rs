//! Who may ask a strict provider, where it is, and which models it has.
//!
//! Facts of the mock, read by everything beside it. Keys and names are made up.

use super::signature::Signing;

/// The providers that are stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// OpenAI's models in Azure, by deployments and a dated version.
    AzureOpenai,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// Google's models in Vertex AI.
    VertexGemini,
    /// Anthropic's models in Vertex AI.
    VertexAnthropic,
    /// Bedrock's Converse and ConverseStream.
    Bedrock,
    /// Bedrock's InvokeModel and InvokeModelWithResponseStream, with models of Anthropic's.
    BedrockAnthropic,
}

/// Where Vertex and Bedrock are asked.
pub(super) const REGION: &str = "europe-west1";
/// The region of Bedrock.
pub const AWS_REGION: &str = "eu-central-1";
/// Whose Vertex it is.
pub(super) const PROJECT: &str = "project-7";
/// The version of Azure's API.
pub(super) const API_VERSION: &str = "2025-04-01-preview";

/// Every header in which some client says who it is. One provider reads one of them.
pub(super) const CREDENTIALS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-goog-user-project",
    "x-amz-security-token",
    "openai-organization",
    "openai-project",
];

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 8] = [
        Self::Openai,
        Self::AzureOpenai,
        Self::Anthropic,
        Self::Gemini,
        Self::VertexGemini,
        Self::VertexAnthropic,
        Self::Bedrock,
        Self::BedrockAnthropic,
    ];

    /// The name in configurations of the filter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::AzureOpenai => "azure-openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::VertexGemini => "vertex-gemini",
            Self::VertexAnthropic => "vertex-anthropic",
            Self::Bedrock => "bedrock",
            Self::BedrockAnthropic => "bedrock-anthropic",
        }
    }

    /// The host that requests must be for.
    pub const fn host(self) -> &'static str {
        match self {
            Self::Openai => "api.openai.com",
            Self::AzureOpenai => "mine.openai.azure.com",
            Self::Anthropic => "api.anthropic.com",
            Self::Gemini => "generativelanguage.googleapis.com",
            Self::VertexGemini | Self::VertexAnthropic => "europe-west1-aiplatform.googleapis.com",
            Self::Bedrock | Self::BedrockAnthropic => "bedrock-runtime.eu-central-1.amazonaws.com",
        }
    }

    /// A model that says what comes to its mind.
    pub const fn model(self) -> &'static str {
        match self {
            Self::Openai => "gpt-4o",
            Self::AzureOpenai => "my-gpt-4o",
            Self::Anthropic => "claude-haiku-4-5",
            Self::Gemini | Self::VertexGemini => "gemini-2.5-flash",
            Self::VertexAnthropic => "claude-haiku-4-5@20251001",
            Self::Bedrock | Self::BedrockAnthropic => "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        }
    }

    /// A model that thinks when it is asked to.
    pub const fn thinker(self) -> &'static str {
        match self {
            Self::Openai => "gpt-5",
            Self::AzureOpenai => "gpt-5-mine",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Gemini | Self::VertexGemini => "gemini-3-pro-preview",
            Self::VertexAnthropic => "claude-sonnet-4-5@20250929",
            Self::Bedrock | Self::BedrockAnthropic => {
                "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
            }
        }
    }

    /// The models that there are, besides those that make vectors.
    pub(super) const fn models(self) -> [&'static str; 3] {
        let latest = match self {
            Self::Anthropic => "claude-opus-4-8",
            Self::Openai => "text-embedding-3-small",
            Self::AzureOpenai => "my-embeddings",
            Self::VertexAnthropic => "claude-opus-4-8",
            Self::Bedrock | Self::BedrockAnthropic => "eu.anthropic.claude-opus-4-8-v1",
            Self::Gemini | Self::VertexGemini => "gemini-embedding-001",
        };
        [self.model(), self.thinker(), latest]
    }

    /// The header that the key stands in, and what stands before it.
    pub(super) const fn key_header(self) -> (&'static str, &'static str) {
        match self {
            Self::AzureOpenai => ("api-key", ""),
            Self::Anthropic => ("x-api-key", ""),
            Self::Gemini => ("x-goog-api-key", ""),
            _ => ("authorization", "Bearer "),
        }
    }

    /// The key.
    pub fn key(self) -> String {
        format!("key-of-{}", self.name())
    }

    pub(super) const fn is_amazon(self) -> bool {
        matches!(self, Self::Bedrock | Self::BedrockAnthropic)
    }

    /// With what requests to Amazon are signed.
    pub(super) fn signing(self) -> Option<Signing> {
        self.is_amazon().then_some(Signing {
            access_key: ACCESS_KEY,
            secret_key: SECRET_KEY,
            region: AWS_REGION,
            service: "bedrock",
        })
    }
}

/// The name of the key that requests to Bedrock are signed with.
pub const ACCESS_KEY: &str = "AKIAMOCKMOCKMOCKMOCK";
/// That key.
pub const SECRET_KEY: &str = "secret/mock+mock";
