//! How commands print what they found.

/// For whom.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    #[default]
    Text,
    /// For programs: JSON
    Json,
}
