//! What a reader takes: metrics in which format, and compressed or not (RFC 9110 §12).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use flate2::{Compression, write::GzEncoder};
use lifesign_exposition::Format;
use std::io::{self, Write as _};

/// Level 1 leaves a sixteenth of the text of metrics, and this one, which takes a third longer, a
/// twenty-fifth.
const LEVEL: Compression = Compression::new(2);

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// The one that suits this reader.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let listed = |coding| quality(headers, &header::ACCEPT_ENCODING, coding);
        let gzip = listed("gzip").or_else(|| listed("*")).unwrap_or(0.0);
        // Who does not list it takes it too, if nothing that is liked better is there.
        let identity = listed("identity").unwrap_or(0.0);
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
pub(super) fn format(headers: &HeaderMap) -> Format {
    let liked = |media_type| quality(headers, &header::ACCEPT, media_type);
    let text = liked("text/plain").or_else(|| liked("text/*")).or_else(|| liked("*/*"));
    let open = liked("application/openmetrics-text").unwrap_or(0.0);
    let protobuf = liked(PROTOBUF).unwrap_or(0.0);
    let text = text.unwrap_or(0.0);
    if protobuf > 0.0 && protobuf >= open.max(text) {
        Format::Protobuf
    } else if open > 0.0 && open >= text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// The media type of [`Format::Protobuf`], of which there are other messages and encodings.
const PROTOBUF: &str = "application/vnd.google.protobuf;\
                        proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// How much this is liked by the header, from 0 to 1 (RFC 9110 §12.4.2); None where it is not
/// listed, or without one of its parameters.
fn quality(headers: &HeaderMap, header: &HeaderName, name: &str) -> Option<f32> {
    let texts = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    let listed = texts.flat_map(|text| text.split(',')).filter_map(|one| {
        let mut parts = one.split(';').map(str::trim);
        let mut wanted = name.split(';');
        let is_it = parts.next()?.eq_ignore_ascii_case(wanted.next()?)
            && wanted.all(|wanted| parts.clone().any(|part| part.eq_ignore_ascii_case(wanted)));
        let weight = parts.find_map(|part| {
            let (name, weight) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| weight.trim().parse().unwrap_or(0.0))
        });
        is_it.then(|| weight.unwrap_or(1.0))
    });
    listed.max_by(f32::total_cmp)
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
        for text in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.2", "*", "identity, gzip"] {
            assert_eq!(accepted(text), Encoding::Gzip, "{text}");
        }
        let not = ["", "identity", "gzip;q=0", "*, gzip;Q=0.0", "x-gzip-like", "gzip;q=x"];
        for text in not.into_iter().chain(["identity;q=1, gzip;q=0.1"]) {
            assert_eq!(accepted(text), Encoding::Identity, "{text}");
        }
        assert_eq!(Encoding::accepted(&HeaderMap::new()), Encoding::Identity);
    }

    #[test]
    fn a_prometheus_gets_openmetrics_and_a_person_text() {
        let chosen = |text| format(&headers(header::ACCEPT, text));
        let prometheus = "application/openmetrics-text;version=1.0.0,\
                          application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(chosen(prometheus), Format::OpenMetrics);
        let old = "text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5,*/*;q=0.1";
        for text in [old, "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", ""] {
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
