//! The time of day in UTC, as signatures, keys, certificates and HTTP write it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// The days from 0000-03-01 to 1970-01-01, and the days in 400 years.
const DAYS_TO_1970: u64 = 719_468;
const ERA: u64 = 146_097;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The seconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time of this host's clock; a clock before 1970 counts as 1970.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since_epoch.unwrap_or_default().as_secs())
    }

    /// `20260115T093045Z` (ISO 8601, basic format), as `X-Sdk-Date` has it.
    pub fn to_basic_format(self) -> String {
        let digits = self.to_string().replace(|c: char| !c.is_ascii_digit(), "");
        format!("{}T{}Z", &digits[..8], &digits[8..])
    }

    /// Parses the time in HTTP's header `Date`, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section
    /// 5.6.7, IMF-fixdate). The day of the week is ignored.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let (_, text) = text.strip_suffix(" GMT")?.split_once(", ")?;
        if text.len() != "06 Nov 1994 08:49:37".len() {
            return None;
        }
        let [day, month, year, time] =
            <[&str; 4]>::try_from(text.split(' ').collect::<Vec<_>>()).ok()?;
        let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
        let [hour, minute, second] =
            <[&str; 3]>::try_from(time.split(':').collect::<Vec<_>>()).ok()?;
        let number = |text: &str| text.parse::<u64>().ok();
        let days = days_to(
            number(year).filter(|year| *year < 10_000)?,
            month,
            number(day)?,
        )?;
        let parsed =
            Self(days * DAY + number(hour)? * 3600 + number(minute)? * 60 + number(second)?);
        // A day or an hour that does not exist has turned into another one.
        let written = format!("{year}-{month:02}-{day} {hour}:{minute}:{second} UTC");
        (parsed.to_string() == written).then_some(parsed)
    }

    /// Returns `end`, a key's `2026-01-01T00:00:00.000000Z`, reformatted if it is in the past;
    /// `None` if not, or if it can't be parsed.
    pub fn expired(self, end: &str) -> Option<String> {
        let shape = end.replace(|c: char| c.is_ascii_digit(), "0");
        let fraction = shape
            .strip_prefix("0000-00-00T00:00:00")?
            .strip_suffix('Z')?;
        let end = format!("{} UTC", end.get(..19)?.replace('T', " "));
        (fraction.trim_matches(['.', '0']).is_empty() && end <= self.to_string()).then_some(end)
    }
}

/// `2026-01-15 09:30:45 UTC`. The date is Howard Hinnant's `civil_from_days`: its years begin in
/// March, so that the leap day is the last of a year, and 400 of them have 146,097 days.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, time) = (self.0 / DAY + DAYS_TO_1970, self.0 % DAY);
        let day_of_era = days % ERA;
        let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (ERA - 1);
        let year = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153; // from March on, as 0
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (years, month) = match month {
            10.. => (1, month - 9),
            _ => (0, month + 3),
        };
        let year = days / ERA * 400 + year + years;
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

/// The days from 1970-01-01 to a date, if it is not before: Hinnant's `days_from_civil`.
fn days_to(year: u64, month: u64, day: u64) -> Option<u64> {
    let (years, month) = match month {
        3.. => (year, month - 3),
        _ => (year.checked_sub(1)?, month + 9),
    };
    let leap_days = years / 4 - years / 100 + years / 400;
    let day_of_year = (153 * month + 2) / 5 + day.checked_sub(1)?;
    (365 * years + leap_days + day_of_year).checked_sub(DAYS_TO_1970)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::Timestamp;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 5_000,
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_second_to_the_year_9999_is_written_as_by_the_time_crate(
            seconds in 0..253_402_300_800_u64,
        ) {
            let signed = i64::try_from(seconds).unwrap();
            let theirs = OffsetDateTime::from_unix_timestamp(signed).unwrap();
            let (year, month, day) = theirs.to_calendar_date();
            let (hour, minute, second) = theirs.to_hms();
            let month = u8::from(month);
            prop_assert_eq!(
                Timestamp(seconds).to_basic_format(),
                format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
            );
            prop_assert_eq!(
                Timestamp(seconds).to_string(),
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
            );
            let name = super::MONTHS[usize::from(month) - 1];
            let weekday = &theirs.weekday().to_string()[..3];
            let date = format!(
                "{weekday}, {day:02} {name} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
            );
            prop_assert_eq!(Timestamp::parse_http_date(&date), Some(Timestamp(seconds)));
        }

        #[test]
        fn any_text_is_a_date_or_none(
            text in "[A-Z][a-z]{2}, [0-9 +]{2} [A-Z][a-z]{2} [0-9:+ ]{13} GMT|.{0,40}",
        ) {
            let _ = Timestamp::parse_http_date(&text);
        }
    }

    #[test]
    fn a_date_that_does_not_exist_is_none() {
        let parse = Timestamp::parse_http_date;
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Timestamp(784_111_777))
        );
        for text in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 30 Feb 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sat, 01 Jan 0000 00:00:00 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, 06 Nov 1994 18446744073709551615:49:37 GMT",
            "Sun, 18446744073709551615 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
