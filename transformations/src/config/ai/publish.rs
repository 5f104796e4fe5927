//! `publish`: where facts are told beside our own names.

use llm::facts::Fact;

/// Where facts are published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// Dynamic metadata under names of others.
    pub metadata: Vec<PublishedMetadata>,
    /// Headers of responses.
    pub headers: Vec<PublishedHeader>,
    /// Models that statistics tell apart, beside those that are named elsewhere.
    pub models: Vec<String>,
}

/// A fact under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedMetadata {
    /// The namespace of the metadata.
    pub namespace: String,
    /// The key in it.
    pub key: String,
    /// What is written.
    pub from: Fact,
    /// Where that stands.
    pub path: String,
}

/// A header that tells a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedHeader {
    /// The header, in lower case.
    pub name: String,
    /// What it says.
    pub from: Fact,
    /// Where that stands.
    pub path: String,
}
