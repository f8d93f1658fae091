//! Moments as text.

/// `2026-11-25T12:00:00.000Z` for ms since 1970.
pub(crate) fn iso(ms: i64) -> String {
    const DAY: i64 = 86_400_000;
    let (year, month, day) = civil(ms.div_euclid(DAY));
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    let ms = ms.rem_euclid(DAY);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// `2026-11-25 12:00:00Z` for ms since 1970.
pub(crate) fn readable(ms: i64) -> String {
    let iso = iso(ms);
    let seconds = iso.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace('T', " "))
}

/// Year, month and day of a day counted from 1970, in the Gregorian calendar. Years are counted
/// from March, so that the leap day is the last one, in eras of 400 years of equal length.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days + 719_468;
    let era = days.div_euclid(ERA);
    let day = days.rem_euclid(ERA);
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..=9 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_164_800_123, "2024-02-29T00:00:00.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_795_617_130_210, "2026-11-25T14:32:10.210Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
            (-62_198_755_200_000, "-000001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso(ms), text);
        }
    }

    #[test]
    fn people_read_seconds() {
        assert_eq!(readable(1_795_617_130_210), "2026-11-25 14:32:10Z");
    }
}
