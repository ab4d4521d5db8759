//! The context of the error messages of a run's one HTTP exchange.

use ureq::http::StatusCode;

use crate::api::call::Call;
use crate::api::endpoint::Endpoint;
use crate::api::timestamp::Timestamp;
use crate::auth::credentials::AuthMethod;
use crate::http::options::{Limits, Options};
use crate::http::refusal;
use crate::report::error::Error;
use crate::report::redact::{Redacted, Secrets};

/// The largest response head, in bytes: ureq's default, stated because the program rests on it.
pub const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// Context for the error messages of one HTTP exchange.
pub struct Exchange {
    pub call: Call,
    /// The request as [`request_line`] has it, without the query.
    pub name: String,
    pub endpoint: Endpoint,
    /// Which certificates of the CA file can't be used, for the hint; empty if there are none.
    pub skipped_roots: String,
    /// Whether the proxy is given a user and a password.
    pub has_proxy_login: bool,
    pub limits: Limits,
    pub auth_method: AuthMethod,
    /// Characters of the token or the security token, 0 without one.
    pub token_length: usize,
    /// This host's clock and the server's when the answer's head arrived, if that says its time.
    pub clocks: Option<[Timestamp; 2]>,
    /// "the token in …", "the access key in …"
    pub caller: String,
    pub secrets: Secrets,
}

/// Describes the request, with the proxy if there is one.
pub fn request_line(options: &Options, url: &str) -> String {
    match &options.proxy {
        Some(proxy) => format!("GET {url} through the proxy {}", proxy.name),
        None => format!("GET {url}"),
    }
}

impl Exchange {
    /// Masks a text from the server, or one that may quote it. Server text must pass through here
    /// before it is shown.
    pub fn redact(&self, text: &str) -> Redacted {
        self.secrets.redact(text)
    }

    /// A proxy that did not open a tunnel: it refused, or did not respond.
    pub fn no_tunnel(&self, text: &str) -> Error {
        match proxy_status(text) {
            Some(status) => refusal::by_proxy(self, status),
            None => self.network(&format!("no tunnel was opened: {text}"), None),
        }
    }
}

/// The status of a proxy's answer to `CONNECT`, which ureq 3.5.2 (unversioned/transport/connect.rs)
/// tells as a text alone: "proxy server responded 403/403".
fn proxy_status(text: &str) -> Option<StatusCode> {
    let (_, status) = text.rsplit_once('/')?;
    StatusCode::from_bytes(status.as_bytes()).ok()
}
