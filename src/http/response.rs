//! The answer: a body to read, or a typed refusal.

use std::io::Read;

use ureq::http::{Response, StatusCode, Version, header};
use ureq::{Body as ResponseBody, BodyReader};

use crate::api::error::{ErrorBody, MAX_ERROR_BODY};
use crate::http::exchange::Exchange;
use crate::report::error::{Error, FIELD_LIMIT, Hint, Refusal};
use crate::report::exit::Exit;
use crate::report::redact::Redacted;

/// An answer, of which the head is there.
pub struct Answer {
    response: Response<ResponseBody>,
    exchange: Exchange,
}

/// The body of a 200, to be read once.
pub struct Body {
    reader: BodyReader<'static>,
    /// What the errors about the body name.
    pub exchange: Exchange,
    /// Its length in bytes, where the server says it.
    pub length: Option<u64>,
}

impl Answer {
    pub fn new(response: Response<ResponseBody>, exchange: Exchange) -> Self {
        Self { response, exchange }
    }

    /// Status, length, content type and request ID, on one line.
    pub fn summary(&self) -> String {
        let status = self.response.status();
        let length = match self.response.body().content_length() {
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
        if self.response.status() != StatusCode::OK {
            return Err(Error::Refused(Box::new(self.into_refusal())));
        }
        if !is_framed_well(&self.response) {
            let coding = self.header("transfer-encoding");
            let coding = coding.map_or(String::new(), |coding| format!("{coding:.FIELD_LIMIT$}"));
            let reason = format!("Transfer-Encoding: {coding}");
            return Err(self.exchange.malformed(&reason));
        }
        let body = self.response.into_body();
        Ok(Body {
            length: body.content_length(),
            reader: body.into_reader(),
            exchange: self.exchange,
        })
    }

    fn into_refusal(mut self) -> Refusal {
        let mut body = Vec::new();
        // Where the body stalls or breaks, its beginning is shown: the status decides.
        let _ = (self.response.body_mut().as_reader())
            .take(MAX_ERROR_BODY)
            .read_to_end(&mut body);
        let error = ErrorBody::parse(&body);
        let said = match *body {
            [0x1f, 0x8b, ..] => "(a body in gzip, not shown)".to_owned(),
            _ => error.to_string(),
        };
        let redact = |text: &str| self.exchange.redact(text);
        let in_body = error.request_id.as_deref().map(redact);
        let notes = [
            ("request ID", self.header("x-request-id").or(in_body)),
            ("Retry-After", self.header("retry-after")),
            ("Location", self.header("location")),
        ];
        let status = self.response.status();
        let is_unauthorized = status == StatusCode::UNAUTHORIZED;
        Refusal {
            by: self.exchange.endpoint.name(),
            status: status.as_u16(),
            exit: Exit::of_status(status.as_u16()),
            phrase: status.canonical_reason(),
            caller: is_unauthorized.then(|| self.exchange.caller.clone()),
            said: redact(&said),
            notes: notes
                .into_iter()
                .filter_map(|(name, text)| Some((name, text?)))
                .collect(),
            hint: self.hint(status.as_u16(), &error),
        }
    }

    /// What to do about a status other than 200.
    fn hint(&self, status: u16, error: &ErrorBody) -> Hint {
        let is_unknown_there = error.code.as_deref() == Some("APIGW.0101");
        if let (true, Some(host)) = (is_unknown_there, self.exchange.endpoint.other_host()) {
            let hint = "the vendor's SDK has another endpoint for this region: --endpoint";
            return Some(format!("{hint} {host}").into());
        }
        Some(match status {
            301..=303 | 307 | 308 => {
                "redirects are not followed: check --region or --endpoint".into()
            }
            407 => self.exchange.login_hint.into(),
            429 => "the service limits the call rate: try again later, and less often".into(),
            431 | 494 => {
                "the request's head is too large for the gateway: the token of a single project \
                 is shorter, and a permanent access key needs none"
                    .into()
            }
            _ => return self.exchange.hint(status, error, self.header("date")),
        })
    }

    fn header(&self, name: &str) -> Option<Redacted> {
        let value = self.response.headers().get(name)?;
        let text = String::from_utf8_lossy(value.as_bytes());
        Some(self.exchange.redact(&text)).filter(|text| !text.is_empty())
    }
}

impl Body {
    /// Reads the next bytes; 0 is the body's end, by the HTTP framing.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.reader
            .read(buffer)
            .map_err(|error| self.exchange.failed(&error.into()))
    }

    /// Reads the body whole, if it has no more than `limit` bytes.
    pub fn read_all(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.reader
            .by_ref()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.exchange.failed(&error.into()))?;
        if bytes.len() as u64 > limit {
            return Err(self.unexpected(format!("it is larger than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// The body is not what was asked for.
    pub fn unexpected(&self, reason: String) -> Error {
        self.exchange.unexpected(reason, None, Exit::UnexpectedBody)
    }
}

/// Whether the body's transfer codings are `identity`, or `chunked` once or repeated: ureq decodes one
/// `chunked` and nothing else, and none in HTTP/1.0, so the bytes would not be the package's (RFC 9112,
/// section 6.1).
fn is_framed_well(answer: &Response<ResponseBody>) -> bool {
    let lines = answer.headers().get_all(header::TRANSFER_ENCODING).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .all(|coding| match &*coding.trim_ascii().to_ascii_lowercase() {
            b"identity" | b"" => true,
            b"chunked" => answer.version() == Version::HTTP_11,
            _ => false,
        })
}
