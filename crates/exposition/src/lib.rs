//! The text format 0.0.4 of Prometheus, OpenMetrics 1.0, and the protobuf format of native
//! histograms, written straight into a buffer. The prometheus crate makes an object of each series
//! and a string of each label: at 5,000 blocks that took seven times as long, and four times the
//! memory for good. It is there for the metrics of the process; and in tests other parsers read
//! what is written here.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod protobuf;

use lifesign_model::histogram::{Grid, HistogramView};
use prometheus::proto::{MetricFamily, MetricType};
use std::{io::Write as _, sync::LazyLock};

/// Whole numbers below this are what they are as floats, and are written faster.
const EXACT: u64 = 1 << 53;

/// Which of them it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0, without `_created`: it would be another series for each counter, of which
    /// nearly all began with the process.
    OpenMetrics,
    /// Messages of io.prometheus.client, the only ones that hold native histograms.
    Protobuf,
}

impl Format {
    /// The media type of the answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited"
            }
        }
    }
}

/// Labels with their values, as they are written in a format.
#[derive(Clone, Debug)]
pub struct WrittenLabels {
    format: Format,
    bytes: Vec<u8>,
}

impl WrittenLabels {
    /// None yet.
    pub const fn new(format: Format) -> Self {
        Self { format, bytes: Vec::new() }
    }

    /// Adds a label with its value.
    pub fn push(&mut self, name: &str, value: &str) {
        let bytes = &mut self.bytes;
        if self.format == Format::Protobuf {
            return protobuf::push_label(bytes, name, value);
        }
        if !bytes.is_empty() {
            bytes.push(b',');
        }
        extend(bytes, [name, "=\""]);
        push_escaped(bytes, value, true);
        bytes.push(b'"');
    }

    /// Takes them all away again.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

impl AsRef<[u8]> for WrittenLabels {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The label of each bound of a grid, in either text format.
fn bound_labels(grid: Grid) -> Vec<WrittenLabels> {
    let label = |&micros: &u64| {
        let mut labels = WrittenLabels::new(Format::Text);
        labels.push("le", &canonical(micros as f64 / 1e6));
        labels
    };
    grid.bounds().iter().map(label).collect()
}

/// A bound has one way to be written (OpenMetrics 1.0, "Considerations: Canonical Numbers"): a
/// Prometheus that changes from one format to the other must not see two series.
fn canonical(bound: f64) -> String {
    let text = format!("{bound:?}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

static ROUND_TRIPS: LazyLock<Vec<WrittenLabels>> = LazyLock::new(|| bound_labels(Grid::RoundTrips));
static DELAYS: LazyLock<Vec<WrittenLabels>> = LazyLock::new(|| bound_labels(Grid::Delays));

/// Families of series, one after the other.
pub struct Exposition {
    bytes: Vec<u8>,
    format: Format,
    /// The name of the present family.
    name: String,
    kind: MetricType,
}

impl Exposition {
    /// An empty one.
    pub fn new(format: Format) -> Self {
        Self { bytes: Vec::new(), format, name: String::new(), kind: MetricType::GAUGE }
    }

    /// A set of labels for samples of it, with none yet.
    pub fn labels(&self) -> WrittenLabels {
        WrittenLabels::new(self.format)
    }

    /// A family, with what `add` writes of it; nothing if that is nothing.
    pub fn family(
        &mut self,
        name: &str,
        kind: MetricType,
        help: &str,
        add: impl FnOnce(&mut Self),
    ) {
        let begin = self.bytes.len();
        name.clone_into(&mut self.name);
        self.kind = kind;
        match self.format {
            Format::Protobuf => protobuf::push_family(&mut self.bytes, name, kind, help),
            Format::Text | Format::OpenMetrics => self.push_head(help),
        }
        let samples = self.bytes.len();
        add(self);
        if self.bytes.len() == samples {
            self.bytes.truncate(begin);
        } else if self.format == Format::Protobuf {
            protobuf::end_family(&mut self.bytes, begin);
        }
    }

    fn push_head(&mut self, help: &str) {
        let open = self.format == Format::OpenMetrics;
        let name = &*self.name;
        let family = if open { name.strip_suffix("_total").unwrap_or(name) } else { name };
        let kind = match self.kind {
            MetricType::COUNTER => "counter",
            MetricType::HISTOGRAM => "histogram",
            _ => "gauge",
        };
        extend(&mut self.bytes, ["# HELP ", family, " "]);
        push_escaped(&mut self.bytes, help, open);
        extend(&mut self.bytes, ["\n# TYPE ", family, " ", kind, "\n"]);
    }

    /// A family of the process.
    pub fn collected(&mut self, family: &MetricFamily) {
        let kind = family.get_field_type();
        self.family(family.name(), kind, family.help(), |out| {
            for metric in family.get_metric() {
                let value = match kind {
                    MetricType::COUNTER => metric.get_counter().get_value(),
                    _ => metric.get_gauge().get_value(),
                };
                out.sample(&[], &[], value);
            }
        });
    }

    /// A sample of the present family, with labels as [`WrittenLabels`] has them.
    pub fn sample(&mut self, subject_labels: &[u8], own_labels: &[u8], value: f64) {
        match self.format {
            Format::Protobuf => {
                let labels = [subject_labels, own_labels];
                protobuf::push_sample(&mut self.bytes, labels, self.kind, value);
            }
            Format::Text | Format::OpenMetrics => {
                self.sample_of("", subject_labels, own_labels, value);
            }
        }
    }

    /// A histogram: with classic buckets, and in protobuf with the native ones of its grid, too.
    pub fn histogram(&mut self, labels: &[u8], view: &HistogramView) {
        let bounds = match view.grid {
            Grid::RoundTrips => &*ROUND_TRIPS,
            Grid::Delays => &*DELAYS,
        };
        if self.format == Format::Protobuf {
            return protobuf::push_histogram(&mut self.bytes, labels, view);
        }
        for (bound, &count) in bounds.iter().zip(&view.buckets) {
            self.sample_of("_bucket", labels, bound.as_ref(), count as f64);
        }
        let count = view.count as f64;
        self.sample_of("_bucket", labels, b"le=\"+Inf\"", count);
        self.sample_of("_sum", labels, &[], view.sum);
        self.sample_of("_count", labels, &[], count);
    }

    /// The whole answer.
    pub fn finish(mut self) -> Vec<u8> {
        if self.format == Format::OpenMetrics {
            self.bytes.extend_from_slice(b"# EOF\n");
        }
        self.bytes.shrink_to_fit();
        self.bytes
    }

    fn sample_of(&mut self, suffix: &str, subject_labels: &[u8], own_labels: &[u8], value: f64) {
        let text = &mut self.bytes;
        extend(text, [&*self.name, suffix]);
        if !(subject_labels.is_empty() && own_labels.is_empty()) {
            text.push(b'{');
            text.extend_from_slice(subject_labels);
            if !(subject_labels.is_empty() || own_labels.is_empty()) {
                text.push(b',');
            }
            text.extend_from_slice(own_labels);
            text.push(b'}');
        }
        text.push(b' ');
        // A vector takes all that is written to it.
        let _ = match value as i64 {
            whole if whole as f64 == value && whole.unsigned_abs() < EXACT => {
                write!(text, "{whole}")
            }
            _ if value.is_infinite() => write!(text, "{}Inf", if value > 0.0 { '+' } else { '-' }),
            _ => write!(text, "{value}"),
        };
        text.push(b'\n');
    }
}

fn extend<const N: usize>(out: &mut Vec<u8>, parts: [&str; N]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    let is_special =
        |character: char| matches!(character, '\\' | '\n') || quotes && character == '"';
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        let escaped = match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        };
        extend(out, [&rest[..at], escaped]);
        rest = &rest[at + 1..];
    }
    extend(out, [rest]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A family of each kind, one that is empty, and labels that need care.
    fn written(format: Format) -> String {
        let mut out = Exposition::new(format);
        out.family("a_total", MetricType::COUNTER, "It \\ \"counts\"\nup.", |out| {
            let [mut labels, mut own_labels] = [out.labels(), out.labels()];
            labels.push("name", "a \"quoted\" \\ line\nof 北");
            own_labels.push("reason", "x");
            out.sample(labels.as_ref(), own_labels.as_ref(), 3.0);
        });
        out.family("none", MetricType::GAUGE, "Nothing.", |_| {});
        out.family("b", MetricType::GAUGE, "Any.", |out| {
            for value in [0.1, -2.0, 1e21, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                out.sample(&[], &[], value);
            }
        });
        out.family("c_seconds", MetricType::HISTOGRAM, "Times.", |out| {
            let buckets = vec![1, 4];
            let view = HistogramView { buckets, sum: 2.5, count: 5, ..HistogramView::default() };
            out.histogram(b"probe=\"icmp\"", &view);
        });
        String::from_utf8(out.finish()).unwrap()
    }

    #[test]
    fn text_is_escaped_and_an_empty_family_is_not_there() {
        assert_eq!(
            written(Format::Text),
            r#"# HELP a_total It \\ "counts"\nup.
# TYPE a_total counter
a_total{name="a \"quoted\" \\ line\nof 北",reason="x"} 3
# HELP b Any.
# TYPE b gauge
b 0.1
b -2
b 1000000000000000000000
b +Inf
b -Inf
b NaN
# HELP c_seconds Times.
# TYPE c_seconds histogram
c_seconds_bucket{probe="icmp",le="0.005"} 1
c_seconds_bucket{probe="icmp",le="0.00625"} 4
c_seconds_bucket{probe="icmp",le="+Inf"} 5
c_seconds_sum{probe="icmp"} 2.5
c_seconds_count{probe="icmp"} 5
"#
        );
    }

    /// OpenMetrics 1.0: a counter's family has no suffix, a bound is a float, quotes are escaped in
    /// the help too, and the end is said.
    #[test]
    fn openmetrics_differs_where_it_must() {
        let text = written(Format::Text);
        let expected = text
            .replace("# HELP a_total It \\\\ \"counts\"", "# HELP a It \\\\ \\\"counts\\\"")
            .replace("# TYPE a_total", "# TYPE a");
        assert_eq!(written(Format::OpenMetrics), expected + "# EOF\n");
        assert_eq!(
            [5e-5, 0.000_25, 0.1024, 1.0, 10.0].map(canonical),
            ["5e-05", "0.00025", "0.1024", "1.0", "10.0"]
        );
    }
}
