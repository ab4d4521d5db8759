//! The command line and the environment, parsed into what to do.
//!
//! What comes out is right by construction: a wrong ID, URL, proxy or duration can't become an
//! [`Args`]. Parsing touches nothing but its two inputs. A value that may be a token in the wrong
//! place is not repeated by a message, or only its beginning.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::Arg;

use crate::endpoint::{Endpoint, Scheme};
use crate::error::Error;
use crate::printable::{self, escape};
use crate::proxy::Proxy;
use crate::token::{self, Token, TokenSource};

pub const HELP: &str = "\
Downloads the log package (a ZIP archive) of a CodeArts Check subtask.

Usage: codearts-check-log [OPTIONS] SUB_JOB_ID

The package is at the output path, whole and durable, or the file that was
there is untouched and the exit code says why.

Options:
  -r, --region REGION        the region of the task [env: HUAWEICLOUD_REGION]
  -e, --endpoint URL         HOST, HOST:PORT or https://HOST[:PORT]; wins over
                             the region [env: CODEARTS_CHECK_ENDPOINT]
  -t, --token-file FILE      read the token from FILE, '-' for standard input
                             [default: the token in HUAWEICLOUD_TOKEN]
  -o, --output PATH          a file, or an existing folder
                             [default: ./SUB_JOB_ID.zip]
      --no-verify            keep the body even where it is no complete ZIP
      --cacert FILE          trust the certificates in FILE (PEM) instead of the
                             built-in roots [env: SSL_CERT_FILE]
      --connect-timeout SECONDS
                             for connection and TLS handshake [default: 10]
      --timeout SECONDS      for one silence of the server [default: 60]
      --max-time SECONDS     for the whole run, 0 for no limit [default: 3600]
  -q, --quiet                no progress, errors only
  -v, --verbose              report the request, the answer and the result
  -h, --help                 print this help
  -V, --version              print the version

Proxies: https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, no_proxy, NO_PROXY.

Exit codes:
   0  the package is there
   1  this machine: a file can't be read, or the output can't be written
   2  usage: the command line, the environment, or a token, ID or endpoint
   3  a status that is neither 200 nor 4xx or 5xx
   4  another 4xx (403, 404, ...)
   5  408, 429 or 5xx: try again later
   6  network: lookup, connection, TLS, silence, --max-time: try again
   7  200, but no complete ZIP archive: try again
   8  the server's certificate is not trusted
  40  400: check the subtask ID
  41  401: get a new token
";

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_MAX_TIME: Duration = Duration::from_secs(3600);

/// The bounds of every time on the command line: a millisecond is the resolution of ureq's
/// connect timeout, and a year is far from where adding to a clock overflows.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the command line asks for.
pub enum Command {
    Help,
    Version,
    Download(Box<Args>),
}

/// One download.
pub struct Args {
    pub sub_job_id: SubJobId,
    pub endpoint: Endpoint,
    pub proxy: Option<Proxy>,
    pub token: TokenSource,
    pub output: PathBuf,
    pub verify: bool,
    pub cacert: Option<PathBuf>,
    pub limits: Limits,
    pub verbosity: Verbosity,
}

impl Args {
    /// The URL of the call (API reference, "Downloading Log Files").
    pub fn url(&self) -> String {
        format!(
            "{}/v1/log-file?sub_job_id={}",
            self.endpoint, self.sub_job_id
        )
    }

    /// The call as a message names it.
    pub fn call(&self) -> String {
        let url = self.url();
        match &self.proxy {
            Some(proxy) => format!("GET {url} through the proxy {proxy}"),
            None => format!("GET {url}"),
        }
    }
}

/// How long the run may wait.
#[derive(Clone, Copy)]
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
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// The ID of one subtask: 32 ASCII letters or digits (API reference, `sub_job_id`), and so safe
/// in a URL and in a file name.
pub struct SubJobId(String);

impl SubJobId {
    const LENGTH: usize = 32;

    fn parse(text: &OsStr) -> Result<Self, String> {
        let text = text.to_string_lossy();
        let length = text.chars().count();
        if length != Self::LENGTH {
            return Err(format!(
                "SUB_JOB_ID has {} letters and digits, this one has {length} characters",
                Self::LENGTH
            ));
        }
        match text.chars().position(|c| !c.is_ascii_alphanumeric()) {
            None => Ok(Self(text.into_owned())),
            Some(at) => Err(format!(
                "SUB_JOB_ID is made of ASCII letters and digits, its character {} is neither",
                at + 1
            )),
        }
    }
}

impl fmt::Display for SubJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the command line says, option by option, before defaults and the environment count.
#[derive(Default)]
struct Given {
    sub_job_id: Option<OsString>,
    region: Option<OsString>,
    endpoint: Option<OsString>,
    token_file: Option<OsString>,
    output: Option<OsString>,
    cacert: Option<OsString>,
    connect_timeout: Option<OsString>,
    timeout: Option<OsString>,
    max_time: Option<OsString>,
    no_verify: bool,
    quiet: bool,
    verbose: bool,
}

/// Parses the arguments (without the program's name) and the environment that `env` looks up.
pub fn parse(
    arguments: Vec<OsString>,
    env: &dyn Fn(&'static str) -> Option<OsString>,
) -> Result<Command, Error> {
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        let (option, slot) = match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Short('q') | Arg::Long("quiet") => {
                given.quiet = true;
                continue;
            }
            Arg::Short('v') | Arg::Long("verbose") => {
                given.verbose = true;
                continue;
            }
            Arg::Long("no-verify") => {
                given.no_verify = true;
                continue;
            }
            Arg::Value(value) => {
                if given.sub_job_id.replace(value).is_some() {
                    return Err(Error::Usage("there is more than one SUB_JOB_ID".to_owned()));
                }
                continue;
            }
            Arg::Short('r') | Arg::Long("region") => ("--region", &mut given.region),
            Arg::Short('e') | Arg::Long("endpoint") => ("--endpoint", &mut given.endpoint),
            Arg::Short('t') | Arg::Long("token-file") => ("--token-file", &mut given.token_file),
            Arg::Short('o') | Arg::Long("output") => ("--output", &mut given.output),
            Arg::Long("cacert") => ("--cacert", &mut given.cacert),
            Arg::Long("connect-timeout") => ("--connect-timeout", &mut given.connect_timeout),
            Arg::Long("timeout") => ("--timeout", &mut given.timeout),
            Arg::Long("max-time") => ("--max-time", &mut given.max_time),
            other => return Err(usage(other.unexpected())),
        };
        if slot.replace(parser.value().map_err(usage)?).is_some() {
            return Err(Error::Usage(format!("{option} is given more than once")));
        }
    }
    given
        .resolve(&|name| env(name).filter(|value| !value.is_empty()))
        .map(|args| Command::Download(Box::new(args)))
}

impl Given {
    /// Fills in the environment and the defaults, and checks every value.
    fn resolve(self, env: &dyn Fn(&'static str) -> Option<OsString>) -> Result<Args, Error> {
        let Some(sub_job_id) = self.sub_job_id else {
            return Err(Error::Usage("SUB_JOB_ID is missing".to_owned()));
        };
        let sub_job_id = SubJobId::parse(&sub_job_id).map_err(Error::Usage)?;
        if self.quiet && self.verbose {
            return Err(Error::Usage(
                "--quiet and --verbose exclude each other".to_owned(),
            ));
        }
        let endpoint = resolve_endpoint(self.endpoint, self.region, env)?;
        let proxy = match endpoint.scheme {
            Scheme::Https => Proxy::for_host(&endpoint.authority.host, env),
            Scheme::Http => Ok(None),
        }
        .map_err(Error::Usage)?;
        let token = match self.token_file {
            Some(file) if file == "-" => TokenSource::StandardInput,
            Some(file) => TokenSource::File(path("--token-file", file)?),
            None => match env(token::VARIABLE) {
                Some(text) => {
                    TokenSource::Variable(Token::parse(text.as_bytes(), token::VARIABLE)?)
                }
                None => {
                    return Err(Error::Usage(format!(
                        "there is no token: set {} or give --token-file",
                        token::VARIABLE
                    )));
                }
            },
        };
        let output = match self.output {
            Some(output) => path("--output", output)?,
            None => PathBuf::from(format!("./{sub_job_id}.zip")),
        };
        let cacert = match self.cacert {
            Some(file) => Some(path("--cacert", file)?),
            None => env("SSL_CERT_FILE").map(PathBuf::from),
        };
        let limits = Limits {
            connect: seconds("--connect-timeout", self.connect_timeout)?
                .unwrap_or(DEFAULT_CONNECT_TIMEOUT),
            silence: seconds("--timeout", self.timeout)?.unwrap_or(DEFAULT_TIMEOUT),
            run: match self.max_time {
                Some(zero) if is_zero(&zero) => None,
                given => Some(seconds("--max-time", given)?.unwrap_or(DEFAULT_MAX_TIME)),
            },
        };
        Ok(Args {
            sub_job_id,
            endpoint,
            proxy,
            token,
            output,
            verify: !self.no_verify,
            cacert,
            limits,
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
        })
    }
}

/// An endpoint wins over a region, wherever each of the two comes from.
fn resolve_endpoint(
    endpoint: Option<OsString>,
    region: Option<OsString>,
    env: &dyn Fn(&'static str) -> Option<OsString>,
) -> Result<Endpoint, Error> {
    let given = |value: Option<OsString>, option: &'static str, variable: &'static str| match value
    {
        Some(value) => Some((value, option)),
        None => env(variable).map(|value| (value, variable)),
    };
    let (parsed, source) =
        if let Some((url, source)) = given(endpoint, "--endpoint", "CODEARTS_CHECK_ENDPOINT") {
            (Endpoint::parse(&url.to_string_lossy()), source)
        } else if let Some((region, source)) = given(region, "--region", "HUAWEICLOUD_REGION") {
            (Endpoint::of_region(&region.to_string_lossy()), source)
        } else {
            return Err(Error::Usage(
                "there is no endpoint: give --region (or HUAWEICLOUD_REGION) \
                 or --endpoint (or CODEARTS_CHECK_ENDPOINT)"
                    .to_owned(),
            ));
        };
    parsed.map_err(|reason| Error::Usage(format!("{source}: {reason}")))
}

/// A path from the command line. One that begins with a hyphen is more likely an option whose
/// predecessor lacks its value, and `-` is no file.
fn path(option: &str, value: OsString) -> Result<PathBuf, Error> {
    match value.as_bytes().first() {
        None => Err(Error::Usage(format!("{option}: the path is empty"))),
        Some(b'-') => Err(Error::Usage(format!(
            "{option}: a path that begins with '-' looks like an option: put ./ before it"
        ))),
        Some(_) => Ok(PathBuf::from(value)),
    }
}

/// Parses a decimal number of seconds, such as `5`, `0.5` or `.5`.
fn seconds(option: &str, value: Option<OsString>) -> Result<Option<Duration>, Error> {
    let Some(value) = value else { return Ok(None) };
    let time = decimal(&value).and_then(|number| Duration::try_from_secs_f64(number).ok());
    match time {
        Some(time) if (SHORTEST..=LONGEST).contains(&time) => Ok(Some(time)),
        _ => Err(Error::Usage(format!(
            "{option}: this is no number of seconds from {} to {}",
            SHORTEST.as_secs_f64(),
            LONGEST.as_secs()
        ))),
    }
}

fn is_zero(value: &OsStr) -> bool {
    decimal(value) == Some(0.0)
}

/// Digits with at most one point: no sign, exponent, infinity or NaN, which `f64` would take too.
fn decimal(value: &OsStr) -> Option<f64> {
    let text = value.to_str()?;
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// lexopt's errors, without the values that its own sentences repeat.
fn usage(error: lexopt::Error) -> Error {
    Error::Usage(match error {
        lexopt::Error::MissingValue { option } => {
            format!("{} needs a value", option.as_deref().unwrap_or("an option"))
        }
        lexopt::Error::UnexpectedOption(option) => {
            format!(
                "unknown option '{}'",
                escape(&option, printable::HINT_OF_A_VALUE)
            )
        }
        lexopt::Error::UnexpectedValue { option, .. } => {
            format!("{option} takes no value")
        }
        // The parser gives none of these: values are taken raw and parsed here.
        lexopt::Error::UnexpectedArgument(_)
        | lexopt::Error::ParsingFailed { .. }
        | lexopt::Error::NonUnicodeValue(_)
        | lexopt::Error::Custom(_) => "an argument can't be used".to_owned(),
    })
}
