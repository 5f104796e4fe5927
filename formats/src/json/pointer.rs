//! JSON Pointers (RFC 6901).
//!
//! Parsed on the main thread when a configuration is compiled; followed on worker threads.

use std::fmt;

/// A path to a value inside a document, such as `/messages/0/content`. The empty pointer is the whole
/// document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads a pointer: tokens each preceded by `/`, with `~1` for `/` and `~0` for `~` inside them.
    ///
    /// # Errors
    ///
    /// A pointer that neither is empty nor starts with `/`, or a `~` followed by neither 0 nor 1.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        let tokens = text.strip_prefix('/').ok_or(PointerError::NoLeadingSlash)?;
        let tokens = tokens
            .split('/')
            .map(parse_token)
            .collect::<Result<_, _>>()?;
        Ok(Self { tokens })
    }

    /// The unescaped tokens, outermost first.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Whether `other` leads to something inside what this pointer leads to.
    pub(super) fn is_proper_prefix_of(&self, other: &Self) -> bool {
        self.tokens.len() < other.tokens.len() && other.tokens.starts_with(&self.tokens)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// Why a text is not a JSON Pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerError {
    /// It neither is empty nor starts with `/`.
    NoLeadingSlash,
    /// A `~` is followed by neither `0` nor `1`.
    InvalidEscape,
}

impl fmt::Display for PointerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLeadingSlash => "a JSON Pointer must be empty or start with `/`",
            Self::InvalidEscape => "in a JSON Pointer, `~` must be written `~0` (and `/` `~1`)",
        })
    }
}

impl std::error::Error for PointerError {}

/// The place in an array that a token names: decimal digits without leading zeros.
pub(super) fn array_index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = token.len() > 1 && token.starts_with('0');
    if digits && !leading_zero {
        token.parse().ok()
    } else {
        None
    }
}

fn parse_token(escaped: &str) -> Result<String, PointerError> {
    let mut parts = escaped.split('~');
    let mut token = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (plain, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', part.strip_prefix('0')),
            Some(b'1') => ('/', part.strip_prefix('1')),
            _ => return Err(PointerError::InvalidEscape),
        };
        token.push(plain);
        token.push_str(rest.unwrap_or_default());
    }
    Ok(token)
}
