//! The connection: to which of a name's addresses, for how long, and what is said where none of them
//! takes it.
//!
//! ureq's own connector gives up at the first error that is not one of five kinds, and leaves most of
//! the time to the first address. This one stands between ureq's for proxies and for TLS, and has
//! ureq's connect to one address at a time.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    RustlsConnector, TcpConnector, Transport,
};
use ureq::{Error, Timeout};

use crate::http::options::Limits;

/// How long an address may take at first, while others wait. After a second, a lost request for a
/// connection is sent again (RFC 6298, section 2); few round trips take longer.
const FIRST_TURN: Duration = Duration::from_secs(1);

/// ureq counts a turn in milliseconds, rounded down.
const TICK: Duration = Duration::from_millis(1);

/// All of a connection: through a proxy or not, over TLS or not.
pub fn connector(limits: Limits) -> impl Connector {
    let tcp = TcpConnector::default();
    ().chain(ConnectProxyConnector::default())
        .chain(EachAddress { tcp, limits })
        .chain(RustlsConnector::default())
}

/// Connects to one of the addresses, where there is no tunnel yet.
#[derive(Debug)]
struct EachAddress {
    tcp: TcpConnector,
    limits: Limits,
}

impl<In: Transport> Connector<In> for EachAddress {
    type Out = Either<In, TcpLink>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(Some(match chained {
            Some(tunnel) => Either::A(tunnel),
            None => Either::B(self.connect_to_any(details)?),
        }))
    }
}

impl EachAddress {
    /// Gives each address a first turn, and each that was silent a second one. Whatever fails
    /// concerns that address alone: a firewall may reject one family, a host may lack it.
    fn connect_to_any(&self, details: &ConnectionDetails) -> Result<TcpLink, Error> {
        let deadline = Instant::now() + *details.timeout.after;
        let left = || left_until(deadline);
        let mut failures = Vec::new();
        let mut waiting: VecDeque<_> = alternating(&details.addrs)
            .map(|address| (address, FIRST_TURN))
            .collect();
        while let Some((address, longest)) = waiting.pop_front() {
            let turn = match waiting.len() as u32 {
                0 => left(),
                others => longest.min(left() / (others + 1)),
            };
            match self.connect_to(address, turn, details) {
                Ok(tcp) => return Ok(TcpLink { tcp, deadline }),
                Err(Error::Timeout(_)) if longest == FIRST_TURN && left() > TICK => {
                    waiting.push_back((address, Duration::MAX));
                }
                Err(error) => failures.push((address, error)),
            }
        }
        let (address, error) = failures
            .into_iter()
            .max_by_key(|(_, error)| weight(error))
            .ok_or(Error::HostNotFound)?;
        let reason = match (error, details.timeout.reason) {
            (Error::Io(e), _) => e.to_string(),
            // The system's own limit.
            (Error::Timeout(_), _) if left() > TICK => "Connection timed out".to_owned(),
            (Error::Timeout(_), Timeout::Connect) => self.limits.no_connection(),
            (Error::Timeout(_), limit) => return Err(Error::Timeout(limit)),
            (other, _) => return Err(other),
        };
        Err(io::Error::other(format!("cannot connect to {address}: {reason}")).into())
    }

    fn connect_to(
        &self,
        address: SocketAddr,
        turn: Duration,
        details: &ConnectionDetails,
    ) -> Result<Box<dyn Transport>, Error> {
        if turn.is_zero() {
            // ureq would make a second of it.
            return Err(Error::Timeout(details.timeout.reason));
        }
        let mut addrs = details.resolver.empty();
        addrs.push(address);
        let details = ConnectionDetails {
            addrs,
            now: (details.current_time)(),
            timeout: NextTimeout {
                after: turn.into(),
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
    /// When the handshakes, with proxy and server, must be over.
    deadline: Instant,
}

impl TcpLink {
    /// What is left of `--connect-timeout`. ureq has a proxy's name looked up in that time, and gives
    /// the whole of it anew to each read of the proxy's answer.
    fn limit(&self, timeout: NextTimeout) -> NextTimeout {
        match timeout.reason {
            Timeout::Connect => NextTimeout {
                after: left_until(self.deadline).into(),
                ..timeout
            },
            _ => timeout,
        }
    }

    /// Takes data that is there. Only that shows a server that was not silent: the connection's end
    /// may be no more than what a failure left behind.
    fn look_once_more(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let now = NextTimeout {
            after: TICK.into(),
            ..timeout
        };
        match self.tcp.await_input(now) {
            Ok(false) | Err(Error::Timeout(_)) => Err(Error::Timeout(Timeout::PerRead)),
            seen => seen,
        }
    }
}

impl Transport for TcpLink {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.tcp.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.limit(timeout);
        self.tcp
            .transmit_output(amount, timeout)
            .map_err(reset_is_an_error)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.limit(timeout);
        let awaited = match self.tcp.await_input(timeout) {
            // The process may have been stopped all the while (SIGSTOP, a suspended host), and not the
            // server silent: what has come in the meantime is there to be seen at once.
            Err(Error::Timeout(Timeout::PerRead)) => self.look_once_more(timeout),
            awaited => awaited,
        };
        awaited.map_err(reset_is_an_error)
    }

    fn is_open(&mut self) -> bool {
        self.tcp.is_open()
    }
}

/// Gives a reset another kind: ureq takes one of its own for the end of a body.
fn reset_is_an_error(error: Error) -> Error {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    match error {
        Error::Io(e) if matches!(e.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
            io::Error::other("the connection was reset").into()
        }
        other => other,
    }
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The addresses in the order of the lookup, but the two families in turn: a host that has lost one
/// of them has lost all of its addresses.
fn alternating(addresses: &[SocketAddr]) -> impl Iterator<Item = SocketAddr> {
    let mut counts = [0, 0];
    let mut ranked: Vec<(i32, SocketAddr)> = addresses
        .iter()
        .map(|&address| {
            let count = &mut counts[usize::from(address.is_ipv4())];
            *count += 1;
            (*count, address)
        })
        .collect();
    ranked.sort_by_key(|&(rank, _)| rank); // stable
    ranked.into_iter().map(|(_, address)| address)
}

/// How much an address's failure tells of the server: its answer more than its silence, that more
/// than what went wrong on the way, and least that this host has no way to such an address.
fn weight(error: &Error) -> u8 {
    match error {
        Error::Io(e) => match e.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => 3,
            ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => 0,
            _ => 1,
        },
        _ => 2,
    }
}
