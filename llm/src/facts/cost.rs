//! What an exchange cost, and how dollars are spelled. Pure; on the worker of an exchange.

/// What an exchange cost, or why that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// In billionths of a dollar.
    Priced(u64),
    /// There is no price for the model.
    UnknownModel,
    /// There is no usage to be priced.
    NoUsage,
}

impl Cost {
    /// The name in what is published.
    pub const fn status(self) -> &'static str {
        match self {
            Cost::Priced(_) => "priced",
            Cost::UnknownModel => "unknown_model",
            Cost::NoUsage => "no_usage",
        }
    }

    pub(super) fn nano_usd(self) -> Option<u64> {
        match self {
            Cost::Priced(nano_usd) => Some(nano_usd),
            Cost::UnknownModel | Cost::NoUsage => None,
        }
    }
}

/// Dollars as decimal text without zeros at the end.
pub fn usd(nano_usd: u64) -> String {
    let (whole, nanos) = (nano_usd / 1_000_000_000, nano_usd % 1_000_000_000);
    if nanos == 0 {
        return whole.to_string();
    }
    let digits = format!("{nanos:09}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}
