//! Numbers: how JavaScript stores them and how it prints them.

use std::io::Write as _;

use bson::Bson;
use serde_json::Number;

/// Integers up to here print as numbers; a larger 64 bit integer is an object in JavaScript.
const SAFE_INTEGER_MAX: i64 = 1 << 53;

/// `value` as the JavaScript driver stores it: whole numbers of 32 bits as such, all else as a
/// double. Never a 64 bit integer.
pub(crate) fn stored(value: f64) -> Bson {
    let whole = value as i32;
    match f64::from(whole) == value {
        true => Bson::Int32(whole),
        false => Bson::Double(value),
    }
}

/// `number` as the JavaScript driver stores it.
pub(crate) fn stored_number(number: &Number) -> Bson {
    stored(number.as_f64().unwrap_or(f64::INFINITY))
}

/// A total that MongoDB answered; `None` when JSON cannot carry it.
pub(crate) fn total(value: f64) -> Option<Number> {
    match value.fract() == 0.0 && value.abs() <= SAFE_INTEGER_MAX as f64 {
        true => Some(Number::from(value as i64)),
        false => Number::from_f64(value),
    }
}

/// Appends `value` as `JSON.stringify` prints it: the shortest digits that read back the same,
/// `null` for what is no number.
pub(crate) fn write_double(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        return out.extend_from_slice(b"null");
    }
    // Whole numbers are the common case; `as` also turns -0 into 0, as JavaScript does.
    if value.fract() == 0.0 && value.abs() <= SAFE_INTEGER_MAX as f64 {
        return write_integer(out, value as i64);
    }
    let shortest = format!("{:e}", value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    // Where the decimal point stands, counted from the first digit.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    if value < 0.0 {
        out.push(b'-');
    }
    write_digits(out, &digits, point);
}

fn write_digits(out: &mut Vec<u8>, digits: &str, point: i32) {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    match point {
        _ if (count..=21).contains(&point) => {
            out.extend_from_slice(digits.as_bytes());
            out.extend((count..point).map(|_| b'0'));
        }
        1..=21 => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
            out.extend_from_slice(whole.as_bytes());
            out.push(b'.');
            out.extend_from_slice(fraction.as_bytes());
        }
        -5..=0 => {
            out.extend_from_slice(b"0.");
            out.extend((point..0).map(|_| b'0'));
            out.extend_from_slice(digits.as_bytes());
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            out.extend_from_slice(first.as_bytes());
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest.as_bytes());
            }
            out.extend_from_slice(if point > 0 { b"e+" } else { b"e-" });
            write_integer(out, i64::from((point - 1).abs()));
        }
    }
}

/// Appends a 64 bit integer the way the JavaScript driver hands it on.
pub(crate) fn write_long(out: &mut Vec<u8>, value: i64) {
    if value.unsigned_abs() <= SAFE_INTEGER_MAX.unsigned_abs() {
        return write_integer(out, value);
    }
    out.extend_from_slice(b"{\"low\":");
    write_integer(out, i64::from(value as i32));
    out.extend_from_slice(b",\"high\":");
    write_integer(out, value >> 32);
    out.extend_from_slice(b",\"unsigned\":false}");
}

/// Appends an integer in decimal digits.
pub(crate) fn write_integer(out: &mut Vec<u8>, value: i64) {
    // Writing to a `Vec` cannot fail.
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(value: f64) -> String {
        let mut out = Vec::new();
        write_double(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_print_as_javascript_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (100.0, "100"),
            (1e20, "100000000000000000000"),
            (1.5e20, "150000000000000000000"),
            (1e21, "1e+21"),
            (1.25e25, "1.25e+25"),
            (0.000001, "0.000001"),
            (0.00000123, "0.00000123"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1_795_445_788_713.0, "1795445788713"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
            (123_456.789, "123456.789"),
            (f64::NAN, "null"),
            (f64::NEG_INFINITY, "null"),
        ] {
            assert_eq!(printed(value), text);
        }
    }

    #[test]
    fn longs_beyond_the_safe_integers_are_objects() {
        let long = |value| {
            let mut out = Vec::new();
            write_long(&mut out, value);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(long(5), "5");
        assert_eq!(long(-(1 << 53)), "-9007199254740992");
        assert_eq!(
            long((1 << 53) + 1),
            r#"{"low":1,"high":2097152,"unsigned":false}"#
        );
        assert_eq!(
            long(i64::MIN),
            r#"{"low":0,"high":-2147483648,"unsigned":false}"#
        );
    }

    #[test]
    fn only_whole_numbers_of_32_bits_are_stored_as_integers() {
        for (value, expected) in [
            (42.0, Bson::Int32(42)),
            (-0.0, Bson::Int32(0)),
            (2_147_483_647.0, Bson::Int32(i32::MAX)),
            (2_147_483_648.0, Bson::Double(2_147_483_648.0)),
            (-2_147_483_648.0, Bson::Int32(i32::MIN)),
            (-2_147_483_649.0, Bson::Double(-2_147_483_649.0)),
            (0.5, Bson::Double(0.5)),
        ] {
            assert_eq!(stored(value), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(bits in proptest::prelude::any::<u64>()) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                proptest::prop_assert_eq!(printed(value).parse::<f64>().unwrap(), value);
            }
        }
    }
}
