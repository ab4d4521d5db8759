//! What the body of a 200 is, where it is not what was asked for.

use crate::api::error::{ErrorBody, MAX_ERROR_BODY, without_byte_order_mark};
use crate::http::response::Body;
use crate::report::error::{Error, FIELD_LIMIT};
use crate::report::escape::on_one_line;

/// The error for a body that is not what was asked for, if its beginning tells what it is instead.
pub fn recognize(body: &Body, beginning: &[u8]) -> Option<Error> {
    let beginning = &beginning[..beginning.len().min(MAX_ERROR_BODY as usize)];
    if beginning.is_empty() {
        return Some(body.unexpected("it is empty".to_owned()));
    }
    if beginning.starts_with(b"\x1f\x8b") {
        return Some(body.unexpected("it is gzip data".to_owned()));
    }
    if let Some(error) = ErrorBody::parse_json(beginning) {
        return Some(body.error(&error));
    }
    let text = without_byte_order_mark(beginning).trim_ascii_start();
    match text.first() {
        Some(b'<') => Some(
            body.unexpected_page(match title(&String::from_utf8_lossy(text)) {
                Some(title) => format!(
                    "it is a page titled \"{:.FIELD_LIMIT$}\"",
                    body.redact(&title)
                ),
                None => "it is HTML or XML".to_owned(),
            }),
        ),
        Some(b'{' | b'[') => Some(body.unexpected("it is JSON".to_owned())),
        _ => None,
    }
}

/// The title of an HTML page, on one line.
fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    on_one_line(&page[start..end])
}
