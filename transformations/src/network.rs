//! Networks of addresses, as `10.0.0.0/8`, and the addresses of clients, as Envoy tells them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Reads the client address from Envoy's `source.address` (`ip:port`, `[ip]:port`, or a bare
/// address). Anything else, such as a Unix socket path, is no address.
pub fn parse_source_address(text: &str) -> Option<IpAddr> {
    text.parse::<SocketAddr>()
        .map(|peer| peer.ip())
        .or_else(|_| text.parse::<IpAddr>())
        .ok()
}

/// A network in CIDR notation; a bare address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub(crate) bits: Bits,
    pub(crate) address: u128,
    pub(crate) length: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    V4,
    V6,
}

/// Why a text is not a network, in words for the person who wrote it.
#[derive(Debug, PartialEq, Eq)]
pub enum NoNetwork {
    /// It is no address.
    Address,
    /// What follows the slash is no length.
    Length {
        /// The longest.
        most: u8,
    },
    /// It has bits set behind the prefix.
    HostBits {
        /// What was meant, most likely.
        network: String,
    },
}

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str(
                "not an IP address or CIDR range: write it like 10.0.0.0/8, 192.168.1.1 or \
                 2001:db8::/32",
            ),
            Self::Length { most } => {
                write!(f, "the prefix length must be a number from 0 to {most}")
            }
            Self::HostBits { network } => {
                write!(
                    f,
                    "the address has bits set behind the prefix: write {network} instead"
                )
            }
        }
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork::Address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let written = match length {
            None => most,
            Some(text) => match text.parse::<u8>() {
                Ok(length) if length <= most && text.bytes().all(|b| b.is_ascii_digit()) => length,
                _ => return Err(NoNetwork::Length { most }),
            },
        };
        // A mapped network (::ffff:a.b.c.d/96 and longer) is an IPv4 network, because clients
        // with mapped addresses are judged as IPv4.
        let (bits, network, length) = match (to_bits(address), address.is_ipv6()) {
            ((Bits::V4, network), true) if written >= 96 => (Bits::V4, network, written - 96),
            ((Bits::V4, _), true) => (Bits::V6, v6_bits(address), written),
            ((bits, network), _) => (bits, network, written),
        };
        if network & !mask(length) != 0 {
            let network = to_address(bits, network & mask(length));
            return Err(NoNetwork::HostBits {
                network: format!("{network}/{length}"),
            });
        }
        Ok(Self {
            bits,
            address: network,
            length,
        })
    }
}

pub(crate) fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

pub(crate) fn to_bits(address: IpAddr) -> (Bits, u128) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (Bits::V4, u128::from(v4.to_bits()) << 96),
        IpAddr::V6(v6) => (Bits::V6, v6.to_bits()),
    }
}

fn v6_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn to_address(bits: Bits, network: u128) -> IpAddr {
    match bits {
        // The upper 32 bits hold the IPv4 address; the shift leaves nothing above them.
        Bits::V4 => IpAddr::V4(Ipv4Addr::from_bits((network >> 96) as u32)),
        Bits::V6 => IpAddr::V6(network.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_no_networks_are_refused_with_what_would_be_right() {
        assert_eq!("localhost".parse::<Network>(), Err(NoNetwork::Address));
        assert_eq!("".parse::<Network>(), Err(NoNetwork::Address));
        assert_eq!(
            "10.0.0.0/33".parse::<Network>(),
            Err(NoNetwork::Length { most: 32 })
        );
        assert_eq!(
            "10.0.0.0/+8".parse::<Network>(),
            Err(NoNetwork::Length { most: 32 })
        );
        assert_eq!(
            "2001:db8::/129".parse::<Network>(),
            Err(NoNetwork::Length { most: 128 })
        );
        assert_eq!(
            "172.18.0.0/12".parse::<Network>().unwrap_err().to_string(),
            "the address has bits set behind the prefix: write 172.16.0.0/12 instead"
        );
    }

    #[test]
    fn source_addresses_come_with_and_without_port() {
        let ip: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(parse_source_address("10.0.0.1:1234"), Some(ip));
        assert_eq!(parse_source_address("10.0.0.1"), Some(ip));
        assert_eq!(
            parse_source_address("[2001:db8::1]:80"),
            Some("2001:db8::1".parse().unwrap())
        );
        assert_eq!(parse_source_address("/tmp/socket"), None);
        assert_eq!(parse_source_address(""), None);
    }
}
