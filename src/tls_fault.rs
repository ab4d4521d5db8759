//! What failed in TLS, in the user's words.
//!
//! rustls's types can't be named here without a dependency of its own, so its texts are what a fault
//! is known by; the tests hold them to what they say.

use crate::clock::Moment;
use crate::error::Hint;

/// How rustls begins to tell every fault of a certificate.
const CERTIFICATE: &str = "invalid peer certificate: ";

const NOT_TLS: &str = "the other side does not speak TLS: a wrong port, or a proxy or a captive \
    portal in between that answers in the service's place";

const SUPPORTED: &str = "this program speaks TLS 1.2 and 1.3 with ECDHE and AEAD ciphers, and takes \
    RSA keys of 2048 bits or more, P-256, P-384 and Ed25519, and chains of up to 6 intermediates";

/// A fault, and what to do about it.
pub struct TlsFault {
    /// Whether the certificate is not trusted, or else TLS failed.
    pub is_certificate: bool,
    pub reason: String,
    pub hint: Hint,
}

/// Explains rustls's `text`, if it is one of those that need it. `server` is `HOST:PORT`.
pub fn explain(text: &str, server: &str) -> Option<TlsFault> {
    if let Some(fault) = text.strip_prefix(CERTIFICATE) {
        let (reason, hint) = explain_certificate(fault, server);
        return Some(TlsFault {
            is_certificate: true,
            reason,
            hint: Some(hint.into()),
        });
    }
    let hint = if text == "received corrupt message of type InvalidContentType" {
        NOT_TLS
    } else if text.starts_with("received fatal alert: ")
        || text.starts_with("peer is incompatible: ")
    {
        SUPPORTED
    } else {
        return None;
    };
    Some(TlsFault {
        is_certificate: false,
        reason: text.to_owned(),
        hint: Some(hint.into()),
    })
}

fn explain_certificate(fault: &str, server: &str) -> (String, String) {
    let clock = "check this host's clock; if it is right, the server's operators must renew the \
                 certificate";
    if fault == "UnknownIssuer" {
        let hint = format!(
            "see who issued it: openssl s_client -connect {server} -showcerts; for a private CA, get \
             its certificate from those who run it, and give it to --cacert; anybody else in its place \
             may be an attacker"
        );
        return ("its issuer is unknown".to_owned(), hint);
    }
    if let Some((now, limit)) = times(fault) {
        if fault.starts_with("certificate expired") {
            let reason = format!("it expired at {limit}, and this host's clock says {now}");
            return (reason, clock.to_owned());
        }
        if fault.starts_with("certificate not valid yet") {
            let reason =
                format!("it is not valid before {limit}, and this host's clock says {now}");
            return (reason, clock.to_owned());
        }
    }
    if fault.starts_with("certificate not valid for name") {
        let hint = "--endpoint must be a name in the certificate";
        return (fault.to_owned(), hint.to_owned());
    }
    if fault.contains("MaximumPathDepthExceeded") {
        return ("its chain is too long".to_owned(), SUPPORTED.to_owned());
    }
    (fault.to_owned(), SUPPORTED.to_owned())
}

/// The first two numbers in a fault, which are times: the host's, and the certificate's.
fn times(fault: &str) -> Option<(Moment, Moment)> {
    let mut numbers = fault
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok());
    Some((
        Moment::from_unix_time(numbers.next()?),
        Moment::from_unix_time(numbers.next()?),
    ))
}
