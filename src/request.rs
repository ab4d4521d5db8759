//! The one call: who is trusted, how long is waited, what is sent, and what failed on the way.

use std::io::{self, Read};
use std::path::Path;

use ureq::http::{HeaderValue, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Timeout};

use crate::args::{Args, Limits};
use crate::endpoint::Scheme;
use crate::error::{Error, PROXY_LOGIN_HINT};
use crate::printable::{self, escape};
use crate::proxy::Proxy;
use crate::response::Answer;
use crate::system;
use crate::token::Token;

/// The largest CA file, in bytes. The usual bundle of a distribution has 220 kB.
const MAX_CA_FILE: u64 = 4 << 20;

/// The largest response head, in bytes: ureq's default, stated because the program rests on it.
const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// ureq's buffers for each connection layer, in bytes: the output must hold the longest token's
/// header whole, the input the longest response head.
const BUFFER: usize = 128 << 10;

/// Everything about the call that can be known to be right before it is made.
pub struct Call {
    agent: Agent,
    url: String,
    context: Context,
}

/// What a failure's sentence has to name.
pub struct Context {
    pub call: String,
    limits: Limits,
}

impl Call {
    /// Prepares the call. It reads the CA file, and opens no connection.
    pub fn prepare(args: &Args) -> Result<Self, Error> {
        let roots = match &args.cacert {
            Some(path) => read_roots(path)?,
            None => RootCerts::WebPki,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .build();
        let proxy = args.proxy.as_ref().map(to_ureq).transpose()?;
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(args.endpoint.scheme == Scheme::Https)
            // Else ureq reads the environment by its own rules.
            .proxy(proxy)
            // ureq would carry X-Auth-Token to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // An error status has a body to read.
            .http_status_as_error(false)
            // The package must arrive byte for byte, with the length that the header says.
            .accept_encoding("identity")
            .accept("*/*")
            .user_agent(concat!("codearts-check-log/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(args.limits.connect))
            .timeout_per_read(Some(args.limits.silence))
            .timeout_per_write(Some(args.limits.silence))
            .timeout_global(args.limits.run)
            .max_response_header_size(MAX_RESPONSE_HEAD)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            // One call, one connection.
            .max_idle_connections(0)
            .build();
        Ok(Self {
            agent: Agent::with_parts(config, DefaultConnector::new(), BlockingResolver::default()),
            url: args.url(),
            context: Context {
                call: args.call(),
                limits: args.limits,
            },
        })
    }

    /// Makes the call, and returns what is answered.
    pub fn send(self, token: &Token) -> Result<Answer, Error> {
        let mut secret = HeaderValue::from_str(token.expose())
            .expect("a token is visible ASCII, and that is what a header may hold");
        secret.set_sensitive(true);
        let response = self
            .agent
            .get(&self.url)
            .header("X-Auth-Token", secret)
            .call();
        match response {
            Ok(response) => Ok(Answer::new(response, self.context)),
            Err(error) => Err(self.context.explain(&error)),
        }
    }
}

impl Context {
    /// Tells a failure of ureq's in the user's words.
    pub fn explain(&self, error: &ureq::Error) -> Error {
        // Some of these texts quote the server: names in a certificate, a malformed header.
        let reason = escape(&self.reason(error), printable::LIMIT);
        let call = self.call.clone();
        if let Some(reason) = reason.strip_prefix(BAD_CERTIFICATE) {
            return Error::Untrusted {
                call,
                reason: reason.to_owned(),
                hint: Some(if WRONG_TIME.iter().any(|text| reason.starts_with(text)) {
                    "check this host's clock: the certificate is valid at another time"
                } else {
                    "--cacert FILE trusts a private CA; --endpoint must be a name in the certificate"
                }),
            };
        }
        let asks_for_login =
            matches!(error, ureq::Error::ConnectProxyFailed(_)) && reason.contains("407");
        Error::Network {
            call,
            reason,
            hint: asks_for_login.then_some(PROXY_LOGIN_HINT),
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

/// How rustls's text for every fault of a certificate begins. Its type can't be named here
/// without a dependency of its own; the tests hold the text to what it says.
const BAD_CERTIFICATE: &str = "invalid peer certificate: ";

/// How it goes on where the certificate's time is over, or still to come.
const WRONG_TIME: [&str; 2] = ["certificate expired", "certificate not valid yet"];

/// Reads the certificates (PEM) to trust. Anything else in the file, a key for one, is passed over.
fn read_roots(path: &Path) -> Result<RootCerts, Error> {
    let failed = |reason: &dyn std::fmt::Display| Error::local("use the CA file", path, reason);
    let mut pem = Vec::new();
    system::open_without_waiting(path)
        .and_then(|file| file.take(MAX_CA_FILE + 1).read_to_end(&mut pem))
        .map_err(|e| failed(&e))?;
    if pem.len() as u64 > MAX_CA_FILE {
        return Err(failed(&format!("it is larger than {MAX_CA_FILE} bytes")));
    }
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .filter(|certificate| is_certificate(certificate.der()))
        .collect();
    if certificates.is_empty() {
        return Err(failed(&"it holds no certificate"));
    }
    Ok(RootCerts::from(certificates))
}

/// Whether the bytes have a certificate's outer form: a DER SEQUENCE of just this length that
/// begins with another (RFC 5280, section 4.1). rustls, which reads the rest, passes over what it
/// can't read, and then trusts nobody without a word.
fn is_certificate(der: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    /// The flag of a length in as many bytes as the other bits say (X.690, section 8.1.3.5). No
    /// certificate is so short that it has another.
    const LONG: u8 = 0x80;
    let Some((&[SEQUENCE, form], rest)) = der.split_first_chunk() else {
        return false;
    };
    let length_bytes = form.checked_sub(LONG).map(usize::from);
    let Some((length, content)) = length_bytes.and_then(|n| rest.split_at_checked(n)) else {
        return false;
    };
    let length = length.iter().fold(0_usize, |length, &byte| {
        length.saturating_mul(256).saturating_add(byte.into())
    });
    content.len() == length && content.first() == Some(&SEQUENCE)
}

fn to_ureq(proxy: &Proxy) -> Result<ureq::Proxy, Error> {
    ureq::Proxy::new(&proxy.url()).map_err(|_| {
        Error::Usage(format!(
            "the proxy in {} can't be used: its user or password is not UTF-8 when decoded",
            proxy.variable()
        ))
    })
}

/// Looks names up on this thread. ureq's own resolver starts a second one where a timeout is set,
/// and for a proxy's name one always is; `--max-time` ends a lookup by other means (see `system`).
#[derive(Debug, Default)]
struct BlockingResolver(DefaultResolver);

impl Resolver for BlockingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        system::prepare_lookup();
        let never = NextTimeout::default();
        self.0.resolve(uri, config, never).map_err(|error| {
            let host = uri.host().unwrap_or_default();
            let reason = match error {
                ureq::Error::Io(e) => e.to_string(),
                other => other.to_string(),
            };
            io::Error::other(format!("cannot look up {host}: {reason}")).into()
        })
    }
}
