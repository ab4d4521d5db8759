//! The TCP connection: which addresses of a name are tried, and for how long.
//!
//! ureq's own connector gives up at the first error that is not one of five kinds, and leaves most
//! of the time to the first address. The one here sits between ureq's connectors for proxies and
//! for TLS, and lets ureq connect to one address at a time.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    RustlsConnector, TcpConnector, Transport,
};
use ureq::{Error, Timeout};

use crate::http::options::SHORTEST;
use crate::http::quirks::reset_is_an_error;

/// The whole connection: through a proxy or not, over TLS or not. It notes in `tunnel` when a proxy
/// has opened one.
pub fn connector(tunnel: &Tunnel) -> impl Connector {
    let each_address = EachAddress {
        tcp: TcpConnector::default(),
        tunnel: tunnel.clone(),
    };
    ().chain(ConnectProxyConnector::default())
        .chain(each_address)
        .chain(RustlsConnector::default())
}

/// Whether a proxy has opened a tunnel. Until then, the peer is the proxy.
#[derive(Clone, Debug, Default)]
pub struct Tunnel(Arc<AtomicBool>);

impl Tunnel {
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why there is no TCP connection, to server or proxy: no address was found, or none accepted it.
#[derive(Debug)]
pub struct Unreachable(pub String);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreachable {}

impl From<Unreachable> for Error {
    fn from(reason: Unreachable) -> Self {
        io::Error::other(reason).into()
    }
}

/// Connects to one of the addresses, unless a proxy has opened a tunnel already.
#[derive(Debug)]
struct EachAddress {
    tcp: TcpConnector,
    tunnel: Tunnel,
}

impl<In: Transport> Connector<In> for EachAddress {
    type Out = Either<In, TcpLink>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(Some(match chained {
            Some(tunnel) => {
                self.tunnel.0.store(true, Ordering::Relaxed);
                Either::A(tunnel)
            }
            None => Either::B(self.connect_to_any(details)?),
        }))
    }
}

impl EachAddress {
    /// Tries one address after another, each for an equal share of the time that is left. After any
    /// failure, the next one is tried: a firewall may reject one address family, or the host may
    /// lack it.
    fn connect_to_any(&self, details: &ConnectionDetails) -> Result<TcpLink, Error> {
        let deadline = Instant::now() + *details.timeout.after;
        let addresses = alternate_families(&details.addrs);
        let mut last = None;
        for (tried, &address) in addresses.iter().enumerate() {
            let share = left_until(deadline) / (addresses.len() - tried) as u32;
            match self.connect_to(address, share, details) {
                Ok(tcp) => return Ok(TcpLink { tcp, deadline }),
                Err(error) => last = Some((address, error)),
            }
        }
        let (address, error) = last.ok_or(Error::HostNotFound)?;
        let reason = match (error, details.timeout.reason) {
            (Error::Io(e), _) => e.to_string(),
            (Error::Timeout(_), Timeout::Connect) => "no answer (--connect-timeout)".to_owned(),
            (Error::Timeout(_), limit) => return Err(Error::Timeout(limit)),
            (other, _) => return Err(other),
        };
        let text = match addresses.len() {
            1 => format!("cannot connect to {address}: {reason}"),
            count => {
                format!("cannot connect to {address}, the last of {count} addresses: {reason}")
            }
        };
        Err(Unreachable(text).into())
    }

    fn connect_to(
        &self,
        address: SocketAddr,
        limit: Duration,
        details: &ConnectionDetails,
    ) -> Result<Box<dyn Transport>, Error> {
        let mut addrs = details.resolver.empty();
        addrs.push(address);
        let details = ConnectionDetails {
            addrs,
            now: (details.current_time)(),
            timeout: NextTimeout {
                after: limit.max(SHORTEST).into(),
                ..details.timeout
            },
            uri: details.uri,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let connected = Connector::<()>::connect(&self.tcp, &details, None)?;
        Ok(connected.ok_or(Error::ConnectionFailed)?.boxed())
    }
}

/// A TCP connection, on its own or below TLS and a tunnel.
#[derive(Debug)]
struct TcpLink {
    tcp: Box<dyn Transport>,
    /// When the handshakes with proxy and server must be over.
    deadline: Instant,
}

impl TcpLink {
    /// What is left of `--connect-timeout`. ureq would grant all of it again to each read of a
    /// proxy's answer.
    fn limit(&self, timeout: NextTimeout) -> NextTimeout {
        match timeout.reason {
            Timeout::Connect => NextTimeout {
                after: left_until(self.deadline).into(),
                ..timeout
            },
            _ => timeout,
        }
    }
}

impl Transport for TcpLink {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.tcp.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.tcp.transmit_output(amount, self.limit(timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let received = self.tcp.await_input(self.limit(timeout));
        received.map_err(reset_is_an_error)
    }

    fn is_open(&mut self) -> bool {
        self.tcp.is_open()
    }
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Orders the addresses as the lookup did, but alternates between IPv4 and IPv6: where one family
/// does not work, none of its addresses does.
fn alternate_families(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_of_first = |address: &&SocketAddr| address.is_ipv4() == addresses[0].is_ipv4();
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().partition(is_of_first);
    (0..addresses.len())
        .flat_map(|rank| [first.get(rank).copied(), second.get(rank).copied()])
        .flatten()
        .copied()
        .collect()
}
