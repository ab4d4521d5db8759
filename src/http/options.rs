//! The options of every call: endpoint, proxy, time limits and verbosity.

use std::time::Duration;

use crate::api::endpoint::Endpoint;
use crate::http::proxy::Proxy;
use crate::report::console::Verbosity;

pub struct Options {
    pub endpoint: Endpoint,
    pub proxy: Option<Proxy>,
    pub limits: Limits,
    pub verbosity: Verbosity,
}

/// Shortest time limit: ureq rounds down to milliseconds and treats 0 as 1 s (3.5.2, src/run.rs).
pub const SHORTEST: Duration = Duration::from_millis(1);

/// How long the run may wait.
#[derive(Clone, Copy)]
pub struct Limits {
    /// For the connection and the TLS handshake together.
    pub connect: Duration,
    /// For each wait without data.
    pub silence: Duration,
    /// For the whole run; `None` for no limit.
    pub run: Option<Duration>,
}
