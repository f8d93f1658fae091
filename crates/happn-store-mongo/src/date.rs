//! Dates as `JSON.stringify` prints them.

use std::io::Write as _;

const MS_PER_DAY: i64 = 86_400_000;
/// JavaScript's dates end here, in either direction.
const MS_MAX: i64 = 8_640_000_000_000_000;

/// Appends the ISO text of `ms` since 1970, in quotes; `null` when JavaScript has no such date.
pub(crate) fn write(out: &mut Vec<u8>, ms: i64) {
    if ms.abs() > MS_MAX {
        return out.extend_from_slice(b"null");
    }
    let (year, month, day) = civil(ms.div_euclid(MS_PER_DAY));
    let rest = ms.rem_euclid(MS_PER_DAY);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, ms) = (rest / 1000 % 60, rest % 1000);
    // Writing to a `Vec` cannot fail.
    let _ = match year {
        0..=9999 => write!(out, "\"{year:04}"),
        _ => write!(out, "\"{year:+07}"),
    };
    let _ = write!(
        out,
        "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z\""
    );
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that a leap day is the last of its year, in eras of 400 years.
fn civil(day: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    let since_march_0 = day + 719_468;
    let era = since_march_0.div_euclid(DAYS_PER_ERA);
    let of_era = since_march_0.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_iso_text() {
        for (ms, text) in [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (1_700_000_000_000, "\"2023-11-14T22:13:20.000Z\""),
            (1_577_934_245_678, "\"2020-01-02T03:04:05.678Z\""),
            (951_782_400_000, "\"2000-02-29T00:00:00.000Z\""),
            (-1, "\"1969-12-31T23:59:59.999Z\""),
            (-62_167_219_200_001, "\"-000001-12-31T23:59:59.999Z\""),
            (253_402_300_800_000, "\"+010000-01-01T00:00:00.000Z\""),
            (i64::MAX - 1, "null"),
        ] {
            let mut out = Vec::new();
            write(&mut out, ms);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
