//! The text format 0.0.4 of Prometheus, and OpenMetrics 1.0, written straight into a buffer. The
//! prometheus crate makes an object of each series and a string of each label: at 5,000 blocks that
//! took seven times as long, and four times the memory for good. It is there for the metrics of the
//! process; and in tests other parsers read what is written here.

use prometheus::proto::{MetricFamily, MetricType};
use std::fmt::Write as _;

/// Whole numbers below this are what they are as floats, and are written faster.
const EXACT: u64 = 1 << 53;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0, without `_created`: it would be another series for each counter, of which
    /// nearly all began with the process.
    OpenMetrics,
}

impl Format {
    /// The media type of the answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Families of series, one after the other.
pub(super) struct Exposition {
    text: String,
    format: Format,
    /// The name of the present family.
    name: String,
}

impl Exposition {
    pub fn new(format: Format) -> Self {
        Self { text: String::new(), format, name: String::new() }
    }

    /// A family, with what `add` writes of it; nothing if that is nothing.
    pub fn family(
        &mut self,
        name: &str,
        kind: MetricType,
        help: &str,
        add: impl FnOnce(&mut Self),
    ) {
        let begin = self.text.len();
        name.clone_into(&mut self.name);
        let family = match self.format {
            Format::Text => name,
            Format::OpenMetrics => name.strip_suffix("_total").unwrap_or(name),
        };
        let kind = match kind {
            MetricType::COUNTER => "counter",
            MetricType::HISTOGRAM => "histogram",
            _ => "gauge",
        };
        self.text.extend(["# HELP ", family, " "]);
        push_escaped(&mut self.text, help, self.format == Format::OpenMetrics);
        self.text.extend(["\n# TYPE ", family, " ", kind, "\n"]);
        let samples = self.text.len();
        add(self);
        if self.text.len() == samples {
            self.text.truncate(begin);
        }
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
                out.sample("", "", value);
            }
        });
    }

    /// A sample of the present family, with labels as [`push_label`] writes them.
    pub fn sample(&mut self, subject_labels: &str, own_labels: &str, value: f64) {
        self.sample_of("", subject_labels, own_labels, value);
    }

    /// The samples of a histogram: upper bounds with how many lie at or below each, the sum and the
    /// number of all.
    pub fn histogram(&mut self, labels: &str, buckets: &[(f64, u64)], sum: f64, count: u64) {
        let mut own_labels = String::new();
        for &(bound, count) in buckets {
            own_labels.clear();
            let bound = match self.format {
                Format::Text => bound.to_string(),
                // Each has one way to be written (OpenMetrics 1.0, "Considerations: Canonical
                // Numbers").
                Format::OpenMetrics => format!("{bound:?}"),
            };
            push_label(&mut own_labels, "le", &bound);
            self.sample_of("_bucket", labels, &own_labels, count as f64);
        }
        self.sample_of("_bucket", labels, "le=\"+Inf\"", count as f64);
        self.sample_of("_sum", labels, "", sum);
        self.sample_of("_count", labels, "", count as f64);
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text.shrink_to_fit();
        self.text
    }

    fn sample_of(&mut self, suffix: &str, subject_labels: &str, own_labels: &str, value: f64) {
        let text = &mut self.text;
        text.extend([&*self.name, suffix]);
        if !(subject_labels.is_empty() && own_labels.is_empty()) {
            let comma = if subject_labels.is_empty() || own_labels.is_empty() { "" } else { "," };
            text.extend(["{", subject_labels, comma, own_labels, "}"]);
        }
        text.push(' ');
        let _ = match value as i64 {
            whole if whole as f64 == value && whole.unsigned_abs() < EXACT => {
                write!(text, "{whole}")
            }
            _ if value.is_infinite() => text.write_str(if value > 0.0 { "+Inf" } else { "-Inf" }),
            _ => write!(text, "{value}"),
        };
        text.push('\n');
    }
}

/// Adds a label with its value, escaped.
pub(super) fn push_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    labels.extend([name, "=\""]);
    push_escaped(labels, value, true);
    labels.push('"');
}

fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    let is_special =
        |character: char| matches!(character, '\\' | '\n') || quotes && character == '"';
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A family of each kind, one that is empty, and labels that need care.
    fn written(format: Format) -> String {
        let mut out = Exposition::new(format);
        out.family("a_total", MetricType::COUNTER, "It \\ \"counts\"\nup.", |out| {
            let mut labels = String::new();
            push_label(&mut labels, "name", "a \"quoted\" \\ line\nof 北");
            out.sample(&labels, "reason=\"x\"", 3.0);
        });
        out.family("none", MetricType::GAUGE, "Nothing.", |_| {});
        out.family("b", MetricType::GAUGE, "Any.", |out| {
            for value in [0.1, -2.0, 1e21, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                out.sample("", "", value);
            }
        });
        out.family("c_seconds", MetricType::HISTOGRAM, "Times.", |out| {
            out.histogram("probe=\"icmp\"", &[(0.005, 1), (1.0, 4)], 2.5, 5);
        });
        out.finish()
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
c_seconds_bucket{probe="icmp",le="1"} 4
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
            .replace("# TYPE a_total", "# TYPE a")
            .replace("le=\"1\"", "le=\"1.0\"");
        assert_eq!(written(Format::OpenMetrics), expected + "# EOF\n");
    }
}
