//! What a reader takes: metrics in which format, and compressed or not (RFC 9110 §12).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use flate2::{Compression, write::GzEncoder};
use lifesign_exposition::Format;
use std::io::{self, Write as _};

/// It leaves about a sixteenth of the text of metrics (`cargo bench --bench scrape`); level 1
/// leaves half as much again, and takes three quarters of the time.
const LEVEL: Compression = Compression::new(2);

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// The one that suits this reader.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let listed = |codings: &[&str]| quality(headers, &header::ACCEPT_ENCODING, codings, &[]);
        let any = listed(&["*"]);
        // They are one coding (RFC 9110 §8.4.1.3).
        let gzip = listed(&["gzip", "x-gzip"]).or(any).unwrap_or(0.0);
        // Who does not list it takes it too, if nothing that is liked better is there.
        let identity = listed(&["identity"]).or(any).unwrap_or(0.0);
        if gzip > 0.0 && gzip >= identity { Self::Gzip } else { Self::Identity }
    }

    /// An answer in this encoding.
    pub fn encode(self, answer: impl Into<Vec<u8>>) -> io::Result<Vec<u8>> {
        let answer = answer.into();
        match self {
            Self::Identity => Ok(answer),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), LEVEL);
                encoder.write_all(&answer)?;
                encoder.finish()
            }
        }
    }

    /// The headers of an answer of this media type.
    pub fn headers(self, media_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if self == Self::Gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers
    }
}

/// The format of metrics that this reader likes best, of several the richest; the old one where it
/// says nothing.
pub(crate) fn format(headers: &HeaderMap) -> Format {
    let liked = |media_type: &str, parameters: &[Parameter]| {
        quality(headers, &header::ACCEPT, &[media_type], parameters)
    };
    let any_of = |media_type| liked(media_type, &[]);
    let text = liked("text/plain", &[Parameter::may_be("version", "0.0.4")])
        .or_else(|| any_of("text/*"))
        .or_else(|| any_of("*/*"))
        .unwrap_or(0.0);
    let open = liked("application/openmetrics-text", &[Parameter::may_be("version", "1.0.0")])
        .or_else(|| any_of("application/*"))
        .unwrap_or(0.0);
    let protobuf = liked("application/vnd.google.protobuf", &PROTOBUF).unwrap_or(0.0);
    if protobuf > 0.0 && protobuf >= open.max(text) {
        Format::Protobuf
    } else if open > 0.0 && open >= text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// A parameter of what is listed.
struct Parameter {
    name: &'static str,
    value: &'static str,
    /// It must be there; else it may be left out.
    is_needed: bool,
}

impl Parameter {
    const fn must_be(name: &'static str, value: &'static str) -> Self {
        Self { name, value, is_needed: true }
    }

    const fn may_be(name: &'static str, value: &'static str) -> Self {
        Self { name, value, is_needed: false }
    }
}

/// Those of [`Format::Protobuf`]: there are other messages and encodings.
const PROTOBUF: [Parameter; 2] = [
    Parameter::must_be("proto", "io.prometheus.client.MetricFamily"),
    Parameter::must_be("encoding", "delimited"),
];

/// How much one of these is liked by the header, from 0 to 1 (RFC 9110 §12.4.2); None where none is
/// listed, or only with other parameters. More than 1 is 1, and what is no number is 0.
fn quality(
    headers: &HeaderMap,
    header: &HeaderName,
    names: &[&str],
    parameters: &[Parameter],
) -> Option<f32> {
    let texts =
        headers.get_all(header).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut best: Option<f32> = None;
    for text in texts {
        for one in unquoted(&text, ',') {
            let mut parts = unquoted(one, ';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let listed: Vec<(&str, &str)> = parts
                .filter_map(|part| part.split_once('='))
                .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
                .collect();
            let value_of = |wanted: &str| {
                let found = listed.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                found.map(|(_, value)| *value)
            };
            let is_meant = parameters.iter().all(|each| match value_of(each.name) {
                Some(value) => value.eq_ignore_ascii_case(each.value),
                None => !each.is_needed,
            });
            if is_meant && names.iter().any(|each| each.eq_ignore_ascii_case(name)) {
                let weight = value_of("q").map_or(1.0, |q| q.parse().unwrap_or(0.0));
                let weight = if weight > 0.0 { f32::min(weight, 1.0) } else { 0.0 };
                best = Some(best.map_or(weight, |best| best.max(weight)));
            }
        }
    }
    best
}

/// The parts of a header between separators that are not in quotes (RFC 9110 §5.6.4).
fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    text.split(move |letter| {
        is_quoted ^= letter == '"' && !is_escaped;
        is_escaped = is_quoted && letter == '\\' && !is_escaped;
        letter == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        let accepted = |text| Encoding::accepted(&headers(header::ACCEPT_ENCODING, text));
        for text in [
            "gzip",
            "gzip, deflate, br",
            "br;q=1.0, GZIP;q=0.2",
            "*",
            "identity, gzip",
            "x-gzip",
            "identity;q=9, gzip;q=1",
            "gzip ; q = 5",
            "gzip, *;q=0.1",
            "br;x=\"a,identity\", gzip",
        ] {
            assert_eq!(accepted(text), Encoding::Gzip, "{text}");
        }
        for text in [
            "",
            "identity",
            "gzip;q=0",
            "*, gzip;Q=0.0",
            "x-gzip-like",
            "gzip;q=x",
            "gzip;q=-1",
            "gzip;q=NaN",
            "*;q=0.5, gzip;q=0.3",
            "br;x=\"a, gzip\"",
            "identity;q=1, gzip;q=0.1",
        ] {
            assert_eq!(accepted(text), Encoding::Identity, "{text}");
        }
        assert_eq!(Encoding::accepted(&HeaderMap::new()), Encoding::Identity);
        // What is no ASCII in a header takes nothing from what is.
        let odd = HeaderValue::from_bytes(b"gzip, \xc3\xa4").unwrap();
        let odd = HeaderMap::from_iter([(header::ACCEPT_ENCODING, odd)]);
        assert_eq!(Encoding::accepted(&odd), Encoding::Gzip);
    }

    #[test]
    fn a_prometheus_gets_openmetrics_and_a_person_text() {
        let chosen = |text| format(&headers(header::ACCEPT, text));
        let prometheus = "application/openmetrics-text;version=1.0.0,\
                          application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for text in [
            prometheus,
            "application/openmetrics-text",
            "application/openmetrics-text; version=\"1.0.0\"; escaping=allow-utf-8;q=7, */*;q=0.9",
            "application/*, text/plain;q=0.5",
        ] {
            assert_eq!(chosen(text), Format::OpenMetrics, "{text}");
        }
        let old = "text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5,*/*;q=0.1";
        for text in [
            old,
            "*/*",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "",
            "application/openmetrics-text;version=2.0.0, */*;q=0.1",
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=2",
        ] {
            assert_eq!(chosen(text), Format::Text, "{text}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn a_prometheus_with_native_histograms_gets_protobuf() {
        let chosen = |text| format(&headers(header::ACCEPT, text));
        let native = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                      encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
                      application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(chosen(native), Format::Protobuf);
        assert_eq!(chosen(Format::Protobuf.media_type()), Format::Protobuf);
        let others = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                      encoding=text,application/vnd.google.protobuf;encoding=delimited,text/plain";
        assert_eq!(chosen(others), Format::Text);
    }
}
