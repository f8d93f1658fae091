//! Durations as JavaScript configurations write them.

use std::time::Duration;

use serde_json::Value;

/// What is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a duration: a number of milliseconds, or text such as `2 hours` or `7 days`")]
pub struct DurationError(String);

/// Units and their length in ms; a name may also stand in the plural.
const UNITS: [(&[&str], f64); 7] = [
    (&["ms", "msec", "millisecond"], 1.0),
    (&["s", "sec", "second"], 1000.0),
    (&["m", "min", "minute"], 60_000.0),
    (&["h", "hr", "hour"], 3_600_000.0),
    (&["d", "day"], 86_400_000.0),
    (&["w", "week"], 604_800_000.0),
    (&["y", "yr", "year"], 31_557_600_000.0),
];

/// Reads a number of milliseconds, numeric text, or text with a unit: `2 hours`, `7 days`, `90s`.
/// `None` is no limit: `null`, `Infinity`, zero, or more than can be counted.
///
/// # Errors
/// When it is none of these, or negative.
pub fn parse_duration(value: &Value) -> Result<Option<Duration>, DurationError> {
    let milliseconds = match value {
        Value::Null => Some(0.0),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => milliseconds(text),
        _ => None,
    };
    match milliseconds {
        Some(number) if number >= 0.0 => {
            let unlimited = number < 1.0 || number > u64::MAX as f64;
            Ok((!unlimited).then(|| Duration::from_millis(number as u64)))
        }
        _ => Err(DurationError(value.to_string())),
    }
}

fn milliseconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if text == "Infinity" {
        return Some(f64::INFINITY);
    }
    let digits = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-'));
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = unit.trim_start().to_ascii_lowercase();
    let named = |name: &&str| unit == **name || unit.strip_suffix('s') == Some(name);
    let length = match unit.as_str() {
        "" => Some(1.0),
        _ => {
            let unit = UNITS.iter().find(|(names, _)| names.iter().any(named));
            unit.map(|(_, length)| *length)
        }
    };
    Some(number.parse::<f64>().ok()? * length?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_texts_are_read_as_the_reference_reads_them() {
        for (value, milliseconds) in [
            (json!(60000), 60_000),
            (json!(1500.5), 1500),
            (json!("1500"), 1500),
            (json!("2 hours"), 7_200_000),
            (json!("7 days"), 604_800_000),
            (json!("1 hour"), 3_600_000),
            (json!("2 minutes"), 120_000),
            (json!("1.5h"), 5_400_000),
            (json!(" 90s "), 90_000),
            (json!("10 MSECS"), 10),
            (json!("1y"), 31_557_600_000),
            (json!("3 hrs"), 10_800_000),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(parse_duration(&value), Ok(Some(expected)), "{value}");
        }
    }

    #[test]
    fn zero_null_and_infinity_are_no_limit() {
        for value in [
            json!(0),
            json!(null),
            json!("Infinity"),
            json!("0"),
            json!(1e300),
        ] {
            assert_eq!(parse_duration(&value), Ok(None), "{value}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_allowed() {
        for value in [
            json!("soon"),
            json!(""),
            json!("5 fortnights"),
            json!("-1 day"),
            json!(-1),
            json!(true),
            json!({}),
            json!("1.2.3 days"),
            json!("é"),
        ] {
            let problem = parse_duration(&value).unwrap_err().to_string();
            assert!(problem.contains("`2 hours`"), "{problem}");
        }
    }
}
