//! What an exchange without a whole answer failed by, in the user's words.

use std::io::ErrorKind;

use ureq::Timeout;

use crate::api::call::Call;
use crate::http::exchange::{Exchange, MAX_RESPONSE_HEAD, request_line};
use crate::http::options::{Limits, Options};
use crate::http::tls;
use crate::report::error::{Error, Hint};

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

    /// The reason may quote the server: names in a certificate, a malformed header.
    pub fn network(&self, reason: &str, hint: Hint) -> Error {
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
