//! Why an exchange brought no complete answer, in the user's words.

use std::io::{self, ErrorKind};

use ureq::Timeout;

use crate::api::call::Call;
use crate::http::connect::Unreachable;
use crate::http::exchange::{Exchange, MAX_RESPONSE_HEAD, request_line};
use crate::http::options::{Limits, Options};
use crate::http::quirks::{chunk_fault, tunnel_status};
use crate::http::refusal;
use crate::http::tls::{self, Peer};
use crate::report::error::{Error, Hint};

const NO_TUNNEL: &str = "no tunnel was opened: the proxy closed the connection";

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
    /// The error for an answer that breaks HTTP's rules where ureq does not check them.
    pub fn malformed(&self, reason: &str) -> Error {
        self.network(&format!("malformed HTTP: {reason}"), None)
    }

    /// Turns an error of ureq's into one in the user's words.
    pub fn failed(&self, error: &ureq::Error) -> Error {
        if let ureq::Error::ConnectProxyFailed(text) = error {
            if let Some(status) = tunnel_status(text) {
                return refusal::by_proxy(self, status);
            }
        }
        let peer = self.peer();
        match tls::find(error) {
            Some(rustls::Error::InvalidCertificate(fault)) => {
                let (reason, hint) = tls::explain_certificate(fault, &peer, &self.trust);
                Error::Untrusted {
                    call: self.name.clone(),
                    role: peer.role(),
                    reason: self.redact(&reason).to_string(),
                    hint,
                }
            }
            Some(fault) => {
                let (reason, hint) = tls::explain(fault, &peer);
                self.network(&reason, hint)
            }
            None => self.network(&self.reason(error, &peer), connection_hint(error, &peer)),
        }
    }

    /// The peer at the moment of the failure.
    fn peer(&self) -> Peer<'_> {
        match &self.proxy {
            Some(proxy) if !self.tunnel.is_open() => Peer::Proxy(proxy),
            proxy => Peer::Server(&self.endpoint, proxy.as_ref()),
        }
    }

    /// Masks the reason, which may quote the server: names in a certificate, a malformed header.
    pub fn network(&self, reason: &str, hint: Hint) -> Error {
        Error::Network {
            call: self.name.clone(),
            reason: self.redact(reason).to_string(),
            hint,
        }
    }

    fn reason(&self, error: &ureq::Error, peer: &Peer) -> String {
        if let Some(fault) = chunk_fault(error) {
            return format!("malformed HTTP: {fault}");
        }
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
            ureq::Error::Io(e) if e.kind() == ErrorKind::UnexpectedEof => match peer {
                Peer::Server(..) => {
                    "the server closed the connection before the response was complete"
                }
                Peer::Proxy(_) => NO_TUNNEL,
            }
            .to_owned(),
            ureq::Error::ConnectProxyFailed(_) => NO_TUNNEL.to_owned(),
            ureq::Error::Io(e) => e.to_string(),
            ureq::Error::Protocol(e) => format!("malformed HTTP: {e}"),
            ureq::Error::LargeResponseHeader(..) => {
                format!("malformed HTTP: the head is longer than {MAX_RESPONSE_HEAD} bytes")
            }
            other => other.to_string(),
        }
    }
}

/// What to do about a failure outside TLS.
fn connection_hint(error: &ureq::Error, peer: &Peer) -> Hint {
    let is_unreachable = matches!(error, ureq::Error::Io(e) if is_unreachable(e));
    let hint = match peer {
        Peer::Server(endpoint, _) if is_unreachable => {
            let twin = endpoint.twin()?;
            format!("the reference has another host for this endpoint: --endpoint {twin}")
        }
        Peer::Server(..) => return None,
        Peer::Proxy(_) if is_unreachable => return None,
        // A silent proxy may be waiting for the server. Only one that is spoken to over TLS may be
        // waiting for plain HTTP instead.
        Peer::Proxy(proxy) if matches!(error, ureq::Error::Timeout(_)) && !proxy.is_tls => {
            return None;
        }
        Peer::Proxy(proxy) => proxy.other_scheme_hint(),
    };
    Some(hint.into())
}

fn is_unreachable(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|e| e.downcast_ref::<Unreachable>())
        .is_some()
}
