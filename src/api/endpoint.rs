//! Where the service is: the regions' endpoints, and the rules for one given by hand.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::api::call::Call;
use crate::report::escape::display_name;

/// A region, its endpoint as the API reference's page "Before You Start" has it, and whether the
/// vendor's SDK (3.1.219) has `codearts-check.REGION.myhuaweicloud.com` instead.
type Region = (&'static str, &'static str, bool);

#[rustfmt::skip] // one row per line
const REGIONS: [Region; 10] = [
    ("cn-north-1", "codearts-check.cn-north-4.myhuaweicloud.com", true),
    ("cn-north-4", "codearts-check.cn-north-4.myhuaweicloud.com", false),
    ("cn-south-1", "codearts-check.cn-south-1.myhuaweicloud.com", false),
    ("cn-east-2", "codearts-check.cn-south-1.myhuaweicloud.com", true),
    ("cn-east-3", "codearts-check.cn-south-1.myhuaweicloud.com", true),
    ("cn-southwest-2", "codearts-check.cn-south-1.myhuaweicloud.com", false),
    ("ap-southeast-3", "devcloud.ap-southeast-3.myhuaweicloud.com", true),
    ("la-north-2", "devcloud.la-north-2.myhuaweicloud.com", true),
    ("sa-brazil-1", "devcloud.sa-brazil-1.myhuaweicloud.com", true),
    ("eu-west-101", "check.eu-west-101.myhuaweicloud.eu", false),
];

/// A server to call.
pub struct Endpoint {
    /// False only for a loopback address: anywhere else, the credentials would be readable on the way.
    pub is_https: bool,
    pub authority: Authority,
    region: Option<Region>,
}

/// A host and, where it is not the scheme's own, a port.
pub struct Authority {
    /// A name, an IPv4 address, or an IPv6 address in brackets. A name may end in a dot, which keeps
    /// its lookup from trying it in other domains (resolv.conf(5), `search`).
    pub host: String,
    pub port: Option<u16>,
}

impl Endpoint {
    pub fn of_region(region: &str) -> Result<Self, String> {
        let region = trim(region)?;
        let Some(found) = REGIONS.into_iter().find(|(name, ..)| *name == region) else {
            let known = REGIONS.map(|(name, ..)| name).join(", ");
            return Err(format!(
                "unknown region '{}' (known: {known}); for any other, use --endpoint",
                display_name(region)
            ));
        };
        Ok(Self {
            is_https: true,
            authority: Authority {
                host: found.1.to_owned(),
                port: None,
            },
            region: Some(found),
        })
    }

    /// Parses `host`, `host:port` or `https://host[:port]`, with or without a trailing slash.
    /// The error doesn't repeat the text: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = trim(text)?;
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err("the scheme is not https".to_owned());
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let name = without_dot(rest);
        if REGIONS.iter().any(|(region, ..)| *region == name) {
            return Err(format!(
                "this is a region, not an endpoint: --region {name}"
            ));
        }
        let mut authority = Authority::parse(rest)?;
        authority.port = authority
            .port
            .filter(|port| *port != default_port(is_https));
        if !is_https && !authority.is_loopback() {
            return Err(
                "http:// is only for this host (127.0.0.0/8 and [::1], such as http://127.0.0.1): \
                 the credentials would be readable on the way"
                    .to_owned(),
            );
        }
        Ok(Self {
            is_https,
            authority,
            region: None,
        })
    }

    /// With its region, if that is how it was given: for a message.
    pub fn name(&self) -> String {
        match self.region {
            Some((region, ..)) => format!("{self} (region {region})"),
            None => self.to_string(),
        }
    }

    /// The host that the vendor's SDK has for the region, where it is another.
    pub fn other_host(&self) -> Option<String> {
        let (region, _, differs) = self.region?;
        differs.then(|| format!("codearts-check.{region}.myhuaweicloud.com"))
    }

    /// Host and port.
    pub fn server(&self) -> String {
        let default = default_port(self.is_https);
        let port = self.authority.port.unwrap_or(default);
        format!("{}:{port}", self.authority.host)
    }

    /// The address without the call's query: enough for a message.
    pub fn address(&self, call: &Call) -> String {
        format!("{self}{}", call.path())
    }

    /// The whole URL of a call.
    pub fn url(&self, call: &Call) -> String {
        match call.query() {
            Some(query) => format!("{}?{query}", self.address(call)),
            None => self.address(call),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
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

    /// What the header `Host` says.
    pub fn host_header(&self) -> String {
        let header = self.to_string().replacen(".:", ":", 1);
        without_dot(&header).to_owned()
    }

    fn is_loopback(&self) -> bool {
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

/// A value of an option or a variable without white space around it. `docker run --env-file` keeps
/// quotes around a value, and many an editor breaks a long line.
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

/// A host is an IPv4 address, an IPv6 address in brackets, or a name of letters, digits, hyphens
/// and underscores (RFC 1123, section 2.1, and what certificates and resolvers take besides), with or
/// without a dot at its end.
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
    // A name can't end in a number (RFC 3696, section 2): that is an address gone wrong.
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.bytes().all(|byte| byte.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_err() {
        return Err("not a valid IPv4 address".to_owned());
    }
    Ok(())
}
