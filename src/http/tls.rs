//! Why TLS failed, in the user's words.

use rustls::AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error, InvalidMessage};

use crate::api::endpoint::Endpoint;
use crate::api::timestamp::Timestamp;
use crate::http::proxy::Proxy;
use crate::http::quirks::{PresentedName, presented_name, webpki};
use crate::http::trust::Trust;
use crate::report::error::Hint;

const SUPPORTED: &str = "this program speaks TLS 1.2 and 1.3 with ECDHE and AEAD ciphers, and \
    takes RSA keys of 2048 to 8192 bits, P-256, P-384 and Ed25519, and signatures with SHA-2, not \
    SHA-1";

const NOT_TLS: &str = "the server does not speak TLS: a wrong port, or a proxy or a captive portal \
    in between that answers in the service's place";

const CLOCK: &str = "check this host's clock; if it is right, the certificate must be renewed";

const TRUST_ISSUER: &str = "give the certificate of the CA that issued it to --cacert";

const NEW_CERTIFICATE: &str = "a new certificate is needed: X.509 version 3, with \
    basicConstraints=CA:FALSE and a subjectAltName";

const OTHER_SERVER: &str = "another server answered in the service's place: look for a search \
    domain in /etc/resolv.conf that has every name, and for a proxy or a captive portal in between";

const ADDRESS_AS_NAME: &str = "a new certificate is needed, with the address as an IP address in \
    its subjectAltName";

const BAD_SIGNATURE: &str = "a signature is invalid or uses an unsupported algorithm";

const PSS_SALT: &str = "a signature is RSA-PSS with parameters that this program does not support";

const PSS_HINT: &str = "RSA-PSS is supported with SHA-256, SHA-384 or SHA-512, the same hash in \
    its mask (MGF1), and a salt as long as the hash";

/// The object identifier of RSA-PSS, id-RSASSA-PSS, in DER (RFC 8017, appendix A.2.3).
const RSA_PSS: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// The other end of the connection.
pub enum Peer<'a> {
    /// The server, through the tunnel of a proxy if there is one.
    Server(&'a Endpoint, Option<&'a Proxy>),
    /// The proxy, before it opened a tunnel.
    Proxy(&'a Proxy),
}

impl Peer<'_> {
    pub fn role(&self) -> &'static str {
        match self {
            Peer::Server(..) => "server",
            Peer::Proxy(_) => "proxy",
        }
    }

    /// The command of OpenSSL that shows its certificates, if there is one.
    fn inspection(&self) -> Option<String> {
        let server = match self {
            Peer::Server(_, Some(proxy)) if proxy.is_tls => return None,
            Peer::Server(endpoint, Some(proxy)) => {
                format!("{} -proxy {}", endpoint.server(), proxy.authority)
            }
            Peer::Server(endpoint, None) => endpoint.server(),
            Peer::Proxy(proxy) => proxy.authority.to_string(),
        };
        Some(format!("openssl s_client -connect {server} -showcerts"))
    }

    /// What to do if it does not speak TLS.
    fn without_tls(&self) -> String {
        match self {
            Peer::Server(..) => NOT_TLS.to_owned(),
            Peer::Proxy(proxy) => proxy.other_scheme_hint(),
        }
    }

    /// What to do about a certificate for other names.
    fn other_name(&self) -> String {
        match self {
            Peer::Server(endpoint, _) if endpoint.is_region_host() => OTHER_SERVER.to_owned(),
            Peer::Server(..) => "--endpoint must be a name in the certificate".to_owned(),
            Peer::Proxy(proxy) => {
                format!(
                    "the host in {} must be a name in the certificate",
                    proxy.variable
                )
            }
        }
    }
}

/// The error of rustls inside one of ureq's, if there is one.
pub fn find(error: &ureq::Error) -> Option<&Error> {
    match error {
        ureq::Error::Io(e) => e.get_ref()?.downcast_ref(),
        ureq::Error::Rustls(e) => Some(e),
        _ => None,
    }
}

/// What is wrong in TLS, and what to do about it.
pub fn explain(error: &Error, peer: &Peer) -> (String, Hint) {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            format!("the {}'s answer is not TLS", peer.role()),
            Some(peer.without_tls().into()),
        ),
        Error::AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion)
        | Error::PeerIncompatible(_) => (
            format!(
                "the {} and this program have no version, cipher or key exchange of TLS in common \
                 ({error})",
                peer.role()
            ),
            Some(SUPPORTED.into()),
        ),
        other => (other.to_string(), None),
    }
}

/// What is wrong with a certificate, and what to do about it.
pub fn explain_certificate(fault: &CertificateError, peer: &Peer, trust: &Trust) -> (String, Hint) {
    use CertificateError::{
        BadSignature, ExpiredContext, NotValidForNameContext, NotValidYetContext, Other,
        UnknownIssuer, UnsupportedSignatureAlgorithmContext,
        UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    let clock = |what: &str, limit: &UnixTime, now: &UnixTime| {
        let [limit, now] = [limit, now].map(|time| Timestamp(time.as_secs()));
        format!("{what} {limit}, and this host's clock says {now}")
    };
    let (reason, hint) = match fault {
        UnknownIssuer => {
            let inspection = peer.inspection();
            let inspection = inspection.map(|command| format!("; see who issued it: {command}"));
            let hint = format!(
                "{}{}; if none of these, it may be an attacker",
                trust.causes(peer.role()),
                inspection.unwrap_or_default()
            );
            return ("its issuer is unknown".to_owned(), Some(hint.into()));
        }
        ExpiredContext { time, not_after } => (clock("it expired at", not_after, time), CLOCK),
        NotValidYetContext { time, not_before } => {
            (clock("it is not valid before", not_before, time), CLOCK)
        }
        NotValidForNameContext {
            expected,
            presented,
        } => return explain_names(expected, presented, peer),
        UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } if signature_algorithm_id.starts_with(&RSA_PSS) => (PSS_SALT.to_owned(), PSS_HINT),
        // ring reports unsupported key types as BadSignature.
        BadSignature
        | UnsupportedSignatureAlgorithmContext { .. }
        | UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            (BAD_SIGNATURE.to_owned(), SUPPORTED)
        }
        Other(fault) => return explain_untyped(&fault.0.to_string()),
        other => return (other.to_string(), None),
    };
    (reason, Some(hint.into()))
}

/// What is wrong with a certificate whose names do not include the expected one.
fn explain_names(expected: &ServerName, presented: &[String], peer: &Peer) -> (String, Hint) {
    let expected_text = expected.to_str();
    let names: Vec<_> = presented
        .iter()
        .filter_map(|name| presented_name(name))
        .collect();
    let is_address = matches!(expected, ServerName::IpAddress(_));
    if is_address && names.contains(&PresentedName::Dns(&expected_text)) {
        let reason = format!("it has the address {expected_text} as a DNS name");
        return (reason, Some(ADDRESS_AS_NAME.into()));
    }
    if names.is_empty() {
        let reason = "it names no host (subjectAltName)".to_owned();
        return (reason, Some(NEW_CERTIFICATE.into()));
    }
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let reason = format!(
        "it is not for {expected_text}, but for {}",
        names.join(", ")
    );
    (reason, Some(peer.other_name().into()))
}

/// Explains a certificate fault that rustls has no type for.
fn explain_untyped(fault: &str) -> (String, Hint) {
    let either = format!("{TRUST_ISSUER}; if that does not help, {NEW_CERTIFICATE}");
    let (reason, hint) = match fault {
        webpki::CA_AS_SERVER => ("it is a CA's, not a server's", NEW_CERTIFICATE),
        webpki::SERVER_AS_CA => ("its issuer's certificate is not a CA's", TRUST_ISSUER),
        webpki::TOO_DEEP => ("it has more than 6 CAs above it", TRUST_ISSUER),
        webpki::PATH_LENGTH => ("the chain exceeds a CA's path length limit", TRUST_ISSUER),
        webpki::VERSION => ("a certificate is not of X.509 version 3", &*either),
        webpki::CRITICAL_EXTENSION => (
            "a certificate has a critical extension that this program does not know",
            &*either,
        ),
        webpki::NAME_CONSTRAINT => {
            let reason = "a CA above it is not allowed to certify this name";
            return (reason.to_owned(), None);
        }
        other => return (other.to_owned(), None),
    };
    (reason.to_owned(), Some(hint.to_owned().into()))
}
