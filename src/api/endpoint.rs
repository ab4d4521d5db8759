//! Where the service is: the regions' endpoints, and the rules for one given by hand.

use std::fmt;

use crate::api::authority::{Authority, trim, without_dot};
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

/// The same hosts under `.cn`, for two regions (the Chinese "Before You Start").
const TWINS: [&str; 2] = [
    "codearts-check.cn-north-4.myhuaweicloud.cn",
    "codearts-check.cn-south-1.myhuaweicloud.cn",
];

/// A server to call.
pub struct Endpoint {
    /// False only for a loopback address: anywhere else, the credentials would be readable on the
    /// way.
    pub is_https: bool,
    pub authority: Authority,
    region: Option<Region>,
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

    /// For messages: the URL, plus the region if it was given by region.
    pub fn name(&self) -> String {
        match self.region {
            Some((region, ..)) => format!("{self} (region {region})"),
            None => self.to_string(),
        }
    }

    /// The SDK's host for the region, if it differs.
    pub fn other_host(&self) -> Option<String> {
        let (region, _, differs) = self.region?;
        differs.then(|| format!("codearts-check.{region}.myhuaweicloud.com"))
    }

    /// Whether this is the host of a region, however it was given.
    pub fn is_region_host(&self) -> bool {
        let host = without_dot(&self.authority.host);
        REGIONS.iter().any(|(_, of_region, _)| *of_region == host)
    }

    /// The other host that the Chinese reference has for the same service, if there is one.
    pub fn twin(&self) -> Option<&'static str> {
        let host = without_dot(&self.authority.host);
        TWINS
            .into_iter()
            .find(|twin| host.strip_suffix(".com") == twin.strip_suffix(".cn"))
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
