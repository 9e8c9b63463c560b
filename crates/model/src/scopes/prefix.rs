//! An address prefix, read and written as `175.45.176.0/24`.

use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// An address prefix, IPv4 or IPv6, with no bit set behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The prefix of this length, at most that of an address, around an address.
    pub fn around(address: IpAddr, length: u8) -> Self {
        let length = length.min(if address.is_ipv4() { 32 } else { 128 });
        Self { address: masked(address, length), length }
    }

    /// Does the address lie inside?
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && masked(address, self.length) == self.address
    }

    /// Do the two share an address?
    pub fn overlaps(&self, other: &Prefix) -> bool {
        if self.length <= other.length {
            self.contains(other.address)
        } else {
            other.contains(self.address)
        }
    }

    /// Does all of the other lie inside?
    pub fn holds(&self, other: &Prefix) -> bool {
        self.length <= other.length && self.contains(other.address)
    }

    /// How many bits all of its addresses begin with.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The last address.
    pub fn last(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(v4) => {
                let free = u32::MAX.checked_shr(self.length.into()).unwrap_or(0);
                IpAddr::V4((v4.to_bits() | free).into())
            }
            IpAddr::V6(v6) => {
                let free = u128::MAX.checked_shr(self.length.into()).unwrap_or(0);
                IpAddr::V6((v6.to_bits() | free).into())
            }
        }
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.to_string()
    }
}

impl TryFrom<String> for Prefix {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Prefix {
    type Err = String;
    /// The error says what would be right.
    fn from_str(text: &str) -> Result<Self, String> {
        let shape =
            || format!("{text:?} is no prefix; write it as 175.45.176.0/24 or 2001:db8::/48");
        if let Ok(address) = text.parse::<IpAddr>() {
            let length = if address.is_ipv4() { 24 } else { 48 };
            let first = masked(address, length);
            return Err(format!("{text:?} is one address; write the prefix {first}/{length}"));
        }
        let (address, length) = text.split_once('/').ok_or_else(shape)?;
        let address: IpAddr = address.parse().map_err(|_| shape())?;
        let length: u8 = length.parse().map_err(|_| shape())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if length > most {
            return Err(format!("prefix length {length} is above {most}"));
        }
        let first = masked(address, length);
        if first != address {
            return Err(format!(
                "{text} has bits set behind its length; did you mean {first}/{length}?"
            ));
        }
        Ok(Self { address, length })
    }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_contain_and_overlap() {
        let p = |text: &str| text.parse::<Prefix>().unwrap();
        assert!(p("175.45.176.0/22").contains("175.45.179.255".parse().unwrap()));
        assert!(!p("175.45.176.0/22").contains("175.45.180.0".parse().unwrap()));
        assert!(!p("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(p("0.0.0.0/0").contains("9.9.9.9".parse().unwrap()));
        assert!(p("2001:db8::/32").overlaps(&p("2001:db8:1::/48")));
        assert!(p("10.0.0.128/25").overlaps(&p("10.0.0.0/24")));
        assert!(!p("10.0.0.0/24").overlaps(&p("10.0.1.0/24")));
    }

    #[test]
    fn a_bad_prefix_says_what_would_be_right() {
        let e = |text: &str| text.parse::<Prefix>().unwrap_err();
        assert!(e("10.0.0.1/24").contains("did you mean 10.0.0.0/24?"));
        assert!(e("10.0.0.0/33").contains("above 32"));
        assert!(e("10.0.0.0").contains("write the prefix 10.0.0.0/24"));
    }
}
