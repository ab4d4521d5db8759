//! The answer: a package to read, or a typed refusal.

use std::io::Read;

use ureq::http::{HeaderMap, Response, StatusCode, Version, header};
use ureq::{Body, BodyReader};

use crate::error::{Error, Refusal};
use crate::error_body::ErrorBody;
use crate::printable::{self, escape};
use crate::request::Context;

/// How much of an error's body is read, in bytes.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// Characters that a server's short texts (a request ID, a date) may take in a message.
const SHORT: usize = 100;

/// An answer, of which the head is there.
pub struct Answer {
    response: Response<Body>,
    context: Context,
}

/// The body of a 200, to be read once.
pub struct Package {
    reader: BodyReader<'static>,
    context: Context,
    /// The body's length in bytes, where the server says it.
    pub length: Option<u64>,
}

impl Answer {
    pub fn new(response: Response<Body>, context: Context) -> Self {
        Self { response, context }
    }

    /// Status, length, content type and request ID, on one line.
    pub fn summary(&self) -> String {
        let headers = self.response.headers();
        let mut parts = vec![
            title(self.response.status()),
            match self.response.body().content_length() {
                Some(length) => format!("{length} bytes"),
                None => "length not given".to_owned(),
            },
            short_header(headers, "content-type").unwrap_or("no content type".to_owned()),
        ];
        if let Some(id) = short_header(headers, "x-request-id") {
            parts.push(format!("request ID {id}"));
        }
        parts.join(", ")
    }

    /// Takes a 200 as a package and everything else as a refusal.
    pub fn into_package(self) -> Result<Package, Error> {
        if self.response.status() != StatusCode::OK {
            return Err(Error::Status(refusal(self.response)));
        }
        if !is_framed_well(&self.response) {
            return Err(Error::Network {
                call: self.context.call,
                reason: "malformed HTTP: a Transfer-Encoding other than chunked".to_owned(),
                hint: None,
            });
        }
        if let Some(coding) = content_coding(self.response.headers()) {
            return Err(Error::NotPackage {
                reason: format!("it has the Content-Encoding {coding}, which was not asked for"),
            });
        }
        let body = self.response.into_body();
        Ok(Package {
            length: body.content_length(),
            reader: body.into_reader(),
            context: self.context,
        })
    }
}

impl Package {
    /// Reads the next bytes of the body; 0 is its end, by the HTTP framing.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.reader
            .read(buffer)
            .map_err(|error| self.context.explain(&error.into()))
    }
}

/// Whether the body's transfer coding is none, or `chunked` alone: ureq decodes no other, and in
/// HTTP/1.0 none at all, so the bytes would not be the package's (RFC 9112, section 6.1).
fn is_framed_well(answer: &Response<Body>) -> bool {
    let mut codings = answer.headers().get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => {
            answer.version() == Version::HTTP_11
                && coding.as_bytes().eq_ignore_ascii_case(b"chunked")
        }
        (Some(_), Some(_)) => false,
    }
}

/// The content coding, where there is one that changes the bytes.
fn content_coding(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .map(|value| value.as_bytes().trim_ascii())
        .find(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
        .map(|value| escape(&String::from_utf8_lossy(value), SHORT))
}

fn refusal(answer: Response<Body>) -> Refusal {
    let status = answer.status();
    let headers = answer.headers();
    let request_id = short_header(headers, "x-request-id");
    let retry_after = short_header(headers, "retry-after");
    let location = short_header(headers, "location");
    let mut body = Vec::new();
    // Where the body stalls or breaks, what came of it has to do: the status decides.
    let _ = answer
        .into_body()
        .into_reader()
        .take(MAX_ERROR_BODY)
        .read_to_end(&mut body);
    let error = ErrorBody::parse(&body);
    let request_id = request_id.or_else(|| Some(escape(error.request_id.as_deref()?, SHORT)));

    let notes: Vec<String> = [
        ("request ID", request_id),
        ("Retry-After", retry_after),
        ("Location", location),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
    .collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join(", "))
    };
    // The three short texts leave enough room for the long one.
    let room = printable::LIMIT - notes.chars().count();
    Refusal {
        status: status.as_u16(),
        title: title(status),
        said: escape(&error.to_string(), room),
        notes,
    }
}

/// A status with the standard's phrase for it: the server's own is not in what ureq hands on.
fn title(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(phrase) => format!("{} {phrase}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

fn short_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    Some(escape(&value, SHORT)).filter(|value| !value.is_empty())
}
