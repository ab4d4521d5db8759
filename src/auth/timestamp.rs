//! The time of day in UTC: a signature holds for minutes only.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// A second, counted from 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// What this host's clock says; a clock before 1970 counts as 1970.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since_epoch.unwrap_or_default().as_secs())
    }

    /// `20260115T093045Z` (ISO 8601, basic format), as `X-Sdk-Date` has it.
    pub fn to_basic_format(self) -> String {
        let digits = self.to_string().replace(|c: char| !c.is_ascii_digit(), "");
        format!("{}T{}Z", &digits[..8], &digits[8..])
    }

    /// A key's expiry time, `2026-01-01T00:00:00.000000Z`, in this type's own form, if it has passed;
    /// `None` if it has not, or can't be read.
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
        const DAYS_TO_1970: u64 = 719_468; // from March 1 of the year 0
        const ERA: u64 = 146_097;
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
            let theirs = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap()).unwrap();
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
        }
    }
}
