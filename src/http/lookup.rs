//! The lookup of a name's addresses.

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::http::connect::Unreachable;
use crate::http::quirks::lookup_reason;
use crate::system::process;

/// Looks names up on this thread. ureq's own resolver starts another thread if there is a timeout,
/// which there always is for a proxy's name. `--max-time` ends a lookup by a signal (see
/// `system/deadline.rs`).
#[derive(Debug, Default)]
pub struct BlockingResolver(DefaultResolver);

impl Resolver for BlockingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        process::prepare_lookup();
        let never = NextTimeout::default();
        self.0.resolve(uri, config, never).map_err(|error| {
            let reason = lookup_reason(&error);
            let host = uri.host().unwrap_or_default();
            let proxy = match config.proxy() {
                Some(_) => "",
                None => " (no proxy was used: none is set, or no_proxy exempts the host)",
            };
            Unreachable(format!("cannot look up {host}: {reason}{proxy}")).into()
        })
    }
}
