//! The request: who is trusted, how long is waited, and what is sent.

use std::error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;

use ureq::Agent;
use ureq::http::{HeaderValue, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::api::call::Call;
use crate::api::endpoint::Scheme;
use crate::auth::credentials::Credentials;
use crate::auth::timestamp::Timestamp;
use crate::http::connect;
use crate::http::exchange::{Exchange, MAX_RESPONSE_HEAD};
use crate::http::options::{CaFile, Limits, Options};
use crate::http::proxy::Proxy;
use crate::http::response::Answer;
use crate::report::console::Console;
use crate::report::error::Error;
use crate::system::process;

/// The largest CA file, in bytes. The usual bundle of a distribution has 220 kB.
const MAX_CA_FILE: u64 = 4 << 20;

/// ureq's buffers for each connection layer, in bytes: the output must hold the longest token's
/// header whole, the input the longest response head.
const BUFFER: usize = 128 << 10;

/// Everything about the exchange that can be known to be right before it begins.
pub struct Request {
    agent: Agent,
    call: Call,
    url: String,
    /// What the header `Host` says.
    host: String,
    /// The call as `--verbose` shows it, and as an error names it.
    line: String,
    name: String,
    server: String,
    limits: Limits,
    credentials: Credentials,
}

impl Request {
    /// Prepares the call. It reads the credentials and the CA file, and opens no connection.
    pub fn prepare(call: Call, options: Options, console: Console) -> Result<Self, Error> {
        let (url, name) = (options.endpoint.url(&call), options.name(&call));
        let line = options.describe(&url);
        let credentials = options.credentials.read(console)?;
        let roots = match &options.cacert {
            Some(file) => read_roots(file)?,
            None => RootCerts::WebPki,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(options.endpoint.scheme == Scheme::Https)
            // Else ureq reads the environment by its own rules.
            .proxy(options.proxy.as_ref().map(to_ureq))
            // ureq would carry X-Auth-Token to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // An error status has a body to read.
            .http_status_as_error(false)
            // The package must arrive byte for byte, with the length that the header says.
            .accept_encoding("identity")
            .accept("*/*")
            .user_agent(concat!("codearts-check-log/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(options.limits.connect))
            .timeout_per_read(Some(options.limits.silence))
            .timeout_per_write(Some(options.limits.silence))
            .timeout_global(options.limits.run)
            .max_response_header_size(MAX_RESPONSE_HEAD)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            // One call, one connection.
            .max_idle_connections(0)
            .build();
        Ok(Self {
            agent: Agent::with_parts(
                config,
                connect::connector(options.limits),
                BlockingResolver::default(),
            ),
            call,
            url,
            host: options.endpoint.authority.host_header(),
            line,
            name,
            server: options.endpoint.server(),
            limits: options.limits,
            credentials,
        })
    }

    /// Makes the call, and returns what is answered.
    pub fn send(self, console: Console) -> Result<Answer, Error> {
        console.detail(&self.line);
        let authentication =
            self.credentials
                .authenticate(&self.call, &self.host, Timestamp::now());
        // The host is signed: what is sent must be the same, and not ureq's idea of it.
        let mut request = self.agent.get(&self.url).header("Host", self.host);
        for (name, value) in authentication.headers {
            let mut value = HeaderValue::from_str(value.expose())
                .expect("what authenticates is visible ASCII, and that is what a header may hold");
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let exchange = Exchange {
            call: self.call,
            name: self.name,
            server: self.server,
            limits: self.limits,
            authentication: authentication.kind,
            secrets: authentication.secrets,
        };
        let answer = match request.call() {
            Ok(response) => Answer::new(response, exchange),
            Err(ureq::Error::Io(e)) if leaves_host(&e) => {
                let reason = format!("http:// is only for this host, but {e}");
                return Err(Error::Usage(reason));
            }
            Err(error) => return Err(exchange.failed(&error)),
        };
        console.detail(&answer.summary());
        Ok(answer)
    }
}

/// Reads the certificates (PEM) to trust. Anything else in the file, a key for one, is passed over.
fn read_roots(file: &CaFile) -> Result<RootCerts, Error> {
    let failed = |reason: &dyn fmt::Display| Error::local("use the CA file", file, reason);
    let mut pem = Vec::new();
    File::open(&file.path)
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

fn to_ureq(proxy: &Proxy) -> ureq::Proxy {
    ureq::Proxy::new(&proxy.url()).expect("a proxy is parsed by stricter rules than ureq's")
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
        process::prepare_lookup();
        let never = NextTimeout::default();
        let host = uri.host().unwrap_or_default();
        let found = self.0.resolve(uri, config, never).map_err(|error| {
            let reason = match error {
                ureq::Error::Io(e) => e.to_string(),
                other => other.to_string(),
            };
            io::Error::other(format!("cannot look up {host}: {reason}"))
        })?;
        let is_elsewhere = |address: &&SocketAddr| !address.ip().is_loopback();
        match found.iter().find(is_elsewhere) {
            // A proxy is spoken to in the clear, but what goes through is not.
            Some(address) if !config.https_only() => Err(io::Error::other(LeavesHost(format!(
                "{host} resolves to {}",
                address.ip()
            )))
            .into()),
            _ => Ok(found),
        }
    }
}

/// A call in the clear that would not stay on this host: the name is one of loopback, but its address
/// is not.
#[derive(Debug)]
struct LeavesHost(String);

impl fmt::Display for LeavesHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for LeavesHost {}

fn leaves_host(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<LeavesHost>())
        .is_some()
}
