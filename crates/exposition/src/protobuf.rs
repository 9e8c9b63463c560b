//! The messages of io.prometheus.client as they are encoded, each `MetricFamily` behind its length:
//! the format in which Prometheus takes native histograms (client_model's metrics.proto; "Encoding"
//! of protobuf.dev). There are few of them, and labels are encoded once for many series, so it is
//! written here and not by a library of messages.

use lifesign_model::histogram::{HistogramView, NATIVE_SCHEMA};
use prometheus::proto::MetricType;

/// How a field is encoded.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
}

/// Adds a `LabelPair` of a `Metric`.
pub(super) fn push_label(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut pair = Vec::with_capacity(name.len() + value.len() + 4);
    push_bytes(&mut pair, 1, name.as_bytes());
    push_bytes(&mut pair, 2, value.as_bytes());
    push_bytes(out, 1, &pair);
}

/// Begins a `MetricFamily`; its metrics follow, and then [`end_family`].
pub(super) fn push_family(out: &mut Vec<u8>, name: &str, kind: MetricType, help: &str) {
    push_bytes(out, 1, name.as_bytes());
    push_bytes(out, 2, help.as_bytes());
    push_tag(out, 3, Wire::Varint);
    push_varint(out, kind as u64);
}

/// Puts its length before the family that began here.
pub(super) fn end_family(out: &mut Vec<u8>, begin: usize) {
    let mut length = Vec::new();
    push_varint(&mut length, (out.len() - begin) as u64);
    out.splice(begin..begin, length);
}

/// A `Metric` with a `Gauge` or a `Counter`.
pub(super) fn push_sample(out: &mut Vec<u8>, labels: [&[u8]; 2], kind: MetricType, value: f64) {
    // A tag, a length, a tag and eight bytes.
    push_length(out, 4, labels[0].len() + labels[1].len() + 11);
    for labels in labels {
        out.extend_from_slice(labels);
    }
    let field = if kind == MetricType::COUNTER { 3 } else { 2 };
    push_length(out, field, 9);
    push_double(out, 1, value);
}

/// A `Metric` with a `Histogram`; before the first observation, too, a native one says that it is.
pub(super) fn push_histogram(out: &mut Vec<u8>, labels: &[u8], view: &HistogramView) {
    let mut histogram = Vec::with_capacity(16 * (view.buckets.len() + view.native.len()));
    push_number(&mut histogram, 1, view.count);
    push_double(&mut histogram, 2, view.sum);
    for (&bound, &count) in view.grid.bounds().iter().zip(&view.buckets) {
        let mut bucket = Vec::with_capacity(24);
        push_number(&mut bucket, 1, count);
        push_double(&mut bucket, 2, bound as f64 / 1e6);
        push_bytes(&mut histogram, 3, &bucket);
    }
    if view.grid.is_native() {
        push_native(&mut histogram, &view.native);
    }
    let mut metric = Vec::with_capacity(labels.len() + histogram.len() + 8);
    metric.extend_from_slice(labels);
    push_bytes(&mut metric, 7, &histogram);
    push_bytes(out, 4, &metric);
}

/// Buckets one after the other are a span: how far it lies behind the one before, and how many they
/// are. Their counts are differences, each to the bucket before.
fn push_native(histogram: &mut Vec<u8>, native: &[(i16, u64)]) {
    push_number(histogram, 5, zigzag(NATIVE_SCHEMA.into()));
    // Everything is above it: that of client_golang.
    push_double(histogram, 6, (-128_f64).exp2());
    push_number(histogram, 7, 0);
    let mut end = 0;
    for span in native.chunk_by(|(one, _), (next, _)| one + 1 == *next) {
        let begin = i64::from(span[0].0);
        let mut message = Vec::with_capacity(8);
        push_number(&mut message, 1, zigzag(begin - end));
        push_number(&mut message, 2, span.len() as u64);
        push_bytes(histogram, 12, &message);
        end = begin + span.len() as i64;
    }
    let mut before = 0;
    for &(_, count) in native {
        push_number(histogram, 13, zigzag(count as i64 - before));
        before = count as i64;
    }
}

fn push_tag(out: &mut Vec<u8>, field: u8, wire: Wire) {
    out.push(field << 3 | wire as u8);
}

fn push_length(out: &mut Vec<u8>, field: u8, length: usize) {
    push_tag(out, field, Wire::Bytes);
    push_varint(out, length as u64);
}

fn push_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    push_length(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

fn push_number(out: &mut Vec<u8>, field: u8, number: u64) {
    push_tag(out, field, Wire::Varint);
    push_varint(out, number);
}

fn push_double(out: &mut Vec<u8>, field: u8, value: f64) {
    push_tag(out, field, Wire::Fixed64);
    out.extend_from_slice(&value.to_le_bytes());
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As protoc encodes them.
    #[test]
    fn a_family_is_encoded_as_its_message() {
        let mut out = Vec::new();
        push_family(&mut out, "a_total", MetricType::COUNTER, "It.");
        let mut labels = Vec::new();
        push_label(&mut labels, "k", "北");
        push_sample(&mut out, [&labels, &[]], MetricType::COUNTER, 3.0);
        end_family(&mut out, 0);
        let expected = b"\x27\x0a\x07a_total\x12\x03It.\x18\x00\x22\x15\
                         \x0a\x08\x0a\x01k\x12\x03\xe5\x8c\x97\
                         \x1a\x09\x09\x00\x00\x00\x00\x00\x00\x08\x40";
        assert_eq!(out, expected);
    }

    #[test]
    fn native_buckets_are_spans_and_differences() {
        let mut out = Vec::new();
        push_native(&mut out, &[(-19, 3), (-18, 200), (-15, 1)]);
        // Behind the schema, the threshold and the count of zero.
        let expected = b"\x28\x06\x31\x00\x00\x00\x00\x00\x00\xf0\x37\x38\x00\
                         \x62\x04\x08\x25\x10\x02\x62\x04\x08\x04\x10\x01\
                         \x68\x06\x68\x8a\x03\x68\x8d\x03";
        assert_eq!(out, expected);
    }
}
