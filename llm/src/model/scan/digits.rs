//! Numbers as JSON spells them, byte by byte.

/// Where in a number one is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Digits {
    Sign,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    Power,
}

impl Digits {
    /// Where one is behind `byte`; none if it is not of the number.
    pub(super) fn then(self, byte: u8) -> Option<Digits> {
        let is_digit = byte.is_ascii_digit();
        Some(match self {
            Self::Sign if byte == b'0' => Self::Zero,
            Self::Sign | Self::Whole if is_digit => Self::Whole,
            Self::Zero | Self::Whole if byte == b'.' => Self::Point,
            Self::Point | Self::Fraction if is_digit => Self::Fraction,
            Self::Zero | Self::Whole | Self::Fraction if matches!(byte, b'e' | b'E') => {
                Self::Exponent
            }
            Self::Exponent if matches!(byte, b'+' | b'-') => Self::ExponentSign,
            Self::Exponent | Self::ExponentSign | Self::Power if is_digit => Self::Power,
            _ => return None,
        })
    }

    /// Whether what came so far is a number.
    pub(super) fn may_end(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Whole | Self::Fraction | Self::Power
        )
    }
}
