//! How a call is made, whichever it is: where to, with whose credentials, trusting whom, and for how
//! long.

use std::time::Duration;

use crate::api::endpoint::Endpoint;
use crate::auth::credentials::Sources;
use crate::http::proxy::Proxy;
use crate::report::console::Verbosity;
use crate::report::named_file::NamedFile;

pub struct Options {
    pub endpoint: Endpoint,
    pub proxy: Option<Proxy>,
    pub credentials: Sources,
    pub cacert: Option<NamedFile>,
    pub limits: Limits,
    pub verbosity: Verbosity,
}

/// The shortest limit of a time. ureq counts in milliseconds, and takes zero for a second.
pub const SHORTEST: Duration = Duration::from_millis(1);

/// How long the run may wait.
#[derive(Clone, Copy)]
pub struct Limits {
    /// For the connection and the TLS handshake together.
    pub connect: Duration,
    /// For one silence.
    pub silence: Duration,
    /// For the whole run; `None` for no limit.
    pub run: Option<Duration>,
}
