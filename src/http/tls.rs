//! What failed in TLS, in the user's words.

use rustls::AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
use rustls::pki_types::UnixTime;
use rustls::{CertificateError as Fault, Error, InvalidMessage};

use crate::api::timestamp::Timestamp;
use crate::report::error::Hint;

const SUPPORTED: &str = "this program speaks TLS 1.2 and 1.3 with ECDHE and AEAD ciphers, and takes \
    RSA keys of 2048 bits or more, P-256, P-384 and Ed25519, and signatures with SHA-2, not SHA-1";

const NOT_TLS: &str = "the server does not speak TLS: a wrong port, or a proxy or a captive portal in \
    between that answers in the service's place";

const CLOCK: &str = "check this host's clock; if it is right, the server's operators must renew the \
    certificate";

const TRUST_ISSUER: &str = "give the certificate of the CA that issued the server's to --cacert";

const NEW_CERTIFICATE: &str = "the server needs a new certificate: X.509 version 3, with \
    basicConstraints=CA:FALSE and a subjectAltName";

const OTHER_NAME: &str = "--endpoint must be a name in the certificate";

const BAD_SIGNATURE: &str =
    "its signature, or one made with its key, is invalid or of an unsupported kind";

/// The fault of rustls in an error of ureq's, if there is one.
pub fn find(error: &ureq::Error) -> Option<&Error> {
    match error {
        ureq::Error::Io(e) => e.get_ref()?.downcast_ref(),
        ureq::Error::Rustls(e) => Some(e),
        _ => None,
    }
}

/// What is wrong in TLS, and what to do about it.
pub fn explain(error: &Error) -> (String, Hint) {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            ("the answer is not TLS".to_owned(), Some(NOT_TLS.into()))
        }
        Error::AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion)
        | Error::PeerIncompatible(_) => (
            format!(
                "the server and this program have no version, cipher or key exchange of TLS in \
                 common ({error})"
            ),
            Some(SUPPORTED.into()),
        ),
        other => (other.to_string(), None),
    }
}

/// What is wrong with a certificate. `server` is `HOST:PORT`; `skipped` says which certificates of the CA
/// file can't be used, and ends in a semicolon.
pub fn explain_certificate(fault: &Fault, server: &str, skipped: &str) -> (String, Hint) {
    let clock = |what: &str, limit: &UnixTime, now: &UnixTime| {
        let [limit, now] = [limit, now].map(|time| Timestamp(time.as_secs()));
        format!("{what} {limit}, and this host's clock says {now}")
    };
    let (reason, hint) = match fault {
        Fault::UnknownIssuer => {
            let hint = format!(
                "{skipped}see who issued it: openssl s_client -connect {server} -showcerts; for a \
                 private CA, get its certificate from its administrator, and give it to --cacert; \
                 if you expected no private CA, it may be an attacker"
            );
            return ("its issuer is unknown".to_owned(), Some(hint.into()));
        }
        Fault::ExpiredContext { time, not_after } => {
            (clock("it expired at", not_after, time), CLOCK)
        }
        Fault::NotValidYetContext { time, not_before } => {
            (clock("it is not valid before", not_before, time), CLOCK)
        }
        Fault::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            (fault.to_string(), NEW_CERTIFICATE)
        }
        Fault::NotValidForNameContext { .. } => (fault.to_string(), OTHER_NAME),
        // With ring, a signature by a key of a kind that it lacks is a bad one too.
        Fault::BadSignature
        | Fault::UnsupportedSignatureAlgorithmContext { .. }
        | Fault::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            (BAD_SIGNATURE.to_owned(), SUPPORTED)
        }
        Fault::Other(fault) => return explain_untyped(&fault.0.to_string()),
        other => return (other.to_string(), None),
    };
    (reason, Some(hint.into()))
}

/// Explains a fault that rustls passes on from webpki without a type of its own, by webpki's name.
fn explain_untyped(fault: &str) -> (String, Hint) {
    let either = format!("{TRUST_ISSUER}; if that does not help, {NEW_CERTIFICATE}");
    let (reason, hint) = match fault {
        "CaUsedAsEndEntity" => ("it is a CA's, not a server's", NEW_CERTIFICATE),
        "EndEntityUsedAsCa" => ("its issuer's certificate is not a CA's", TRUST_ISSUER),
        "MaximumPathDepthExceeded" => ("it has more than 6 CAs above it", TRUST_ISSUER),
        "PathLenConstraintViolated" => ("a CA above it allows fewer CAs below", TRUST_ISSUER),
        "UnsupportedCertVersion" => ("a certificate is not of X.509 version 3", &*either),
        "UnsupportedCriticalExtension" => (
            "a certificate has a critical extension that this program does not know",
            &*either,
        ),
        "NameConstraintViolation" => {
            return (
                "a CA above it is not allowed to certify this name".to_owned(),
                None,
            );
        }
        other => return (other.to_owned(), None),
    };
    (reason.to_owned(), Some(hint.to_owned().into()))
}
