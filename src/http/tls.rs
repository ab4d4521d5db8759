//! What failed in TLS, in the user's words.

use rustls::AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error, InvalidMessage};

use crate::auth::timestamp::Timestamp;
use crate::http::exchange::Exchange;
use crate::report::error::Hint;

const SUPPORTED: &str = "this program speaks TLS 1.2 and 1.3 with ECDHE and AEAD ciphers, and takes \
    RSA keys of 2048 bits or more, P-256, P-384 and Ed25519";

const NOT_TLS: &str = "the server does not speak TLS: a wrong port, or a proxy or a captive portal in \
    between that answers in the service's place";

const CLOCK: &str = "check this host's clock; if it is right, the server's operators must renew the \
    certificate";

const TRUST_ISSUER: &str = "give the certificate of the CA that issued the server's to --cacert";

const NEW_CERTIFICATE: &str = "the server needs a new certificate: X.509 version 3, with \
    basicConstraints=CA:FALSE and a subjectAltName";

const EITHER: &str = "if it is a CA's, give the certificate of the CA that issued the server's to \
    --cacert; if it is the server's own, a new one is needed: X.509 version 3, with \
    basicConstraints=CA:FALSE and a subjectAltName";

/// A fault, and what to do about it.
pub struct TlsFault {
    /// Whether the certificate is not trusted, or else TLS failed.
    pub is_certificate: bool,
    pub reason: String,
    pub hint: Hint,
}

/// The fault of rustls in an error of ureq's, if there is one.
pub fn explain(error: &ureq::Error, exchange: &Exchange) -> Option<TlsFault> {
    let error = match error {
        ureq::Error::Io(e) => e.get_ref()?.downcast_ref()?,
        ureq::Error::Rustls(e) => e,
        _ => return None,
    };
    let (reason, hint) = match error {
        Error::InvalidCertificate(fault) => explain_certificate(fault, exchange),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            ("the answer is not TLS".to_owned(), Some(NOT_TLS.into()))
        }
        Error::AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion)
        | Error::PeerIncompatible(_) => (
            format!(
                "the server and this program have no version, cipher or key exchange of TLS in common ({error})"
            ),
            Some(SUPPORTED.into()),
        ),
        other => (other.to_string(), None),
    };
    Some(TlsFault {
        is_certificate: matches!(error, Error::InvalidCertificate(_)),
        reason,
        hint,
    })
}

fn explain_certificate(fault: &CertificateError, exchange: &Exchange) -> (String, Hint) {
    let date = |time: &UnixTime| Timestamp::from_unix_time(time.as_secs());
    let (reason, hint) = match fault {
        CertificateError::UnknownIssuer => {
            let mut hint = format!(
                "see who issued it: openssl s_client -connect {} -showcerts; for a private CA, get \
                 its certificate from its administrator, and give it to --cacert; if you expected \
                 no private CA, it may be an attacker",
                exchange.server
            );
            if let Some(skipped) = &exchange.skipped_roots {
                hint = format!("{skipped}; {hint}");
            }
            return ("its issuer is unknown".to_owned(), Some(hint.into()));
        }
        CertificateError::ExpiredContext { time, not_after } => (
            format!(
                "it expired at {}, and this host's clock says {}",
                date(not_after),
                date(time)
            ),
            CLOCK,
        ),
        CertificateError::NotValidYetContext { time, not_before } => (
            format!(
                "it is not valid before {}, and this host's clock says {}",
                date(not_before),
                date(time)
            ),
            CLOCK,
        ),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            (fault.to_string(), NEW_CERTIFICATE)
        }
        CertificateError::NotValidForNameContext { .. } => (
            fault.to_string(),
            "--endpoint must be a name in the certificate",
        ),
        // With ring, a signature by a key of a kind that it lacks is a bad one too.
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            "a signature on it, or with it, is wrong or of a kind that this program does not take"
                .to_owned(),
            SUPPORTED,
        ),
        CertificateError::Other(fault) => return explain_untyped(&fault.0.to_string()),
        other => return (other.to_string(), None),
    };
    (reason, Some(hint.into()))
}

/// Explains a fault that rustls passes on from webpki without a type of its own, by webpki's name.
fn explain_untyped(fault: &str) -> (String, Hint) {
    let (reason, hint) = match fault {
        "CaUsedAsEndEntity" => ("it is a CA's, not a server's", NEW_CERTIFICATE),
        "PathLenConstraintViolated" => (
            "a CA's certificate above it allows fewer CAs in between (pathlen)",
            TRUST_ISSUER,
        ),
        "UnsupportedCertVersion" => ("a certificate is not of X.509 version 3", EITHER),
        "UnsupportedCriticalExtension" => (
            "a certificate has a critical extension that this program does not know",
            EITHER,
        ),
        other => return (other.to_owned(), None),
    };
    (reason.to_owned(), Some(hint.into()))
}
