//! Which proxy to use, by curl's variables and rules for https URLs.
//!
//! ureq reads such variables too, but by other rules: it accepts `HTTP_PROXY`, which the client of
//! a CGI script can set, connects directly if a value can't be parsed, and exempts no subdomains.

use std::ffi::OsString;
use std::net::IpAddr;

use crate::api::authority::{Authority, in_brackets, trim, without_dot};

/// The variables that may name a proxy; the first one set wins. `HTTP_PROXY` is not one of them.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// curl's port for a proxy whose URL has none.
const DEFAULT_PORT: u16 = 1080;
const DEFAULT_TLS_PORT: u16 = 443;

/// A proxy that opens tunnels (`CONNECT`, RFC 9110, section 9.3.6).
pub struct Proxy {
    /// With user and password: for the connection, never for a message.
    pub ureq: ureq::Proxy,
    /// Whether it is spoken to over TLS.
    pub is_tls: bool,
    /// Its host and port.
    pub authority: Authority,
    /// The variable that names it.
    pub variable: &'static str,
    /// URL and variable, for messages.
    pub name: String,
}

impl Proxy {
    /// The proxy for calls to `host`, or none. The error for a value that can't be used names the
    /// variable, not the value: it may hold a password.
    pub fn for_host(
        host: &str,
        env: &dyn Fn(&'static str) -> Option<OsString>,
    ) -> Result<Option<Self>, String> {
        let first_set = |names: &[&'static str]| {
            names
                .iter()
                .find_map(|&name| env(name).map(|value| (name, value)))
        };
        let exceptions = first_set(&EXCEPTIONS).map(|(_, value)| value);
        if exceptions.is_some_and(|list| is_exempt(host, &list.to_string_lossy())) {
            return Ok(None);
        }
        let Some((variable, value)) = first_set(&VARIABLES) else {
            return Ok(None);
        };
        Self::parse(&value.to_string_lossy(), variable)
            .map(Some)
            .map_err(|reason| format!("the proxy in {variable} can't be used: {reason}"))
    }

    /// Whether its URL has a user and a password.
    pub fn has_login(&self) -> bool {
        self.ureq.username().is_some()
    }

    /// The hint for a proxy that seems to need the other scheme: http instead of https, or the
    /// reverse.
    pub fn other_scheme_hint(&self) -> String {
        let (negation, scheme) = if self.is_tls {
            (" not", "http")
        } else {
            ("", "https")
        };
        format!(
            "this proxy may{negation} speak TLS itself: then {}={scheme}://{}",
            self.variable, self.authority
        )
    }

    fn parse(value: &str, variable: &'static str) -> Result<Self, String> {
        let value = trim(value)?;
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => ("http", DEFAULT_PORT),
            "https" => ("https", DEFAULT_TLS_PORT),
            _ => return Err("its scheme is neither http nor https".to_owned()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user_info, host_and_port) = match rest.rfind('@') {
            Some(at) => rest.split_at(at + 1),
            None => ("", rest),
        };
        let mut authority = Authority::parse(host_and_port)?;
        authority.port.get_or_insert(default_port);
        let with_user = format!("{user_info}{authority}");
        Ok(Self {
            is_tls: scheme == "https",
            // A slash before the '@', for example, would make ureq see another host.
            ureq: ureq::Proxy::new(&format!("{scheme}://{with_user}"))
                .ok()
                .filter(|proxy| proxy.uri().authority().is_some_and(|it| *it == *with_user))
                .ok_or("its user and password must be percent-encoded, and UTF-8 when decoded")?,
            name: format!("{scheme}://{authority} ({variable})"),
            variable,
            authority,
        })
    }
}

/// Whether `list` (names split by commas, white space or quotes) exempts `host` from the proxy. A
/// name stands for the host and its subdomains, with or without a leading dot; `*` for every host.
/// An address has no subdomains.
fn is_exempt(host: &str, list: &str) -> bool {
    let host = bare(host);
    let is_name = host.parse::<IpAddr>().is_err();
    list.split(|c: char| ",\"'".contains(c) || c.is_ascii_whitespace())
        .filter(|name| !name.is_empty())
        .any(|name| {
            let name = bare(name.strip_prefix('.').unwrap_or(name)).to_ascii_lowercase();
            let ends_in = |name| {
                host.strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
            };
            name == "*" || host == name || is_name && ends_in(&*name)
        })
}

/// An IPv6 address without its brackets, or a name without the dot at its end.
fn bare(host: &str) -> &str {
    in_brackets(host).unwrap_or(without_dot(host))
}
