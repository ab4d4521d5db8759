//! The context of the error messages of a run's one HTTP exchange, and the sentences for how it
//! failed.

use std::io::ErrorKind;

use ureq::Timeout;
use ureq::http::StatusCode;

use crate::api::call::Call;
use crate::api::endpoint::Endpoint;
use crate::api::timestamp::Timestamp;
use crate::auth::credentials::AuthMethod;
use crate::http::options::{Limits, Options};
use crate::http::{refusal, tls};
use crate::report::error::{Error, Hint};
use crate::report::redact::{Redacted, Secrets};

/// The largest response head, in bytes: ureq's default, stated because the program rests on it.
pub const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// Context for the error messages of one HTTP exchange.
pub struct Exchange {
    pub call: Call,
    /// The request as [`request_line`] has it, without the query.
    pub name: String,
    pub endpoint: Endpoint,
    /// Which certificates of the CA file can't be used, for the hint; empty if there are none.
    pub skipped_roots: String,
    /// Whether the proxy is given a user and a password.
    pub has_proxy_login: bool,
    pub limits: Limits,
    pub auth_method: AuthMethod,
    /// Characters of the token or the security token, 0 without one.
    pub token_length: usize,
    /// This host's clock and the server's when the answer's head arrived, if that says its time.
    pub clocks: Option<[Timestamp; 2]>,
    /// "the token in …", "the access key in …"
    pub caller: String,
    pub secrets: Secrets,
}

/// Describes the request, with the proxy if there is one.
pub fn request_line(options: &Options, url: &str) -> String {
    match &options.proxy {
        Some(proxy) => format!("GET {url} through the proxy {}", proxy.name),
        None => format!("GET {url}"),
    }
}

/// The error of a run that reached `--max-time`.
pub fn out_of_time(call: &Call, options: &Options) -> Error {
    Error::Network {
        call: request_line(options, &options.endpoint.address(call)),
        reason: not_finished(&options.limits),
        hint: None,
    }
}

fn not_finished(limits: &Limits) -> String {
    let seconds = limits.run.unwrap_or_default().as_secs_f64();
    format!("not finished after {seconds} s (--max-time)")
}

impl Exchange {
    /// Masks a text from the server, or one that may quote it. Server text must pass through here
    /// before it is shown.
    pub fn redact(&self, text: &str) -> Redacted {
        self.secrets.redact(text)
    }

    /// A response that breaks HTTP's rules where ureq does not check them.
    pub fn malformed(&self, reason: &str) -> Error {
        self.network(&format!("malformed HTTP: {reason}"), None)
    }

    /// Explains a failure of ureq's in the user's words.
    pub fn failed(&self, error: &ureq::Error) -> Error {
        if let ureq::Error::ConnectProxyFailed(text) = error {
            return self.no_tunnel(text);
        }
        match tls::find(error) {
            Some(rustls::Error::InvalidCertificate(fault)) => {
                let (reason, hint) =
                    tls::explain_certificate(fault, &self.endpoint.server(), &self.skipped_roots);
                Error::Untrusted {
                    call: self.name.clone(),
                    reason: self.redact(&reason).to_string(),
                    hint,
                }
            }
            Some(fault) => {
                let (reason, hint) = tls::explain(fault);
                self.network(&reason, hint)
            }
            None => self.network(&self.reason(error), None),
        }
    }

    /// A proxy that did not open a tunnel: it refused, or did not respond.
    fn no_tunnel(&self, text: &str) -> Error {
        match proxy_status(text) {
            Some(status) => refusal::by_proxy(self, status),
            None => self.network(&format!("no tunnel was opened: {text}"), None),
        }
    }

    /// The reason may quote the server: names in a certificate, a malformed header.
    fn network(&self, reason: &str, hint: Hint) -> Error {
        Error::Network {
            call: self.name.clone(),
            reason: self.redact(reason).to_string(),
            hint,
        }
    }

    fn reason(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => format!(
                "the connection was silent for {} s (--timeout)",
                self.limits.silence.as_secs_f64()
            ),
            ureq::Error::Timeout(Timeout::Connect) => format!(
                "there was no connection within {} s (--connect-timeout)",
                self.limits.connect.as_secs_f64()
            ),
            ureq::Error::Timeout(Timeout::Global) => not_finished(&self.limits),
            ureq::Error::Io(e) if e.kind() == ErrorKind::UnexpectedEof => {
                "the server closed the connection before the response was complete".to_owned()
            }
            ureq::Error::Io(e) => e.to_string(),
            ureq::Error::Protocol(e) => format!("malformed HTTP: {e}"),
            ureq::Error::LargeResponseHeader(..) => {
                format!("malformed HTTP: the head is longer than {MAX_RESPONSE_HEAD} bytes")
            }
            other => other.to_string(),
        }
    }
}

/// The status of a proxy's answer to `CONNECT`, which ureq 3.5.2 (unversioned/transport/connect.rs)
/// tells as a text alone: "proxy server responded 403/403".
fn proxy_status(text: &str) -> Option<StatusCode> {
    let (_, status) = text.rsplit_once('/')?;
    StatusCode::from_bytes(status.as_bytes()).ok()
}
