//! `http_server_config`: which headers every response has, and by which names it may be asked for.

use crate::{
    hosts::Hosts,
    yaml::{Node, Notes},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The headers that can be set, and the values that each may have; any if none is listed.
const KNOWN: [(HeaderName, &[&str]); 5] = [
    (header::CONTENT_SECURITY_POLICY, &[]),
    (header::STRICT_TRANSPORT_SECURITY, &[]),
    (header::X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
    (header::X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    (header::X_XSS_PROTECTION, &[]),
];

/// The headers, and by which names the server may be asked.
pub(crate) fn read(table: &Node<'_>, notes: &mut Notes) -> (HeaderMap, Hosts) {
    let [http2, list, hosts] = table.keys(["http2", "headers", "hosts"], notes);
    let hosts = hosts.map(|hosts| Hosts::read(hosts, notes)).unwrap_or_default();
    if let Some(http2) = http2
        && http2.flag(notes) == Some(true)
    {
        notes.add(
            http2.position,
            "answers are in HTTP/1.1 alone, which every client knows; write false, or nothing",
        );
    }
    let mut headers = HeaderMap::new();
    for (position, name, value) in list.map(|list| list.entries(notes)).unwrap_or_default() {
        let known = KNOWN.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name));
        let Some((name, allowed)) = known else {
            let known = KNOWN.map(|(known, _)| known.to_string()).join(", ");
            notes.add(position, format!("not a header that can be set here; known are {known}"));
            continue;
        };
        if let Some(value) = header_value(value, allowed, notes) {
            headers.insert(name.clone(), value);
        }
    }
    (headers, hosts)
}

fn header_value(value: &Node<'_>, allowed: &[&str], notes: &mut Notes) -> Option<HeaderValue> {
    match HeaderValue::from_str(value.text(notes)?) {
        Ok(text) if allowed.is_empty() || allowed.iter().any(|one| text == one) => {
            return Some(text);
        }
        _ if allowed.is_empty() => {
            notes.add(value.position, "no value of a header; write it in one line of ASCII");
        }
        _ => {
            notes
                .add(value.position, format!("this header is {} or nothing", allowed.join(" or ")));
        }
    }
    None
}
