//! The exchange with the server that a run consists of: what a message has to name of it, and the
//! sentences for how it failed.

use std::io;

use ureq::Timeout;

use crate::args::Limits;
use crate::call::Call;
use crate::credentials::Kind;
use crate::error::{Error, Hint};
use crate::printable::Text;
use crate::secret::Secrets;

/// The largest response head, in bytes: ureq's default, stated because the program rests on it.
pub const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// The hint for a proxy's 407, be it the answer to the call or to the tunnel before it.
pub const PROXY_LOGIN_HINT: &str =
    "the proxy wants a user and a password: https_proxy=http://USER:PASSWORD@HOST:PORT";

/// How rustls's text for every fault of a certificate begins. Its type can't be named here
/// without a dependency of its own; the tests hold the text to what it says.
const BAD_CERTIFICATE: &str = "invalid peer certificate: ";

/// How it goes on where the certificate's time is over, or still to come.
const WRONG_TIME: [&str; 2] = ["certificate expired", "certificate not valid yet"];

/// An exchange under way.
pub struct Exchange {
    pub call: Call,
    /// Method, address and proxy.
    pub name: String,
    pub limits: Limits,
    pub authentication: Kind,
    pub secrets: Secrets,
}

impl Exchange {
    /// Takes a text of the server's, or one that may quote it. There is no other way for it into a
    /// message.
    pub fn quote(&self, text: &str) -> Text {
        self.secrets.hide_in(text)
    }

    /// The same, of bytes.
    pub fn quote_bytes(&self, bytes: &[u8]) -> Text {
        self.quote(&String::from_utf8_lossy(bytes))
    }

    /// A 200 that brought something else.
    pub fn wrong_body(&self, reason: String) -> Error {
        Error::WrongBody {
            wanted: self.call.wanted(),
            reason,
        }
    }

    /// An answer that is not HTTP, or HTTP that ureq lets pass.
    pub fn malformed(&self, reason: &str) -> Error {
        self.network(format!("malformed HTTP: {reason}"), None)
    }

    /// Tells a failure of ureq's in the user's words.
    pub fn failed(&self, error: &ureq::Error) -> Error {
        // Some of these texts quote the server: names in a certificate, a malformed header.
        let reason = self.quote(&self.reason(error)).to_string();
        if let Some(reason) = reason.strip_prefix(BAD_CERTIFICATE) {
            return Error::Untrusted {
                call: self.name.clone(),
                reason: reason.to_owned(),
                hint: Some(if WRONG_TIME.iter().any(|text| reason.starts_with(text)) {
                    "check this host's clock: the certificate is valid at another time".into()
                } else {
                    "--cacert FILE trusts a private CA; --endpoint must be a name in the certificate"
                        .into()
                }),
            };
        }
        let asks_for_login =
            matches!(error, ureq::Error::ConnectProxyFailed(_)) && reason.contains("407");
        self.network(reason, asks_for_login.then_some(PROXY_LOGIN_HINT.into()))
    }

    fn network(&self, reason: String, hint: Hint) -> Error {
        Error::Network {
            call: self.name.clone(),
            reason,
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
            ureq::Error::Timeout(Timeout::Global) => self.limits.out_of_time(),
            ureq::Error::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                "the connection ended before the answer did".to_owned()
            }
            ureq::Error::Io(e) => e.to_string(),
            // "proxy server responded 403/403", or that it did not.
            ureq::Error::ConnectProxyFailed(text) => {
                let text = text.split('/').next().unwrap_or(text);
                format!("no tunnel was opened: {text}")
            }
            ureq::Error::Protocol(e) => format!("malformed HTTP: {e}"),
            ureq::Error::LargeResponseHeader(..) => {
                format!("malformed HTTP: the head is longer than {MAX_RESPONSE_HEAD} bytes")
            }
            other => other.to_string(),
        }
    }
}
