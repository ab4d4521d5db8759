//! The context of the error messages of a run's one HTTP exchange, and the sentences for how it failed.

use std::io::ErrorKind;

use ureq::Timeout;

use crate::api::call::Call;
use crate::api::endpoint::Endpoint;
use crate::api::error::ErrorBody;
use crate::auth::credentials::AuthMethod;
use crate::http::options::{Limits, Options};
use crate::http::tls;
use crate::report::error::{Error, FIELD_LIMIT, Hint, Refusal};
use crate::report::exit::Exit;
use crate::report::redact::{Redacted, Secrets};

/// The largest response head, in bytes: ureq's default, stated because the program rests on it.
pub const MAX_RESPONSE_HEAD: usize = 64 << 10;

const SIGNATURE_HINT: &str = "check the access key (temporary ones expire) and this host's clock, \
    which must be right within 15 minutes";

/// Context for the error messages of one HTTP exchange.
pub struct Exchange {
    pub call: Call,
    /// The request as [`describe`] has it, without the query.
    pub name: String,
    pub endpoint: Endpoint,
    /// Which certificates of the CA file can't be used, for the hint; empty if there are none.
    pub skipped_roots: String,
    /// The hint for a proxy's 407, be it the answer to the call or to the tunnel before it.
    pub login_hint: &'static str,
    pub limits: Limits,
    pub auth_method: AuthMethod,
    /// "the token in …", "the access key in …"
    pub caller: String,
    pub secrets: Secrets,
}

/// Describes the request, with the proxy if there is one.
pub fn describe(options: &Options, url: &str) -> String {
    match &options.proxy {
        Some(proxy) => format!("GET {url} through the proxy {}", proxy.name),
        None => format!("GET {url}"),
    }
}

/// The error of a run that reached `--max-time`.
pub fn out_of_time(call: &Call, options: &Options) -> Error {
    Error::Network {
        call: describe(options, &options.endpoint.address(call)),
        reason: not_finished(&options.limits),
        hint: None,
    }
}

fn not_finished(limits: &Limits) -> String {
    let seconds = limits.run.unwrap_or_default().as_secs_f64();
    format!("not finished after {seconds} s (--max-time)")
}

impl Exchange {
    /// Masks a text from the server, or one that may quote it. Only so can it get into a message.
    pub fn redact(&self, text: &str) -> Redacted {
        self.secrets.redact(text)
    }

    /// A 200 with another body than expected.
    pub fn unexpected(&self, reason: String, hint: Hint, exit: Exit) -> Error {
        Error::UnexpectedBody {
            by: self.endpoint.name(),
            wanted: self.call.wanted(),
            reason,
            hint,
            exit,
        }
    }

    /// A 200 with an error in it, whose meaning decides.
    pub fn error(&self, error: &ErrorBody) -> Error {
        let mut reason = format!(
            "it is an error in JSON: {}",
            self.redact(&error.to_string())
        );
        let Some(status) = error.status() else {
            return self.unexpected(reason, None, Exit::UnexpectedBody);
        };
        if status == 401 {
            reason = format!("{reason} (with {})", self.caller);
        }
        let hint = self.hint(status, error, None);
        self.unexpected(reason, hint, Exit::of_status(status))
    }

    /// What to do about a status, or an error in a 200 that means the same. `date` is the server's.
    pub fn hint(&self, status: u16, error: &ErrorBody, date: Option<Redacted>) -> Hint {
        match (status, self.auth_method) {
            (401, AuthMethod::Token { .. }) => {
                Some("get a new token: a token lasts 24 hours".into())
            }
            // It holds for minutes only, so the clock is as good a suspect as the key.
            (401, AuthMethod::Signature { date: ours, .. }) => {
                let theirs = date.map(|date| format!(", and the server's {date:.FIELD_LIMIT$}"));
                let theirs = theirs.unwrap_or_default();
                Some(format!("{SIGNATURE_HINT}: it says {ours}{theirs}").into())
            }
            _ => error.hint(status, &self.call).map(Into::into),
        }
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

    /// A proxy that did not open a tunnel: `text` is "proxy server responded 403/403", or says that it
    /// did not respond. A refusal has the exit code of its status; a proxy that fails itself (5xx, 408,
    /// 429) is a failure of the network.
    fn no_tunnel(&self, text: &str) -> Error {
        let status = text
            .rsplit_once('/')
            .and_then(|(_, status)| status.parse().ok())
            .filter(|status| !matches!(status, 408 | 429 | 500..=599));
        let Some(status) = status else {
            let text = text.split('/').next().unwrap_or(text);
            return self.network(&format!("no tunnel was opened: {text}"), None);
        };
        let hint = match status {
            407 => self.login_hint,
            300..=399 => "the proxy may require a login first: open a page through it in a browser",
            _ => "the proxy does not let this call through: ask the proxy's administrator",
        };
        Error::Refused(Box::new(Refusal {
            by: format!("{}: the proxy", self.name),
            status,
            exit: match status {
                400..=499 => Exit::Refused, // 40 and 41 are the service's
                _ => Exit::UnexpectedStatus,
            },
            phrase: None,
            caller: None,
            said: self.redact(""),
            notes: Vec::new(),
            hint: Some(hint.into()),
        }))
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
