//! What the program knows about ureq, rustls and webpki only from their texts or behaviour, which
//! any version may change. Each item names the version and the file that it was read in. If a new
//! version behaves differently, a test fails: here or, where it takes a server, in tests/.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr};

use ureq::Error;
use ureq::http::{Response, StatusCode, Version, header};

/// The status in the text of [`Error::ConnectProxyFailed`], "proxy server responded 403/403"; none
/// if the proxy did not respond (ureq 3.5.2, src/unversioned/transport/connect.rs).
pub fn tunnel_status(text: &str) -> Option<StatusCode> {
    let (_, status) = text.rsplit_once('/')?;
    StatusCode::from_bytes(status.as_bytes()).ok()
}

/// The C library's message in a resolver's error, which follows those of std and ureq: "io: failed
/// to lookup address information: Name or service not known" (std 1.95,
/// sys/net/connection/socket.rs).
pub fn lookup_reason(error: &Error) -> String {
    let text = error.to_string();
    text.rsplit(": ").next().unwrap_or_default().to_owned()
}

/// Hides the kind of a reset while receiving: ureq takes `ConnectionReset` and `ConnectionAborted`
/// for the end of a body (ureq 3.5.2, `do_read` in src/run.rs).
pub fn reset_is_an_error(error: Error) -> Error {
    use ErrorKind::{ConnectionAborted, ConnectionReset};
    match error {
        Error::Io(e) if matches!(e.kind(), ConnectionAborted | ConnectionReset) => {
            io::Error::other("the connection was reset").into()
        }
        other => other,
    }
}

/// What is wrong with a chunked body, if ureq's own message does not say it (ureq 3.5.2, `do_read`
/// in src/run.rs; ureq-proto 0.7.1, src/chunk.rs).
pub fn chunk_fault(error: &Error) -> Option<&'static str> {
    match error {
        // The bytes that are left are not a whole line, and no more come or fit.
        Error::BodyStalled => Some("a chunk's first or last line is cut short or too long"),
        Error::Protocol(fault) if fault.to_string() == "chunk expected crlf as next character" => {
            Some("a chunk's first line has more than 20 bytes, or its data ends elsewhere")
        }
        _ => None,
    }
}

/// The first transfer coding of a body that ureq leaves undecoded: its bytes would not be the
/// package's (RFC 9112, section 6.1). ureq decodes one `chunked`, but not in HTTP/1.0, and ignores
/// all other codings (ureq-proto 0.7.1, src/body.rs).
pub fn undecoded_coding<T>(answer: &Response<T>) -> Option<String> {
    let lines = answer.headers().get_all(header::TRANSFER_ENCODING).iter();
    let codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let undecoded =
        codings
            .map(<[u8]>::trim_ascii)
            .find(|coding| match &*coding.to_ascii_lowercase() {
                b"identity" | b"" => false,
                b"chunked" => answer.version() != Version::HTTP_11,
                _ => true,
            });
    undecoded.map(|coding| String::from_utf8_lossy(coding).into_owned())
}

/// A name of a certificate by which a server can be called.
#[derive(Debug, PartialEq)]
pub enum PresentedName<'a> {
    Dns(&'a str),
    Address(String),
}

impl fmt::Display for PresentedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Address(address) => f.write_str(address),
        }
    }
}

/// Parses a name in [`rustls::CertificateError::NotValidForNameContext`], which is `DnsName("…")`,
/// `IpAddress(0::1)` or another variant of webpki's type in its debug format (rustls-webpki
/// 0.103.17, src/subject_name/mod.rs).
pub fn presented_name(text: &str) -> Option<PresentedName<'_>> {
    let within = |start, end| text.strip_prefix(start)?.strip_suffix(end);
    if let Some(name) = within("DnsName(\"", "\")") {
        return Some(PresentedName::Dns(name));
    }
    let address = within("IpAddress(", ")")?;
    // Of an IPv6 address's zero groups, webpki omits all at the end, and all but one at the
    // beginning. It writes each other run of them as "::": where there are several, the text stays.
    let parsed = address.parse::<IpAddr>().ok();
    let parsed = parsed.or_else(|| Some(format!("{address}::").parse::<Ipv6Addr>().ok()?.into()));
    let address = parsed.map_or(address.to_owned(), |address| address.to_string());
    Some(PresentedName::Address(address))
}

/// webpki's names for certificate faults that rustls passes on untyped (rustls-webpki 0.103.17,
/// src/error.rs).
pub mod webpki {
    pub const CA_AS_SERVER: &str = "CaUsedAsEndEntity";
    pub const SERVER_AS_CA: &str = "EndEntityUsedAsCa";
    pub const TOO_DEEP: &str = "MaximumPathDepthExceeded";
    pub const PATH_LENGTH: &str = "PathLenConstraintViolated";
    pub const NAME_CONSTRAINT: &str = "NameConstraintViolation";
    pub const VERSION: &str = "UnsupportedCertVersion";
    pub const CRITICAL_EXTENSION: &str = "UnsupportedCriticalExtension";
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
    use std::thread;

    use rcgen::{CertificateParams, KeyPair, SanType};
    use rustls::CertificateError::NotValidForNameContext;
    use rustls::client::verify_server_name;
    use rustls::pki_types::ServerName;
    use rustls::server::ParsedCertificate;
    use ureq::unversioned::resolver::{DefaultResolver, Resolver};
    use ureq::unversioned::transport::NextTimeout;
    use ureq::{Agent, Error, Proxy};

    use super::{PresentedName, lookup_reason, presented_name, tunnel_status};

    /// ureq's error for a call through a proxy that answers this.
    fn refused_by_proxy(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            client.write_all(answer).unwrap();
        });
        let config = Agent::config_builder()
            .proxy(Some(Proxy::new(&format!("http://{address}")).unwrap()))
            .build();
        let error = Agent::new_with_config(config)
            .get("https://host.invalid/")
            .call();
        proxy.join().unwrap();
        match error {
            Err(Error::ConnectProxyFailed(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_proxy_s_status_stands_at_the_end_of_the_text() {
        for (answer, status) in [
            (&b"HTTP/1.1 403 Forbidden\r\n\r\n"[..], Some(403)),
            (b"HTTP/1.1 201 Created\r\n\r\n", Some(201)),
            (b"", None),
        ] {
            let text = refused_by_proxy(answer);
            let found = tunnel_status(&text).map(|status| status.as_u16());
            assert_eq!(found, status, "{text}");
        }
    }

    #[test]
    fn a_lookup_s_reason_stands_behind_the_last_colon() {
        let uri = "https://no-such-host.invalid/".parse().unwrap();
        let config = Agent::config_builder().build();
        let found = DefaultResolver::default().resolve(&uri, &config, NextTimeout::default());
        let error = found.unwrap_err();
        let reason = lookup_reason(&error);
        let all = format!("io: failed to lookup address information: {reason}");
        assert_eq!(error.to_string(), all);
        assert!(!reason.is_empty());
    }

    #[test]
    fn a_certificate_s_names_are_parsed() {
        let names = [
            "*.example.com",
            "127.0.0.1",
            "::1",
            "2001:db8::",
            "2001:db8:0:1::1",
        ];
        let mut params = CertificateParams::new(names.map(str::to_owned)).unwrap();
        let uri = "https://example.com".try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let parsed = ParsedCertificate::try_from(certificate.der()).unwrap();
        let other = ServerName::try_from("other.example").unwrap();
        let error = verify_server_name(&parsed, &other).unwrap_err();
        let rustls::Error::InvalidCertificate(NotValidForNameContext { presented, .. }) = error
        else {
            panic!("{error:?}");
        };
        let address = |text: &str| PresentedName::Address(text.to_owned());
        let mut expected = vec![PresentedName::Dns("*.example.com")];
        expected.extend(names[1..4].iter().map(|name| address(name)));
        expected.push(address("2001:db8::1::1"));
        let parsed: Vec<_> = presented
            .iter()
            .filter_map(|name| presented_name(name))
            .collect();
        assert_eq!(parsed, expected, "{presented:?}");
    }

    /// doc/network.md states this limit.
    #[test]
    fn sixteen_addresses_are_kept() {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 443);
        let push = |count| {
            let mut addresses = DefaultResolver::default().empty();
            (0..count).for_each(|_| addresses.push(address));
        };
        push(16);
        assert!(std::panic::catch_unwind(|| push(17)).is_err());
    }
}
