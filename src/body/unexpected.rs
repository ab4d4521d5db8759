//! What the body of a 200 is instead, if it is not what was asked for.

use crate::api::error::ErrorBody;
use crate::api::json;
use crate::http::refusal;
use crate::http::response::Body;
use crate::report::error::{Error, FIELD_LIMIT};
use crate::report::escape::on_one_line;

const PAGE_HINT: &str = "a proxy or a captive portal may have answered in the service's place";

/// The error for a body that is not what was asked for, if its beginning shows what it is instead.
pub fn recognize(body: &Body, beginning: &[u8]) -> Option<Error> {
    let json = json::parse(beginning);
    if let Some(error) = json.as_ref().ok().and_then(ErrorBody::of) {
        return Some(refusal::inside_200(&body.exchange, &error));
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_page = text.starts_with('<');
    let reason = match beginning {
        [] => "it is empty".to_owned(),
        [0x1f, 0x8b, ..] => "it is gzip data".to_owned(),
        _ if text.starts_with(['{', '[']) => match json {
            Ok(_) => "it is JSON".to_owned(),
            Err(e) => format!("its JSON can't be parsed: {e}"),
        },
        _ if is_page => match title(text) {
            Some(title) => {
                let title = body.exchange.redact(&title);
                format!("it is a page titled \"{title:.FIELD_LIMIT$}\"")
            }
            None => "it is HTML or XML".to_owned(),
        },
        _ => return None,
    };
    let hint = is_page.then(|| PAGE_HINT.into());
    Some(refusal::unexpected(&body.exchange, &reason, hint))
}

/// The title of an HTML page, on one line.
fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    on_one_line(&page[start..end])
}
