//! The service's check of a signed request: it builds the text that should have been signed from
//! the bytes that arrived, and compares. It shares no code with the program.

use ring::{digest, hmac};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::stand_in::Request;

/// How far the date of a signature may be off, in seconds.
const TOLERANCE: i64 = 15 * 60;

/// Checks that `request` is signed with this access key, now, and with every header that matters.
pub fn check(request: &Request, access_key: &str, secret_key: &str) -> Result<(), String> {
    if request.header("X-Auth-Token").is_some() {
        return Err("there is a token too".to_owned());
    }
    let authorization = request.header("Authorization").ok_or("no Authorization")?;
    let parts = authorization
        .strip_prefix("SDK-HMAC-SHA256 Access=")
        .and_then(|rest| rest.split_once(", SignedHeaders="))
        .and_then(|(access, rest)| Some((access, rest.split_once(", Signature=")?)));
    let Some((access, (names, signature))) = parts else {
        return Err(format!("malformed: {authorization}"));
    };
    if access != access_key {
        return Err(format!("unknown access key {access}"));
    }
    let date = request.header("X-Sdk-Date").ok_or("no X-Sdk-Date")?;
    let now = OffsetDateTime::now_utc();
    let age = parse(date).ok_or("malformed X-Sdk-Date")? - now;
    if age.whole_seconds().abs() > TOLERANCE {
        return Err(format!("the clock is off: {date}, and it is {now}"));
    }

    let names: Vec<&str> = names.split(';').collect();
    if !names.is_sorted() {
        return Err(format!("not sorted: {names:?}"));
    }
    for name in ["host", "x-sdk-date", "x-security-token", "x-project-id"] {
        if request.header(name).is_some() != names.contains(&name) {
            return Err(format!("{name} is not signed, or not sent"));
        }
    }
    let mut headers = String::new();
    for name in &names {
        let value = request.header(name).ok_or("a signed header is missing")?;
        headers.extend([name, ":", value.trim(), "\n"]);
    }
    let target = request.0.split(' ').nth(1).ok_or("no target")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    let canonical = [
        request.0.split(' ').next().unwrap_or_default(),
        &format!("{}/", path.trim_end_matches('/')),
        &parameters.join("&"),
        &headers,
        &names.join(";"),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]
    .join("\n");
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    let text = ["SDK-HMAC-SHA256", date, &hexadecimal(hash.as_ref())].join("\n");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes());
    if hexadecimal(hmac::sign(&key, text.as_bytes()).as_ref()) == signature {
        Ok(())
    } else {
        Err(format!("the signature does not fit:\n{canonical}"))
    }
}

fn parse(date: &str) -> Option<OffsetDateTime> {
    let [_, _, _, _, _, _, _, _, b'T', _, _, _, _, _, _, b'Z'] = date.as_bytes() else {
        return None;
    };
    let number = |from: usize, to: usize| date.get(from..to)?.parse::<u8>().ok();
    let year = date.get(..4)?.parse().ok()?;
    let month = Month::try_from(number(4, 6)?).ok()?;
    let date_of = Date::from_calendar_date(year, month, number(6, 8)?).ok()?;
    let time = Time::from_hms(number(9, 11)?, number(11, 13)?, number(13, 15)?).ok()?;
    Some(PrimitiveDateTime::new(date_of, time).assume_utc())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
