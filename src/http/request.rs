//! The request: how ureq is configured, and what is sent.

use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::WithoutBody;
use ureq::{Agent, RequestBuilder};

use crate::api::call::Call;
use crate::api::timestamp::Timestamp;
use crate::auth::credentials::Loaded;
use crate::http::connect::{self, Tunnel};
use crate::http::exchange::{Exchange, MAX_RESPONSE_HEAD, request_line};
use crate::http::lookup::BlockingResolver;
use crate::http::options::Options;
use crate::http::response::Response;
use crate::http::trust::Trust;
use crate::report::console::Console;
use crate::report::error::Error;

/// ureq's buffers for each connection layer, in bytes: the output must hold the longest token's
/// header whole, the input the longest response head.
const BUFFER: usize = 128 << 10;

/// A request that is ready to be sent, with the context for error messages.
pub struct Request {
    builder: RequestBuilder<WithoutBody>,
    /// The call as `--verbose` shows it.
    line: String,
    exchange: Exchange,
}

impl Request {
    /// Prepares the call. It opens no connection.
    pub fn prepare(call: Call, options: Options, loaded: Loaded, trust: Trust) -> Self {
        let tunnel = Tunnel::default();
        let agent = Agent::with_parts(
            config(&options, trust.roots.clone()),
            connect::connector(&tunnel),
            BlockingResolver::default(),
        );
        let url = options.endpoint.url(&call);
        let line = request_line(&options, &url);
        let name = request_line(&options, &options.endpoint.address(&call));
        let host = options.endpoint.authority.host_header();
        let authentication = loaded
            .credentials
            .authenticate(&call, &host, Timestamp::now());
        // The host is signed, so exactly that value is sent instead of ureq's.
        let mut builder = agent.get(&url).header("Host", host);
        for (name, value) in authentication.headers {
            builder = builder.header(name, value.expose());
        }
        let exchange = Exchange {
            call,
            name,
            endpoint: options.endpoint,
            proxy: options.proxy,
            tunnel,
            trust,
            limits: options.limits,
            auth_method: authentication.method,
            token_length: authentication.token_length,
            clocks: None,
            caller: format!("the {} in {}", loaded.kind, loaded.origin),
            secrets: authentication.secrets,
        };
        Self {
            builder,
            line,
            exchange,
        }
    }

    /// Sends the request, and returns the response.
    pub fn send(self, console: Console) -> Result<Response, Error> {
        console.detail(|| self.line);
        let response = match self.builder.call() {
            Ok(response) => Response::new(response, self.exchange),
            Err(error) => return Err(self.exchange.failed(&error)),
        };
        console.detail(|| response.summary());
        Ok(response)
    }
}

fn config(options: &Options, roots: RootCerts) -> Config {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        // Otherwise ureq reads the environment by its own rules.
        .proxy(options.proxy.as_ref().map(|proxy| proxy.ureq.clone()))
        // ureq would carry X-Auth-Token to another host.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // An error status has a body to read.
        .http_status_as_error(false)
        // The package must arrive byte for byte, with the length that the header says.
        .accept_encoding("identity")
        .accept("*/*")
        .user_agent(concat!("codearts-check-log/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(options.limits.connect))
        .timeout_per_read(Some(options.limits.silence))
        .timeout_per_write(Some(options.limits.silence))
        .timeout_global(options.limits.run)
        .max_response_header_size(MAX_RESPONSE_HEAD)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .build()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ureq::tls::RootCerts;

    use super::{Options, config};
    use crate::api::endpoint::Endpoint;
    use crate::http::options::Limits;
    use crate::report::console::Verbosity;

    /// No run over loopback shows this: the kernel accepts the longest head at once, so no write
    /// waits.
    #[test]
    fn a_write_waits_no_longer_than_a_read() {
        let limits = Limits {
            connect: Duration::from_secs(1),
            silence: Duration::from_secs(2),
            run: None,
        };
        let options = Options {
            endpoint: Endpoint::parse("host").unwrap(),
            proxy: None,
            limits,
            verbosity: Verbosity::Normal,
        };
        let config = config(&options, RootCerts::WebPki);
        assert_eq!(config.timeout_per_write(), Some(limits.silence));
        assert_eq!(config.timeout_per_read(), Some(limits.silence));
    }
}
