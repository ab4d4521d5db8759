//! The context of the error messages of a run's one HTTP exchange.

use crate::api::call::Call;
use crate::api::endpoint::Endpoint;
use crate::api::timestamp::Timestamp;
use crate::auth::credentials::AuthMethod;
use crate::http::connect::Tunnel;
use crate::http::options::{Limits, Options};
use crate::http::proxy::Proxy;
use crate::http::trust::Trust;
use crate::report::redact::{Redacted, Secrets};

/// The largest response head, in bytes: ureq's default, stated because the program rests on it.
pub const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// Context for the error messages of one HTTP exchange.
pub struct Exchange {
    pub call: Call,
    /// The request in the form of [`request_line`], without the query.
    pub name: String,
    pub endpoint: Endpoint,
    pub proxy: Option<Proxy>,
    pub tunnel: Tunnel,
    pub trust: Trust,
    pub limits: Limits,
    pub auth_method: AuthMethod,
    /// Characters of the token or the security token, 0 without one.
    pub token_length: usize,
    /// This host's time and the server's when the answer's head arrived, if it has a `Date`.
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
}
