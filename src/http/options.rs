//! How a call is made, whichever it is: where to, with whose credentials, trusting whom, and for how
//! long.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::api::call::Call;
use crate::api::endpoint::Endpoint;
use crate::auth::credentials::Source;
use crate::http::proxy::Proxy;
use crate::report::console::Verbosity;
use crate::report::escape::display_path;

/// How a call is made, whichever it is.
pub struct Options {
    pub endpoint: Endpoint,
    pub proxy: Option<Proxy>,
    pub credentials: Source,
    pub cacert: Option<CaFile>,
    pub limits: Limits,
    pub verbosity: Verbosity,
}

/// The file with the certificates to trust.
pub struct CaFile {
    pub path: PathBuf,
    /// The variable that named it, if it was one.
    pub variable: Option<&'static str>,
}

impl fmt::Display for CaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display_path(&self.path))?;
        match self.variable {
            Some(variable) => write!(f, " ({variable})"),
            None => Ok(()),
        }
    }
}

impl Options {
    /// The call as an error names it.
    pub fn name(&self, call: &Call) -> String {
        self.describe(&self.endpoint.address(call))
    }

    /// A call of this address or URL, and the way that it takes.
    pub fn describe(&self, url: &str) -> String {
        match &self.proxy {
            Some(proxy) => format!("GET {url} through the proxy {proxy}"),
            None => format!("GET {url}"),
        }
    }
}

/// How long the run may wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the connection and the TLS handshake together.
    pub connect: Duration,
    /// For one silence.
    pub silence: Duration,
    /// For the whole run; none for ever.
    pub run: Option<Duration>,
}

impl Limits {
    /// Why a run ended at its limit.
    pub fn out_of_time(&self) -> String {
        let seconds = self.run.unwrap_or_default().as_secs_f64();
        format!("not finished after {seconds} s (--max-time)")
    }

    /// Why there is no connection, where nobody said it.
    pub fn no_connection(&self) -> String {
        let seconds = self.connect.as_secs_f64();
        format!("there was no connection within {seconds} s (--connect-timeout)")
    }
}
