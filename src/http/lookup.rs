//! A name's addresses.

use std::io;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::system::process;

/// Looks names up on this thread. ureq's own resolver starts a second one where a timeout is set,
/// and for a proxy's name one always is; `--max-time` ends a lookup by other means (see `system`).
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
            // The C library's words come behind std's.
            let error = error.to_string();
            let reason = error.rsplit(": ").next().unwrap_or_default();
            let host = uri.host().unwrap_or_default();
            let proxy = match config.proxy() {
                Some(_) => "",
                None => " (without a proxy: https_proxy names none, or no_proxy exempts the host)",
            };
            io::Error::other(format!("cannot look up {host}: {reason}{proxy}")).into()
        })
    }
}
