//! Adding to a gauge: the rules every store shares, as pure functions.

use std::borrow::Cow;

use happn_protocol::Json;
use serde_json::Number;
use serde_json::value::{RawValue, to_raw_value};

use crate::document::{Draft, NotAnObject, members};
use crate::{Increment, StoreError};

/// Integers up to here are the same number in JavaScript.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// The data after `increment`, where `stored` was before, and the gauge's new total.
///
/// The gauge lives at `data.<gauge>.value`; whatever is missing on the way is made, from 0. Its
/// name is a literal key, dots included. All other members stay as they are.
///
/// # Errors
/// [`StoreError::NotANumber`] when the value, or the member that should hold it, is something
/// else; [`StoreError::Failed`] when the total is too large for a number.
pub fn increment_gauge(
    stored: Option<&Json>,
    increment: &Increment,
) -> Result<(Json, Number), StoreError> {
    let path = increment.path.as_str();
    let not_a_number = || StoreError::NotANumber {
        path: path.to_owned(),
        gauge: increment.gauge.to_string(),
    };
    let mut data = match stored {
        Some(stored) => members(stored.as_str()).map_err(|error| error.on_path(path))?,
        None => Draft::default(),
    };
    let mut gauge = gauge_members(data.value(&increment.gauge)).map_err(|_| not_a_number())?;
    let before = match gauge.value("value") {
        Some(value) => serde_json::from_str(value.get()).map_err(|_| not_a_number())?,
        None => Number::from(0),
    };
    let total = add(&before, &increment.by).ok_or_else(|| {
        StoreError::Failed(format!(
            "gauge {} on path {path} overflows",
            increment.gauge
        ))
    })?;
    let failed = |error: serde_json::Error| StoreError::Failed(error.to_string());
    let value = to_raw_value(&total).map_err(failed)?;
    gauge.set(Cow::Borrowed("value"), &value);
    let gauge = RawValue::from_string(gauge.into_json().to_string()).map_err(failed)?;
    data.set(Cow::Borrowed(&increment.gauge), &gauge);
    Ok((data.into_json(), total))
}

fn gauge_members(stored: Option<&RawValue>) -> Result<Draft<'_>, NotAnObject> {
    match stored {
        Some(stored) => members(stored.get()),
        None => Ok(Draft::default()),
    }
}

/// The sum, as an integer where it is one; `None` when it is too large for a float.
fn add(left: &Number, right: &Number) -> Option<Number> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(sum) = left.checked_add(right)
    {
        return Some(Number::from(sum));
    }
    let sum = left.as_f64()? + right.as_f64()?;
    // JavaScript peers print 2.0 as `2`, and -0 as `0`.
    if sum.fract() == 0.0 && sum.abs() <= SAFE_INTEGER_MAX {
        return Some(Number::from(sum as i64));
    }
    Number::from_f64(sum)
}

#[cfg(test)]
mod tests {
    use happn_paths::Path;

    use super::*;

    fn increment(stored: &str, gauge: &str, by: &str) -> Result<(String, String), StoreError> {
        let stored = Json::parse(stored).unwrap();
        let increment = Increment {
            path: Path::for_set("/g").unwrap(),
            gauge: gauge.into(),
            by: serde_json::from_str(by).unwrap(),
        };
        let (data, total) = increment_gauge(Some(&stored), &increment)?;
        Ok((data.to_string(), total.to_string()))
    }

    fn check(stored: &str, gauge: &str, by: &str, data: &str, total: &str) {
        let expected = (data.to_owned(), total.to_owned());
        assert_eq!(increment(stored, gauge, by).unwrap(), expected);
    }

    #[test]
    fn a_missing_gauge_starts_at_zero() {
        check("{}", "c", "1", r#"{"c":{"value":1}}"#, "1");
        check(r#"{"a":1}"#, "c", "-2", r#"{"a":1,"c":{"value":-2}}"#, "-2");
        check(
            r#"{"c":{"unit":"m"}}"#,
            "c",
            "0",
            r#"{"c":{"unit":"m","value":0}}"#,
            "0",
        );
    }

    #[test]
    fn only_the_gauges_value_changes() {
        let stored = r#"{"c":{"value":4,"unit":"m"},"d":{"value":1.50}}"#;
        let after = r#"{"c":{"value":9,"unit":"m"},"d":{"value":1.50}}"#;
        check(stored, "c", "5", after, "9");
        check(
            r#"{"a":{"b":1}}"#,
            "a.b",
            "1",
            r#"{"a":{"b":1},"a.b":{"value":1}}"#,
            "1",
        );
    }

    #[test]
    fn integers_stay_integers_and_whole_floats_print_as_integers() {
        check(
            r#"{"c":{"value":0.5}}"#,
            "c",
            "1.5",
            r#"{"c":{"value":2}}"#,
            "2",
        );
        check(
            r#"{"c":{"value":1}}"#,
            "c",
            "0.25",
            r#"{"c":{"value":1.25}}"#,
            "1.25",
        );
        check(
            r#"{"c":{"value":1e2}}"#,
            "c",
            "1",
            r#"{"c":{"value":101}}"#,
            "101",
        );
        check(
            r#"{"c":{"value":-0.0}}"#,
            "c",
            "0",
            r#"{"c":{"value":0}}"#,
            "0",
        );
        let top = r#"{"c":{"value":9007199254740992}}"#;
        check(
            top,
            "c",
            "1",
            r#"{"c":{"value":9007199254740993}}"#,
            "9007199254740993",
        );
        let (_, total) = increment(r#"{"c":{"value":9223372036854775807}}"#, "c", "1").unwrap();
        assert_eq!(total.parse::<f64>().unwrap(), 9_223_372_036_854_775_808.0);
    }

    #[test]
    fn what_is_not_a_number_cannot_be_incremented() {
        for stored in [
            r#"{"c":5}"#,
            r#"{"c":null}"#,
            r#"{"c":{"value":"5"}}"#,
            r#"{"c":{"value":null}}"#,
            r#"{"c":[1]}"#,
        ] {
            let error = increment(stored, "c", "1").unwrap_err();
            assert_eq!(
                error.to_string(),
                "cannot increment c on path /g: not a number"
            );
        }
    }

    #[test]
    fn a_total_beyond_all_numbers_is_refused() {
        let error = increment(r#"{"c":{"value":1.7e308}}"#, "c", "1.7e308").unwrap_err();
        assert_eq!(
            error,
            StoreError::Failed("gauge c on path /g overflows".to_owned())
        );
    }
}
