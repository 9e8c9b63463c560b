//! By which names a server may be asked. A page of another site whose name is made to lead to the
//! server's address ("DNS rebinding") would else read it as one of its own, in a browser that may.

use crate::yaml::{Node, Notes};
use http::{HeaderMap, Uri, header, uri::Authority};
use std::net::IpAddr;

/// Is it a name of a host (RFC 1123 §2.1)? Underscores are in use, too.
fn is_name(text: &str) -> bool {
    text.split('.').all(|label| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_letter) && !label.starts_with('-')
    })
}

/// The names that the file lists.
#[derive(Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// The list under `hosts`.
    pub fn read(list: &Node<'_>, notes: &mut Notes) -> Self {
        let mut hosts = Vec::new();
        for (position, name) in list.texts(notes) {
            // Whoever asks may end it with the dot of the root, or not (RFC 3986 §3.2.2).
            let name = name.strip_suffix('.').unwrap_or(name);
            if is_name(name) {
                hosts.push(name.to_owned());
            } else {
                notes.add(position, "no name of a host; write one such as lifesign.example.net");
            }
        }
        Self(hosts)
    }

    /// Is whatever a request was sent to one of these, `localhost`, or an address? A request that
    /// does not say is from no browser.
    pub fn contain(&self, target: &Uri, request: &HeaderMap) -> bool {
        let named = request.get_all(header::HOST).iter().all(|host| {
            let authority = Authority::try_from(host.as_bytes());
            authority.is_ok_and(|authority| self.contains(&authority))
        });
        let of_uri = target.authority().filter(|_| target.scheme().is_some());
        named && of_uri.is_none_or(|authority| self.contains(authority))
    }

    fn contains(&self, authority: &Authority) -> bool {
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = host.strip_suffix('.').unwrap_or(host);
        bare.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|listed| name.eq_ignore_ascii_case(listed))
    }
}
