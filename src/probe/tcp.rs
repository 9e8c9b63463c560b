//! TCP connect probes.

/// What a TCP probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The port.
    pub port: u16,
}

impl Spec {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(port) if port > 0 => Ok(Self { port }),
            _ => Err(format!("{text:?} is no TCP port; write \"tcp/PORT\" with a port from 1 to 65535")),
        }
    }
}
