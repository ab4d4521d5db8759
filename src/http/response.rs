//! The response: a body to read, or the error for a refusal.

use std::io::Read;

use ureq::BodyReader;
use ureq::http::{self, StatusCode, header};

use crate::api::error::ErrorBody;
use crate::api::json;
use crate::api::timestamp::Timestamp;
use crate::http::exchange::Exchange;
use crate::http::quirks::undecoded_coding;
use crate::http::refusal;
use crate::report::error::{Error, FIELD_LIMIT};
use crate::report::redact::Redacted;

/// A response whose head has been read.
pub struct Response {
    inner: http::Response<ureq::Body>,
    exchange: Exchange,
}

/// The body of a 200, to be read once.
pub struct Body {
    reader: BodyReader<'static>,
    /// The context of errors about the body.
    pub exchange: Exchange,
    /// Its length in bytes, if the server states it.
    pub length: Option<u64>,
}

impl Response {
    /// Must be called as soon as the head arrives: it notes this host's time beside the server's.
    pub fn new(inner: http::Response<ureq::Body>, mut exchange: Exchange) -> Self {
        let date = inner.headers().get(header::DATE);
        let date = date.and_then(|date| Timestamp::parse_http_date(date.to_str().ok()?));
        exchange.clocks = date.map(|theirs| [Timestamp::now(), theirs]);
        Self { inner, exchange }
    }

    /// Status, length, content type and request ID, on one line.
    pub fn summary(&self) -> String {
        let status = self.inner.status();
        let length = match self.inner.body().content_length() {
            Some(length) => format!("{length} bytes"),
            None => "length not given".to_owned(),
        };
        let [content_type, id] = ["content-type", "x-request-id"]
            .map(|name| Some(format!("{:.FIELD_LIMIT$}", self.header(name)?)));
        let content_type = content_type.unwrap_or("no content type".to_owned());
        let id = id
            .map(|id| format!(", request ID {id}"))
            .unwrap_or_default();
        format!("{status}, {length}, {content_type}{id}")
    }

    /// Returns a 200's body; any other status is a refusal.
    pub fn into_body(self) -> Result<Body, Error> {
        if self.inner.status() != StatusCode::OK {
            return Err(self.into_refusal());
        }
        if let Some(coding) = undecoded_coding(&self.inner) {
            let version = self.inner.version();
            let reason = format!("Transfer-Encoding: {coding} is not decoded ({version:?})");
            return Err(self.exchange.malformed(&reason));
        }
        let body = self.inner.into_body();
        Ok(Body {
            length: body.content_length(),
            reader: body.into_reader(),
            exchange: self.exchange,
        })
    }

    fn into_refusal(mut self) -> Error {
        let mut body = Vec::new();
        // Errors are ignored: the status decides, and what arrived is shown.
        let _ = (self.inner.body_mut().as_reader())
            .take(json::LARGEST)
            .read_to_end(&mut body);
        let error = ErrorBody::parse(&body);
        let said = match *body {
            [0x1f, 0x8b, ..] => "(a body in gzip, not shown)".to_owned(),
            _ => error.to_string(),
        };
        let redact = |text: &str| self.exchange.redact(text);
        let in_body = error.request_id.as_deref().map(redact);
        let notes = [
            (refusal::REQUEST_ID, self.header("x-request-id").or(in_body)),
            ("Retry-After", self.header("retry-after")),
            ("Location", self.header("location")),
        ];
        let notes = notes
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        let notes: Vec<_> = notes.collect();
        refusal::by_server(
            &self.exchange,
            self.inner.status(),
            &error,
            &redact(&said),
            &notes,
        )
    }

    fn header(&self, name: &str) -> Option<Redacted> {
        let value = self.inner.headers().get(name)?;
        let text = String::from_utf8_lossy(value.as_bytes());
        Some(self.exchange.redact(&text)).filter(|text| !text.is_empty())
    }
}

impl Body {
    /// Reads the next bytes; 0 means that the body is complete by HTTP's framing.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.reader
            .read(buffer)
            .map_err(|error| self.exchange.failed(&error.into()))
    }

    /// Reads the whole body; one of more than `limit` bytes is refused.
    pub fn read_all(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.reader
            .by_ref()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.exchange.failed(&error.into()))?;
        if bytes.len() as u64 > limit {
            return Err(self.unexpected(&format!("it is larger than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// The error for a body that is not what was asked for.
    pub fn unexpected(&self, reason: &str) -> Error {
        refusal::unexpected(&self.exchange, reason, None)
    }
}
