//! The part of a URL that names a server or a proxy: host and port, as users write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host, and a port unless it is the scheme's default.
pub struct Authority {
    /// A name, an IPv4 address, or an IPv6 address in brackets. A name may end in a dot, which
    /// keeps its lookup from trying it in other domains (resolv.conf(5), `search`).
    pub host: String,
    pub port: Option<u16>,
}

impl Authority {
    /// Parses `host` or `host:port` (RFC 3986, section 3.2, without user information).
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(mark) = text.matches(['@', '?', '#', '/']).next() {
            return Err(format!("it must not contain '{mark}'"));
        }
        // The colons of an IPv6 address are in its brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(parse_port(port)?)),
            _ => (text, None),
        };
        check_host(host)?;
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// The value of the header `Host`.
    pub fn host_header(&self) -> String {
        let header = self.to_string().replacen(".:", ":", 1);
        without_dot(&header).to_owned()
    }

    pub fn is_loopback(&self) -> bool {
        let address = in_brackets(&self.host).unwrap_or(&self.host);
        address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// The IPv6 address in the brackets of its URL form, if there are any.
pub fn in_brackets(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

/// A name without the dot that makes it a fully qualified one.
pub fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Trims a value of an option or a variable, and refuses quotes and line breaks: `docker run
/// --env-file` keeps quotes around a value, and some editors wrap long lines.
pub fn trim(value: &str) -> Result<&str, String> {
    let value = value.trim();
    if value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']) {
        return Err("it is in quotes, which are not part of it".to_owned());
    }
    if value.contains(['\r', '\n']) {
        return Err("it contains a line break".to_owned());
    }
    Ok(value)
}

fn parse_port(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err("the port is not a number from 1 to 65535".to_owned()),
    }
}

/// Checks a host: an IPv4 address, an IPv6 address in brackets, or a name of letters, digits,
/// hyphens and underscores (RFC 1123, section 2.1, and what certificates and resolvers take
/// besides), with or without a dot at its end.
fn check_host(host: &str) -> Result<(), String> {
    if let Some(address) = in_brackets(host) {
        return match address.parse::<Ipv6Addr>() {
            Ok(_) => Ok(()),
            Err(_) => Err("the host in brackets is not an IPv6 address".to_owned()),
        };
    }
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let name = without_dot(host);
    let labels_are_valid = name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    if name.len() > 253 || !labels_are_valid {
        return Err("not a valid host name".to_owned());
    }
    // A name can't end in a number (RFC 3696, section 2), so this must be a malformed IPv4 address.
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.bytes().all(|byte| byte.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_err() {
        return Err("not a valid IPv4 address".to_owned());
    }
    Ok(())
}
