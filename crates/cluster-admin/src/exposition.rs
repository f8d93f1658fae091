//! Metrics as text, in the format that Prometheus reads.

use std::fmt::{Display, Write};
use std::time::Duration;

/// The text of all metrics, written family by family.
///
/// ```
/// use cluster_admin::Exposition;
///
/// let mut text = Exposition::default();
/// let mut sessions = text.gauge("happn_sessions", "Connected sessions.");
/// sessions.sample(&[("kind", "client")], 3);
/// let text = text.finish();
/// assert!(text.ends_with("happn_sessions{kind=\"client\"} 3\n"), "{text}");
/// ```
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// One metric with its samples.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Exposition {
    /// The media type of the text.
    pub const MEDIA_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// A number that goes up and down. `help` is one line.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, help, "gauge")
    }

    /// A number that only grows; its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, help, "counter")
    }

    /// Durations by their length, in seconds; its name ends in `_seconds`.
    pub fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, help, "histogram")
    }

    /// The whole text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, help: &str, kind: &str) -> Family<'_> {
        // Writing to a string cannot fail; so it is everywhere here.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family {
            text: &mut self.text,
            name,
        }
    }
}

impl Family<'_> {
    /// One sample. The number of different labels must be bounded by the caller.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line("", labels, None, value);
    }

    /// The samples of a histogram: `counts` are those of the buckets, each without the ones before
    /// it, the last one for everything longer than all `bounds`.
    pub fn durations(
        &mut self,
        labels: &[(&str, &str)],
        bounds: &[Duration],
        counts: &[u64],
        total: Duration,
    ) {
        let mut sum = 0;
        for (at, count) in counts.iter().enumerate() {
            sum += count;
            let bound = bounds.get(at).map(|bound| bound.as_secs_f64().to_string());
            let bound = bound.as_deref().unwrap_or("+Inf");
            self.line("_bucket", labels, Some(bound), sum);
        }
        self.line("_sum", labels, None, total.as_secs_f64());
        self.line("_count", labels, None, sum);
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        bound: Option<&str>,
        value: impl Display,
    ) {
        let text = &mut *self.text;
        text.push_str(self.name);
        text.push_str(suffix);
        let bound = bound.map(|bound| ("le", bound));
        let mut separator = '{';
        for (label, value) in labels.iter().copied().chain(bound) {
            let _ = write!(text, "{separator}{label}=\"{}\"", escaped(value));
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        let _ = writeln!(text, " {value}");
    }
}

fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_cumulative_and_in_seconds() {
        let mut text = Exposition::default();
        let bounds = [Duration::from_millis(1), Duration::from_secs(1)];
        let total = Duration::from_millis(2500);
        text.histogram("took_seconds", "How long it took.")
            .durations(&[("op", "read")], &bounds, &[1, 2, 3], total);
        assert_eq!(
            text.finish(),
            "# HELP took_seconds How long it took.\n\
             # TYPE took_seconds histogram\n\
             took_seconds_bucket{op=\"read\",le=\"0.001\"} 1\n\
             took_seconds_bucket{op=\"read\",le=\"1\"} 3\n\
             took_seconds_bucket{op=\"read\",le=\"+Inf\"} 6\n\
             took_seconds_sum{op=\"read\"} 2.5\n\
             took_seconds_count{op=\"read\"} 6\n"
        );
    }

    #[test]
    fn labels_may_hold_anything() {
        let mut text = Exposition::default();
        let mut family = text.gauge("up", "Up.");
        family.sample(&[("peer", "a\"b\\c\nd")], 1);
        family.sample(&[], 0);
        let text = text.finish();
        assert!(
            text.ends_with("up{peer=\"a\\\"b\\\\c\\nd\"} 1\nup 0\n"),
            "{text}"
        );
    }
}
