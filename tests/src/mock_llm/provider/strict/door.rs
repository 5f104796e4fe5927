//! What a strict provider looks at before the body: where a request goes, and who sends it.
//!
//! Called for each request; pure. Refuses other methods, paths, queries, hosts, keys and models, and
//! the credentials of another provider's client, which must not have come here.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;

use super::account::{API_VERSION, CREDENTIALS, PROJECT, Provider, REGION};
use super::signature;

/// The version of Anthropic's API that no longer takes `temperature` and its kin.
pub(super) const WITHOUT_SAMPLING: &str = "2026-10-21";

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Api {
    Chat,
    Responses,
    Completions,
    Embeddings,
    Messages,
    CountMessages,
    Generate,
    CountGenerate,
    Converse,
}

/// What was asked, as far as the path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) api: Api,
    /// The model of the path.
    pub(super) model: Option<String>,
    /// Whether the path says that a stream is wanted.
    pub(super) stream: bool,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

/// A path with `{model}` for a model, the query it has, and what it means.
type Way = (&'static str, &'static str, Api, bool);

const OPENAI: &[Way] = &[
    ("/v1/chat/completions", "", Api::Chat, false),
    ("/v1/responses", "", Api::Responses, false),
    ("/v1/completions", "", Api::Completions, false),
    ("/v1/embeddings", "", Api::Embeddings, false),
];
const AZURE: &[Way] = &[
    (
        "/openai/deployments/{model}/chat/completions",
        "{version}",
        Api::Chat,
        false,
    ),
    (
        "/openai/deployments/{model}/completions",
        "{version}",
        Api::Completions,
        false,
    ),
    (
        "/openai/deployments/{model}/embeddings",
        "{version}",
        Api::Embeddings,
        false,
    ),
    ("/openai/responses", "{version}", Api::Responses, false),
];
const ANTHROPIC: &[Way] = &[
    ("/v1/messages", "", Api::Messages, false),
    ("/v1/messages", "beta=true", Api::Messages, false),
    ("/v1/messages/count_tokens", "", Api::CountMessages, false),
    (
        "/v1/messages/count_tokens",
        "beta=true",
        Api::CountMessages,
        false,
    ),
];
const GEMINI: &[Way] = &[
    (
        "/v1beta/models/{model}:generateContent",
        "",
        Api::Generate,
        false,
    ),
    (
        "/v1beta/models/{model}:streamGenerateContent",
        "alt=sse",
        Api::Generate,
        true,
    ),
    (
        "/v1beta/models/{model}:countTokens",
        "",
        Api::CountGenerate,
        false,
    ),
];
const VERTEX_GEMINI: &[Way] = &[
    (
        "{vertex}/google/models/{model}:generateContent",
        "",
        Api::Generate,
        false,
    ),
    (
        "{vertex}/google/models/{model}:streamGenerateContent",
        "alt=sse",
        Api::Generate,
        true,
    ),
    (
        "{vertex}/google/models/{model}:countTokens",
        "",
        Api::CountGenerate,
        false,
    ),
];
const VERTEX_ANTHROPIC: &[Way] = &[
    (
        "{vertex}/anthropic/models/count-tokens:rawPredict",
        "",
        Api::CountMessages,
        false,
    ),
    (
        "{vertex}/anthropic/models/{model}:rawPredict",
        "",
        Api::Messages,
        false,
    ),
    (
        "{vertex}/anthropic/models/{model}:streamRawPredict",
        "",
        Api::Messages,
        true,
    ),
];
const BEDROCK: &[Way] = &[
    ("/model/{model}/converse", "", Api::Converse, false),
    ("/model/{model}/converse-stream", "", Api::Converse, true),
];
const BEDROCK_ANTHROPIC: &[Way] = &[
    ("/model/{model}/invoke", "", Api::Messages, false),
    (
        "/model/{model}/invoke-with-response-stream",
        "",
        Api::Messages,
        true,
    ),
];

const fn ways(provider: Provider) -> &'static [Way] {
    match provider {
        Provider::Openai => OPENAI,
        Provider::AzureOpenai => AZURE,
        Provider::Anthropic => ANTHROPIC,
        Provider::Gemini => GEMINI,
        Provider::VertexGemini => VERTEX_GEMINI,
        Provider::VertexAnthropic => VERTEX_ANTHROPIC,
        Provider::Bedrock => BEDROCK,
        Provider::BedrockAnthropic => BEDROCK_ANTHROPIC,
    }
}

/// Looks at a request.
pub(super) fn check(
    provider: Provider,
    (method, uri): (&Method, &Uri),
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Asked, Refused> {
    let Some(asked) = way(provider, uri) else {
        let message = format!("There is nothing at {uri}.");
        return Err(Refused::new(StatusCode::NOT_FOUND, message));
    };
    if method != Method::POST {
        let message = format!("{method} is not allowed here.");
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    let text = |name: &str| {
        let value = headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    };
    let host = text("host");
    if host != provider.host() {
        let message = format!("This is {}, and not {host}.", provider.host());
        return Err(Refused::new(StatusCode::NOT_FOUND, message));
    }
    let kind = text(header::CONTENT_TYPE.as_str());
    if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
        return Err(Refused::bad(format!("content-type is {kind}.")));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refused::bad("Compressed bodies are not read."));
    }
    check_traces(headers)?;
    know(provider, uri, headers, body)?;
    check_version(provider, headers)?;
    if let Some(model) = &asked.model {
        check_model(provider, model)?;
    }
    Ok(asked)
}

/// Whether the provider has this model.
pub(super) fn check_model(provider: Provider, model: &str) -> Result<(), Refused> {
    match provider.models().contains(&model) {
        true => Ok(()),
        false => {
            let message = format!("The model `{model}` does not exist.");
            Err(Refused::new(StatusCode::NOT_FOUND, message))
        }
    }
}

fn way(provider: Provider, uri: &Uri) -> Option<Asked> {
    let vertex = format!("/v1/projects/{PROJECT}/locations/{REGION}/publishers");
    let version = format!("api-version={API_VERSION}");
    ways(provider)
        .iter()
        .find_map(|(path, query, api, stream)| {
            let path = path.replace("{vertex}", &vertex);
            if uri.query().unwrap_or_default() != query.replace("{version}", &version) {
                return None;
            }
            let asked = |model| Asked {
                api: *api,
                model,
                stream: *stream,
            };
            let Some((before, behind)) = path.split_once("{model}") else {
                return (uri.path() == path).then(|| asked(None));
            };
            let model = uri.path().strip_prefix(before)?.strip_suffix(behind)?;
            if model.is_empty() || model.contains('/') {
                return None;
            }
            let model = percent_decode_str(model).decode_utf8().ok()?;
            Some(asked(Some(model.into_owned())))
        })
}

/// Whether the sender is known, by the one header of this provider.
fn know(provider: Provider, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
    let unknown = |message: String| Refused::new(StatusCode::UNAUTHORIZED, message);
    let (name, prefix) = provider.key_header();
    let foreign = CREDENTIALS
        .iter()
        .find(|header| **header != name && headers.contains_key(**header));
    if let Some(foreign) = foreign {
        let message = format!("The credentials in {foreign} are for somebody else.");
        return Err(unknown(message));
    }
    let values: Vec<_> = headers.get_all(name).iter().collect();
    let [value] = values.as_slice() else {
        let message = format!("{} keys came in {name}.", values.len());
        return Err(unknown(message));
    };
    let is_signed = value.as_bytes().starts_with(b"AWS4");
    if let (true, Some(signing)) = (is_signed, provider.signing()) {
        let refused = |reason| Refused::new(StatusCode::FORBIDDEN, reason);
        return signature::verify(&signing, uri, headers, body).map_err(refused);
    }
    if value.as_bytes() == format!("{prefix}{}", provider.key()).as_bytes() {
        return Ok(());
    }
    Err(unknown(format!("The key in {name} is not known.")))
}

/// Where a proxy says what it was asked may stand no key of its client's.
fn check_traces(headers: &HeaderMap) -> Result<(), Refused> {
    let told = headers.get_all("x-envoy-original-path");
    let texts = told
        .iter()
        .map(|path| String::from_utf8_lossy(path.as_bytes()));
    let names_key = |text: &str| text.contains("key=") || text.contains("access_token=");
    if texts.into_iter().any(|text| names_key(&text)) {
        let message = "The key in x-envoy-original-path is for somebody else.";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, message));
    }
    Ok(())
}

fn check_version(provider: Provider, headers: &HeaderMap) -> Result<(), Refused> {
    let version = headers.get("anthropic-version");
    match (provider, version) {
        (Provider::Anthropic, None) => Err(Refused::bad("anthropic-version: header is required")),
        (Provider::Anthropic, Some(version))
            if version != "2023-06-01" && version != WITHOUT_SAMPLING =>
        {
            let message = format!("anthropic-version: there are 2023-06-01 and {WITHOUT_SAMPLING}");
            Err(Refused::bad(message))
        }
        (Provider::Anthropic, _) | (_, None) => Ok(()),
        (_, Some(_)) => Err(Refused::bad(
            "anthropic-version is a header of another API.",
        )),
    }
}
