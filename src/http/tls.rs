//! What failed in TLS, in the user's words.
//!
//! rustls's types can't be named here without a dependency of its own, so its texts are what a fault
//! is known by; the tests hold them to what they say.

use crate::auth::timestamp::Timestamp;
use crate::report::error::Hint;

/// How rustls begins to tell every fault of a certificate.
const CERTIFICATE: &str = "invalid peer certificate: ";

/// What rustls calls a certificate's fault, somewhere in its text, and what it is. With ring, a
/// signature by a key of another kind than [`SUPPORTED`] has is a bad one.
const CERTIFICATE_FAULTS: [(&str, &str); 8] = [
    ("BadEncoding", "it can't be read"),
    (
        "BadSignature",
        "a signature on it, or with it, is wrong or of a kind that this program does not take",
    ),
    ("CaUsedAsEndEntity", "it is a CA's, not a server's"),
    ("EndEntityUsedAsCa", "its issuer is no CA"),
    ("MaximumPathDepthExceeded", "its chain is too long"),
    (
        "NameConstraintViolation",
        "its issuer may not issue it for this name",
    ),
    (
        "UnsupportedSignatureAlgorithm",
        "a signature on it, or with it, is of a kind that this program does not take",
    ),
    ("UnsupportedCertVersion", "it is not of version 3"),
];

/// How rustls tells every alert of the other side's.
const ALERT: &str = "received fatal alert: ";

/// The alerts that are more than the end of TLS.
const ALERTS: [(&str, &str); 5] = [
    ("HandshakeFailure", NOTHING_IN_COMMON),
    ("InsufficientSecurity", NOTHING_IN_COMMON),
    (
        "ProtocolVersion",
        "the other side takes no version of TLS that this program speaks",
    ),
    (
        "CertificateRequired",
        "the other side wants a client's certificate, and this program has none",
    ),
    (
        "UnrecognisedName",
        "the other side does not know the name that it was called by",
    ),
];

/// How rustls tells that it can't go on with the other side, and what it means.
const DISAGREEMENTS: [(&str, &str); 2] = [
    ("peer is incompatible: ", NOTHING_IN_COMMON),
    ("peer misbehaved: ", "the other side breaks TLS's rules"),
];

const NOTHING_IN_COMMON: &str =
    "the other side and this program have no version, cipher or key exchange of TLS in common";

/// How rustls tells of what is no TLS at all.
const NO_RECORD: &str = "received corrupt message of type InvalidContentType";

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
    let (reason, hint) = if text == NO_RECORD {
        ("the answer is not TLS".to_owned(), NOT_TLS)
    } else if let Some(alert) = text.strip_prefix(ALERT) {
        let reason = match words(&ALERTS, alert) {
            Some(reason) => format!("{reason} (alert {alert})"),
            None => format!("the other side ended TLS with the alert {alert}"),
        };
        (reason, SUPPORTED)
    } else {
        let reason = DISAGREEMENTS.iter().find_map(|(beginning, words)| {
            let fault = text.strip_prefix(beginning)?;
            Some(format!("{words} ({fault})"))
        });
        (reason?, SUPPORTED)
    };
    Some(TlsFault {
        is_certificate: false,
        reason,
        hint: Some(hint.into()),
    })
}

/// What stands beside the first name that is in the text.
fn words(table: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    let found = table.iter().find(|(name, _)| text.contains(name));
    found.map(|(_, words)| *words)
}

fn explain_certificate(fault: &str, server: &str) -> (String, String) {
    let clock = "check this host's clock; if it is right, the server's operators must renew the \
                 certificate";
    if fault == "UnknownIssuer" {
        let hint = format!(
            "see who issued it: openssl s_client -connect {server} -showcerts; for a private CA, get \
             its certificate from those who run it, and give it to --cacert; if you expected \
             no private CA, it may be an attacker"
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
    let reason = words(&CERTIFICATE_FAULTS, fault).unwrap_or(fault);
    (reason.to_owned(), SUPPORTED.to_owned())
}

/// The first two numbers in a fault, which are times: the host's, and the certificate's.
fn times(fault: &str) -> Option<(Timestamp, Timestamp)> {
    let mut numbers = fault
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok());
    Some((
        Timestamp::from_unix_time(numbers.next()?),
        Timestamp::from_unix_time(numbers.next()?),
    ))
}
