//! The time of day in UTC: for a signature, which counts for minutes only, and for telling whose
//! clock is wrong.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// A second, counted from 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(u64);

/// A moment by the calendar.
struct Calendar {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Timestamp {
    /// What this host's clock says; a clock before 1970 counts as 1970.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since_epoch.unwrap_or_default().as_secs())
    }

    /// The moment so many seconds after 1970 began.
    pub fn from_unix_time(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Parses an HTTP date in its one form that may be sent, `Thu, 15 Jan 2026 09:30:45 GMT`
    /// (IMF-fixdate, RFC 9110, section 5.6.7). The name of the weekday is passed over.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let words: Vec<&str> = text.split(' ').collect();
        let [_weekday, day, month, year, time, "GMT"] = words[..] else {
            return None;
        };
        let times: Vec<&str> = time.split(':').collect();
        let [hour, minute, second] = times[..] else {
            return None;
        };
        let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
        let days = days_before(number(year, 1970..=9999)?, month) + number(day, 1..=31)? - 1;
        let hours = days * 24 + number(hour, 0..=23)?;
        let minutes = hours * 60 + number(minute, 0..=59)?;
        // A leap second is the 60th.
        Some(Self(minutes * 60 + number(second, 0..=60)?))
    }

    /// How far apart two moments are.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_secs(self.0.abs_diff(other.0))
    }

    /// `20260115T093045Z` (ISO 8601, basic format), as `X-Sdk-Date` has it.
    pub fn to_basic_format(self) -> String {
        let at = self.calendar();
        format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            at.year, at.month, at.day, at.hour, at.minute, at.second
        )
    }

    fn calendar(self) -> Calendar {
        let (days, seconds) = (self.0 / DAY, self.0 % DAY);
        let mut year = 1970 + days / 366; // not after the right one
        while days_before(year + 1, 1) <= days {
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days_before(year, month + 1) <= days {
            month += 1;
        }
        Calendar {
            year,
            month,
            day: days - days_before(year, month) + 1,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }
}

/// `2026-01-15 09:30:45 UTC`
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.calendar();
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
            at.year, at.month, at.day, at.hour, at.minute, at.second
        )
    }
}

/// The days from 1970-01-01 to the first day of a month (the Gregorian calendar; the year at least
/// 1970, the month from 1 to 12).
fn days_before(year: u64, month: u64) -> u64 {
    const IN_COMMON_YEAR: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leap_days(year) > leap_days(year - 1);
    (year - 1970) * 365
        + (leap_days(year - 1) - leap_days(1969))
        + IN_COMMON_YEAR[month as usize - 1]
        + u64::from(is_leap && month > 2)
}

/// A decimal number of digits alone, within the bounds.
fn number(text: &str, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_digits)?;
    bounds.contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::Timestamp;

    #[test]
    fn what_is_no_http_date_is_none() {
        for text in [
            "",
            "Thu, 15 Jan 2026 09:30:45",
            "Thu, 15 Jan 2026 09:30:45 CET",
            "Thursday, 15-Jan-26 09:30:45 GMT",
            "Thu Jan 15 09:30:45 2026",
            "Thu, 00 Jan 2026 09:30:45 GMT",
            "Thu, 32 Jan 2026 09:30:45 GMT",
            "Thu, +5 Jan 2026 09:30:45 GMT",
            "Thu, 15 jan 2026 09:30:45 GMT",
            "Thu, 15 Jan 1969 09:30:45 GMT",
            "Thu, 15 Jan 10000 09:30:45 GMT",
            "Thu, 15 Jan 2026 24:30:45 GMT",
            "Thu, 15 Jan 2026 09:60:45 GMT",
            "Thu, 15 Jan 2026 09:30:61 GMT",
            "Thu, 15 Jan 2026 09:30 GMT",
            "Thu, 15 Jan 2026  09:30:45 GMT",
        ] {
            assert_eq!(Timestamp::parse_http_date(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_second_to_the_year_9999_is_written_and_read_as_by_the_time_crate(
            seconds in 0..253_402_300_800_u64,
        ) {
            let moment = Timestamp(seconds);
            let theirs = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap()).unwrap();
            let (year, month, day) = theirs.to_calendar_date();
            let (hour, minute, second) = theirs.to_hms();
            let number = u8::from(month);
            prop_assert_eq!(
                moment.to_basic_format(),
                format!("{year:04}{number:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
            );
            prop_assert_eq!(
                moment.to_string(),
                format!("{year:04}-{number:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
            );
            let (weekday, month) = (theirs.weekday().to_string(), month.to_string());
            let http = format!(
                "{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT",
                &weekday[..3],
                &month[..3]
            );
            prop_assert_eq!(Timestamp::parse_http_date(&http), Some(moment));
        }
    }
}
