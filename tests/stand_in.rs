//! A stand-in for the service: a server on loopback whose every byte and pause is scripted.
//!
//! The tests start one for each exchange; the example `stand-in` runs it by itself.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, NameConstraints, SanType,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// One act of the server on a connection.
#[derive(Clone)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends a file's content.
    SendFile(PathBuf),
    /// Sends each byte by itself, with a pause before it.
    Trickle(Vec<u8>, Duration),
    /// Sends the same bytes again and again until the client hangs up.
    SendForever(Vec<u8>, Duration),
    /// Stays silent until the client hangs up.
    AwaitClose,
    /// Sets a flag: what comes before it has been sent.
    Tell(Arc<AtomicBool>),
    /// Ends the TCP connection without ending TLS.
    Cut,
    /// Resets the TCP connection.
    Reset,
    /// Becomes a tunnel to this address.
    Tunnel(SocketAddr),
}

/// How the server greets.
#[derive(Clone)]
pub enum Greeting {
    /// With a TLS handshake, as the owner of a certificate.
    Tls(Arc<ServerConfig>),
    /// With nothing: plain HTTP.
    Plain,
    /// With the script, before anything is read.
    Script,
}

impl Greeting {
    /// With TLS and a good certificate.
    pub fn tls() -> Self {
        Greeting::Tls(Certificate::Good.server_config())
    }
}

/// What the client sent up to the end of its request's head, or to where it hung up.
#[derive(Clone, Debug, Default)]
pub struct Request(pub String);

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

type Script = dyn Fn(&Request) -> Vec<Step> + Send + Sync;

/// A running server. It accepts connections until it is dropped, and serves each to its end. A test
/// fails if its server's script panics, or if it never connects to its server.
pub struct StandIn {
    pub address: SocketAddr,
    is_over: Arc<AtomicBool>,
    /// What was received, a request for each connection.
    requests: Arc<Mutex<Vec<Request>>>,
    expects_call: bool,
    has_panicked: Arc<AtomicBool>,
}

impl StandIn {
    /// A server on a free port of 127.0.0.1 that runs the script which `script` writes for a
    /// request.
    pub fn start(
        greeting: Greeting,
        script: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0), greeting, script).expect("a free port on loopback")
    }

    /// The same on another address.
    pub fn at(
        address: impl Into<SocketAddr>,
        greeting: Greeting,
        script: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::on(TcpListener::bind(address.into())?, greeting, script)
    }

    /// The same with an existing listener.
    pub fn on(
        listener: TcpListener,
        greeting: Greeting,
        script: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let has_panicked = Arc::new(AtomicBool::new(false));
        let panics = Arc::clone(&has_panicked);
        let script: Arc<Script> = Arc::new(move |request: &Request| {
            // What panics says so on standard error, and then the connection is closed.
            catch_unwind(AssertUnwindSafe(|| script(request))).unwrap_or_else(|_| {
                panics.store(true, Ordering::Relaxed);
                vec![Step::Cut]
            })
        });
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let (greeting, script, seen) = (greeting.clone(), script.clone(), seen.clone());
                let number = {
                    let mut seen = seen.lock().expect("no panic here");
                    seen.push(Request::default());
                    seen.len() - 1
                };
                let keep = move |request| seen.lock().expect("no panic here")[number] = request;
                // A client that hangs up in the middle is part of many tests.
                thread::spawn(move || connection.and_then(|c| serve(c, greeting, &*script, keep)));
            }
        });
        Ok(Self {
            address,
            is_over,
            requests,
            expects_call: true,
            has_panicked,
        })
    }

    /// The test fails if it connects to this server.
    pub fn never_called(mut self) -> Self {
        self.expects_call = false;
        self
    }

    /// A server that answers every request with the same script.
    pub fn scripted(greeting: Greeting, script: Vec<Step>) -> Self {
        Self::start(greeting, move |_| script.clone())
    }

    /// The same over TLS.
    pub fn tls(script: Vec<Step>) -> Self {
        Self::scripted(Greeting::tls(), script)
    }

    /// What was received so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic here").clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // It wakes the thread, which may be gone already with the process.
        let _ = TcpStream::connect(self.address);
        if thread::panicking() {
            return; // the test has failed already
        }
        assert!(
            !self.has_panicked.load(Ordering::Relaxed),
            "a stand-in's script panicked"
        );
        let calls = self.requests().len();
        if self.expects_call {
            assert!(calls > 0, "a stand-in was never called");
        } else {
            assert_eq!(calls, 0, "a stand-in was called");
        }
    }
}

/// Serves one connection.
fn serve(
    tcp: TcpStream,
    greeting: Greeting,
    script: &Script,
    keep: impl FnOnce(Request),
) -> io::Result<()> {
    // Tests that trickle count on small segments.
    tcp.set_nodelay(true)?;
    let reads_first = !matches!(greeting, Greeting::Script);
    let mut connection = match greeting {
        Greeting::Tls(config) => {
            let session = ServerConnection::new(config).map_err(io::Error::other)?;
            Connection::Tls(Box::new(StreamOwned::new(session, tcp)))
        }
        Greeting::Plain | Greeting::Script => Connection::Plain(tcp),
    };
    let mut request = Request::default();
    if reads_first {
        request = connection.read_head()?;
        keep(request.clone());
    }
    for step in script(&request) {
        match step {
            Step::Send(bytes) => connection.send(&bytes)?,
            Step::SendFile(path) => {
                let mut file = File::open(path)?;
                let mut buffer = vec![0; 1 << 20];
                loop {
                    match file.read(&mut buffer)? {
                        0 => break,
                        length => connection.send(&buffer[..length])?,
                    }
                }
            }
            Step::Trickle(bytes, pause) => {
                for byte in bytes {
                    thread::sleep(pause);
                    connection.send(&[byte])?;
                }
            }
            Step::SendForever(bytes, pause) => loop {
                thread::sleep(pause);
                connection.send(&bytes)?;
            },
            Step::AwaitClose => while connection.read(&mut [0; 4096])? > 0 {},
            Step::Tell(flag) => flag.store(true, Ordering::Relaxed),
            Step::Cut => return connection.tcp().shutdown(Shutdown::Both),
            Step::Reset => {
                return socket2::SockRef::from(connection.tcp()).set_linger(Some(Duration::ZERO));
            }
            Step::Tunnel(to) => return connection.tunnel(to),
        }
    }
    connection.close()
}

enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Connection {
    fn tcp(&self) -> &TcpStream {
        match self {
            Connection::Plain(tcp) => tcp,
            Connection::Tls(tls) => &tls.sock,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Connection::Plain(tcp) => tcp.read(buffer),
            Connection::Tls(tls) => tls.read(buffer),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Connection::Plain(tcp) => tcp.write_all(bytes),
            Connection::Tls(tls) => {
                tls.write_all(bytes)?;
                tls.flush()
            }
        }
    }

    fn read_head(&mut self) -> io::Result<Request> {
        let mut head = Vec::new();
        let mut buffer = [0; 16 << 10];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match self.read(&mut buffer)? {
                0 => break,
                length => head.extend_from_slice(&buffer[..length]),
            }
        }
        Ok(Request(String::from_utf8_lossy(&head).into_owned()))
    }

    /// Ends the connection in good order: TLS's closing alert first, then what is left to read, so
    /// that closing doesn't reset the connection, and with it what was sent.
    fn close(mut self) -> io::Result<()> {
        if let Connection::Tls(tls) = &mut self {
            tls.conn.send_close_notify();
            tls.flush()?;
        }
        self.tcp().shutdown(Shutdown::Write)?;
        while self.tcp().read(&mut [0; 4096])? > 0 {}
        Ok(())
    }

    /// Passes bytes on in both directions until one side hangs up.
    fn tunnel(mut self, to: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(to)?;
        let mut buffer = [0; 16 << 10];
        loop {
            let (from_client, from_server) = wait_for_either(self.tcp(), &server)?;
            if from_server {
                match server.read(&mut buffer)? {
                    0 => return self.close(),
                    length => self.send(&buffer[..length])?,
                }
            }
            let mut more = from_client;
            while more {
                match self.read(&mut buffer)? {
                    0 => return server.shutdown(Shutdown::Both),
                    length => server.write_all(&buffer[..length])?,
                }
                more = self.has_read_ahead()?;
            }
        }
    }

    /// Whether there is something to read that the socket knows nothing of any more.
    fn has_read_ahead(&mut self) -> io::Result<bool> {
        match self {
            Connection::Plain(_) => Ok(false),
            Connection::Tls(tls) => {
                let state = tls.conn.process_new_packets().map_err(io::Error::other)?;
                Ok(state.plaintext_bytes_to_read() > 0)
            }
        }
    }
}

/// Waits until one of two sockets, or both, can be read.
fn wait_for_either(one: &TcpStream, other: &TcpStream) -> io::Result<(bool, bool)> {
    let mut sockets = [one, other].map(|socket| libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    // SAFETY: the pointer is to an array of two.
    if unsafe { libc::poll(sockets.as_mut_ptr(), 2, -1) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok((sockets[0].revents != 0, sockets[1].revents != 0))
}

/// A response's bytes.
pub fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The kinds of certificate that the server can show.
#[derive(Clone, Copy, PartialEq)]
pub enum Certificate {
    /// For localhost, stand-in.test, 127.0.0.1, ::1 and the regions' hosts, from the CA of
    /// [`ca_pem`].
    Good,
    Expired,
    NotYetValid,
    /// For another name.
    WrongName,
    /// For 127.0.0.1 as if it were a name.
    AddressAsName,
    /// Without a subjectAltName.
    NoName,
    /// From no CA at all.
    SelfSigned,
    /// With a signature that is not the CA's.
    Forged,
    /// For clients, not servers.
    OtherPurpose,
    /// A CA's.
    OfCa,
    /// Of X.509 version 1, with a signature that fits no longer.
    Version1,
    CriticalExtension,
    /// From a CA whose own certificate has the extension.
    CriticalExtensionOfCa,
    /// From one that is no CA, which has its certificate from the CA of [`ca_pem`].
    OfNoCa,
    /// From a CA with another one above it that allows none below.
    PathLength,
    /// From a CA that may certify other names only.
    NameConstraint,
    /// From a CA with more CAs between it and the one of [`ca_pem`] than rustls follows.
    TooDeep,
}

type Ca = CertifiedIssuer<'static, KeyPair>;

/// The key for the CA, if it is not to have a new one. It counts before [`CA`] is used.
pub static CA_KEY: Mutex<Option<KeyPair>> = Mutex::new(None);

/// The CA of this process.
pub static CA: LazyLock<Ca> = LazyLock::new(|| {
    let kept = CA_KEY.lock().expect("no panic with the lock held").take();
    let key = kept.unwrap_or_else(|| KeyPair::generate().expect("a key pair"));
    CertifiedIssuer::self_signed(ca_params("stand-in CA"), key).expect("a CA certificate")
});

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// CAs, each certified by the one before it, and the first by the one of [`ca_pem`].
fn chain(params: Vec<CertificateParams>) -> Vec<Ca> {
    let mut chain: Vec<Ca> = Vec::new();
    for params in params {
        let key = KeyPair::generate().expect("a key pair");
        let issuer = chain.last().unwrap_or(&CA);
        chain.push(CertifiedIssuer::signed_by(params, key, issuer).expect("a CA certificate"));
    }
    chain
}

/// How a certificate's version is written (RFC 5280, section 4.1.2.1).
const VERSION_3: [u8; 5] = [0xa0, 3, 2, 1, 2];

/// An extension that no program knows.
fn critical_extension() -> CustomExtension {
    let mut extension =
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
    extension.set_criticality(true);
    extension
}

/// The certificate to trust (PEM).
pub fn ca_pem() -> String {
    CA.pem()
}

/// The server's side of TLS, with a chain that need not fit the key.
pub fn showing(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a PKCS #8 key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = provider.key_provider.load_private_key(key);
    // Without rustls's own look at the certificate, which refuses some of them.
    let shown = CertifiedKey::new(chain, key.expect("a key that ring takes"));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    Arc::new(config)
}

impl Certificate {
    pub fn server_config(self) -> Arc<ServerConfig> {
        self.with_issuer().0
    }

    /// The server's side, and the certificate of the CA that issued its certificate (PEM).
    pub fn with_issuer(self) -> (Arc<ServerConfig>, String) {
        let cas = chain(self.intermediates());
        let issuer = cas.last().unwrap_or(&CA);
        let key = KeyPair::generate().expect("a key pair");
        let params = self.params();
        let certificate = match self {
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, issuer),
        };
        let mut certificate = certificate.expect("a certificate").der().to_vec();
        match self {
            // The last byte is the signature's.
            Certificate::Forged => *certificate.last_mut().expect("a byte") ^= 1,
            Certificate::Version1 => {
                let at = certificate.windows(5).position(|bytes| bytes == VERSION_3);
                certificate[at.expect("a version") + 4] = 0;
            }
            _ => {}
        }
        let chain = std::iter::once(certificate.into())
            .chain(cas.iter().rev().map(|ca| ca.der().clone()))
            .collect();
        (showing(chain, &key), issuer.pem())
    }

    /// What the CAs between the one of [`ca_pem`] and the server are, from the top.
    fn intermediates(self) -> Vec<CertificateParams> {
        let mut cas = match self {
            Certificate::TooDeep => vec![ca_params("stand-in CA"); 7],
            Certificate::PathLength | Certificate::CriticalExtensionOfCa => {
                vec![ca_params("stand-in CA"); 2]
            }
            Certificate::OfNoCa | Certificate::NameConstraint => vec![ca_params("stand-in CA")],
            _ => Vec::new(),
        };
        for (number, ca) in cas.iter_mut().enumerate() {
            let name = format!("stand-in CA {number}");
            ca.distinguished_name.push(DnType::CommonName, name);
        }
        match self {
            Certificate::OfNoCa => cas[0].is_ca = IsCa::ExplicitNoCa,
            Certificate::NameConstraint => {
                cas[0].name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![GeneralSubtree::DnsName("elsewhere.example".into())],
                    excluded_subtrees: Vec::new(),
                });
            }
            Certificate::PathLength => cas[0].is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
            Certificate::CriticalExtensionOfCa => {
                cas[0].custom_extensions = vec![critical_extension()];
            }
            _ => {}
        }
        cas
    }

    fn params(self) -> CertificateParams {
        let names: &[&str] = match self {
            Certificate::NoName | Certificate::AddressAsName => &[],
            Certificate::WrongName => &["elsewhere.example"],
            _ => &[
                "localhost",
                "stand-in.test",
                "127.0.0.1",
                "::1",
                "*.cn-north-4.myhuaweicloud.com",
                "*.cn-south-1.myhuaweicloud.com",
                "*.ap-southeast-3.myhuaweicloud.com",
                "*.la-north-2.myhuaweicloud.com",
                "*.sa-brazil-1.myhuaweicloud.com",
                "*.eu-west-101.myhuaweicloud.eu",
            ],
        };
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("valid names");
        match self {
            Certificate::AddressAsName => {
                let address = "127.0.0.1".try_into().expect("ASCII");
                params.subject_alt_names = vec![SanType::DnsName(address)];
            }
            Certificate::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Certificate::NotYetValid => params.not_before = date_time_ymd(3000, 1, 1),
            Certificate::OfCa => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Certificate::CriticalExtension => params.custom_extensions = vec![critical_extension()],
            Certificate::OtherPurpose => {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }
            _ => {}
        }
        params
    }
}
