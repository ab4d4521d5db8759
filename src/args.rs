//! The command line and the environment, parsed into what to do.
//!
//! Every value is checked: a wrong ID, URL, proxy or duration can't become a [`Command`].
//! Parsing touches nothing but its two inputs. A value may be a token in the wrong place, so a
//! message shows at most its beginning.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::Arg;

use crate::api::call::Call;
use crate::api::endpoint::Endpoint;
use crate::api::id::Id;
use crate::auth::credentials::Sources;
use crate::auth::input::Input;
use crate::http::options::{Limits, Options, SHORTEST};
use crate::http::proxy::Proxy;
use crate::report::console::Verbosity;
use crate::report::error::Error;
use crate::report::escape::{SECRET_PREVIEW, display_name, escape};
use crate::report::named_file::NamedFile;

pub const HELP: &str = "\
Downloads the log package (a ZIP archive) of a CodeArts Check subtask, or lists
the subtasks of a task's latest execution.

Usage: codearts-check-log [OPTIONS] SUB_JOB_ID
       codearts-check-log [OPTIONS] --list TASK_ID [--job JOB_ID] [--long]

A run that succeeds leaves a complete, synced package. A run that fails before
that leaves the old file as it was, and the exit code says why.

Options:
      --list TASK_ID         print the IDs of the subtasks, one per line
      --job JOB_ID           with --list: of this execution, not the latest
      --long                 with --list: add status and tool, after tabs
  -o, --output PATH          a file, or an existing folder
                             [default: ./SUB_JOB_ID.zip]
  -n, --no-clobber           skip the download if the file is already a complete
                             package (with --no-verify: if it exists)
      --no-verify            keep the body even if it is not a complete ZIP
  -r, --region REGION        the region of the task [env: HUAWEICLOUD_REGION,
                             HW_REGION_NAME]
  -e, --endpoint URL         HOST, HOST:PORT or https://HOST[:PORT] instead of
                             the region's [env: CODEARTS_CHECK_ENDPOINT]
      --credentials-file FILE
                             read an access key from FILE, '-' for standard
                             input [env: see below]
  -t, --token-file FILE      read a token from FILE, '-' for standard input
      --cacert FILE          trust the certificates in FILE (PEM) instead of the
                             host's [env: SSL_CERT_FILE]
      --connect-timeout SECONDS
                             for connection and TLS handshake [default: 10]
      --timeout SECONDS      give up after this long without data [default: 60]
      --max-time SECONDS     for the whole run, 0 for no limit [default: 3600]
  -q, --quiet                no progress, no warnings, errors only
  -v, --verbose              report the request, the answer and the result
  -h, --help                 print this help
  -V, --version              print the version

Credentials; the first one found is used:
  --token-file or --credentials-file
  HUAWEICLOUD_TOKEN
  HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK [HUAWEICLOUD_SDK_SECURITY_TOKEN]
  the file in HUAWEICLOUD_SDK_CREDENTIALS_FILE, else in HOME:
  .huaweicloud/credentials
  HW_ACCESS_KEY and HW_SECRET_KEY [HW_SECURITY_TOKEN, HW_PROJECT_ID]
A credentials file is a profile ([basic], ak = ..., sk = ...), the console's
credentials.csv, or the JSON of the metadata service.
HUAWEICLOUD_SDK_PROJECT_ID is the project of any access key without one.

Proxies: https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, no_proxy, NO_PROXY.

Exit codes:
   0  done: the package is there, or the list is complete
   1  local error: a file can't be read, or the output not written or synced
   2  usage: an invalid command line, variable, credential, ID or endpoint
   3  any status other than 200, 4xx and 5xx, from server or proxy
   4  another 4xx (403, 404, ...), or a proxy's but 408, 429; or nothing to list
   5  408, 429 or 5xx, or the execution has not ended: try again later
   6  network: lookup, connection, proxy, TLS, silence, --max-time: try again
   7  200, but not what was asked for: try again
   8  the server's or the proxy's certificate is not trusted
  40  400: check the ID, unless the hint says otherwise
  41  401: check the access key and this host's clock, or get a new token
A 200 whose body is a known error exits like the equivalent status.
";

const CA_FILE: &str = "SSL_CERT_FILE";

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_MAX_TIME: Duration = Duration::from_secs(3600);

/// The longest time on the command line: a year, far below what would overflow a clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the command line asks for.
pub enum Command {
    Help,
    Version,
    Download(Call, Download, Inputs, Options),
    /// The call, and whether `--long` was given.
    List(Call, bool, Inputs, Options),
}

/// What is read from files and variables before the call.
pub struct Inputs {
    pub credentials: Sources,
    /// The certificates to trust, if the user names a file of them.
    pub cacert: Option<NamedFile>,
}

/// Where and how a package is saved.
pub struct Download {
    /// A file or a folder.
    pub output: PathBuf,
    /// The file's name in a folder.
    pub default_name: String,
    /// Whether a file at the output is replaced.
    pub clobber: bool,
    pub verify: bool,
}

/// The raw options, before defaults and environment are applied.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // each a flag of the command line
struct Given {
    sub_job_id: Option<OsString>,
    list: Option<OsString>,
    job: Option<OsString>,
    long: bool,
    output: Option<OsString>,
    no_clobber: bool,
    no_verify: bool,
    region: Option<OsString>,
    endpoint: Option<OsString>,
    credentials_file: Option<OsString>,
    token_file: Option<OsString>,
    cacert: Option<OsString>,
    connect_timeout: Option<OsString>,
    timeout: Option<OsString>,
    max_time: Option<OsString>,
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
        let flag = match argument {
            Arg::Short('n') | Arg::Long("no-clobber") => Some(&mut given.no_clobber),
            Arg::Long("no-verify") => Some(&mut given.no_verify),
            Arg::Long("long") => Some(&mut given.long),
            Arg::Short('q') | Arg::Long("quiet") => Some(&mut given.quiet),
            Arg::Short('v') | Arg::Long("verbose") => Some(&mut given.verbose),
            _ => None,
        };
        if let Some(flag) = flag {
            *flag = true;
            continue;
        }
        let (option, slot) = match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Value(value) => {
                if given.sub_job_id.replace(value).is_some() {
                    return Err(Error::Usage("more than one SUB_JOB_ID".to_owned()));
                }
                continue;
            }
            Arg::Long("list") => ("--list", &mut given.list),
            Arg::Long("job") => ("--job", &mut given.job),
            Arg::Short('o') | Arg::Long("output") => ("--output", &mut given.output),
            Arg::Short('r') | Arg::Long("region") => ("--region", &mut given.region),
            Arg::Short('e') | Arg::Long("endpoint") => ("--endpoint", &mut given.endpoint),
            Arg::Long("credentials-file") => ("--credentials-file", &mut given.credentials_file),
            Arg::Short('t') | Arg::Long("token-file") => ("--token-file", &mut given.token_file),
            Arg::Long("cacert") => ("--cacert", &mut given.cacert),
            Arg::Long("connect-timeout") => ("--connect-timeout", &mut given.connect_timeout),
            Arg::Long("timeout") => ("--timeout", &mut given.timeout),
            Arg::Long("max-time") => ("--max-time", &mut given.max_time),
            other => return Err(usage(other.unexpected())),
        };
        if slot.replace(value(&mut parser, option)?).is_some() {
            return Err(Error::Usage(format!("{option} was given more than once")));
        }
    }
    given.resolve(&|name| env(name).filter(|value| !value.is_empty()))
}

/// The value of an option. A value that begins with a hyphen is refused unless it follows an equals
/// sign: it is more likely the next option. `-` alone is standard input.
fn value(parser: &mut lexopt::Parser, option: &str) -> Result<OsString, Error> {
    if let Some(value) = parser.optional_value() {
        return Ok(value);
    }
    let value = parser.value().map_err(usage)?;
    if value.as_bytes().starts_with(b"-") && value != "-" {
        return Err(Error::Usage(format!(
            "{option} needs a value, and the next argument looks like an option: \
             a value that begins with '-' is written as {option}=VALUE"
        )));
    }
    Ok(value)
}

impl Given {
    /// Fills in the environment and the defaults, and checks every value.
    fn resolve(self, env: &dyn Fn(&'static str) -> Option<OsString>) -> Result<Command, Error> {
        if self.quiet && self.verbose {
            return Err(Error::not_together("--quiet", "--verbose"));
        }
        if let Some(task_id) = &self.list {
            let call = self.list(task_id)?;
            let long = self.long;
            let (inputs, options) = self.options(env)?;
            Ok(Command::List(call, long, inputs, options))
        } else {
            let (call, download) = self.download()?;
            let (inputs, options) = self.options(env)?;
            Ok(Command::Download(call, download, inputs, options))
        }
    }

    fn list(&self, task_id: &OsStr) -> Result<Call, Error> {
        for (is_given, what) in [
            (self.sub_job_id.is_some(), "SUB_JOB_ID"),
            (self.output.is_some(), "--output"),
            (self.no_clobber, "--no-clobber"),
            (self.no_verify, "--no-verify"),
        ] {
            if is_given {
                return Err(Error::not_together("--list", what));
            }
        }
        let task_id = id(Id::of_task_or_execution, task_id, "--list: TASK_ID")?;
        let job_id = self.job.as_deref();
        let job_id = job_id.map(|job_id| id(Id::of_task_or_execution, job_id, "--job: JOB_ID"));
        Ok(Call::ShowTask(task_id, job_id.transpose()?))
    }

    fn download(&self) -> Result<(Call, Download), Error> {
        for (is_given, option) in [(self.job.is_some(), "--job"), (self.long, "--long")] {
            if is_given {
                return Err(Error::Usage(format!("{option} is only for --list")));
            }
        }
        let Some(sub_job_id) = &self.sub_job_id else {
            let missing = "SUB_JOB_ID is missing (or --list TASK_ID)";
            return Err(Error::Usage(missing.to_owned()));
        };
        let sub_job_id = id(Id::of_subtask, sub_job_id, "SUB_JOB_ID")?;
        let output = match &self.output {
            Some(output) => path("--output", output)?,
            None => PathBuf::from("."),
        };
        let download = Download {
            output,
            default_name: format!("{}.zip", sub_job_id.as_str()),
            clobber: !self.no_clobber,
            verify: !self.no_verify,
        };
        Ok((Call::DownloadLog(sub_job_id), download))
    }

    fn options(
        self,
        env: &dyn Fn(&'static str) -> Option<OsString>,
    ) -> Result<(Inputs, Options), Error> {
        let endpoint = resolve_endpoint(self.endpoint, self.region, env)?;
        let proxy = if endpoint.is_https {
            let proxy = Proxy::for_host(&endpoint.authority.host, env);
            proxy.map_err(|reason| Error::settings(reason, None))?
        } else {
            None
        };
        let input = |option, value: OsString| match path(option, &value) {
            _ if value == "-" => Ok(Input::StandardInput),
            path => path.map(|path| {
                let variable = None;
                Input::File(NamedFile { path, variable })
            }),
        };
        let token_file = self.token_file.map(|value| input("--token-file", value));
        let credentials_file =
            (self.credentials_file).map(|value| input("--credentials-file", value));
        let credentials =
            Sources::find(token_file.transpose()?, credentials_file.transpose()?, env)?;
        let cacert = match self.cacert {
            Some(file) => Some((path("--cacert", &file)?, None)),
            None => env(CA_FILE).map(|file| (file.into(), Some(CA_FILE))),
        };
        let cacert = cacert.map(|(path, variable)| NamedFile { path, variable });
        let limits = limits(self.connect_timeout, self.timeout, self.max_time)?;
        let inputs = Inputs {
            credentials,
            cacert,
        };
        let options = Options {
            endpoint,
            proxy,
            limits,
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
        };
        Ok((inputs, options))
    }
}

/// Parses an ID; `what` names it for the error.
fn id(parse: fn(&str) -> Result<Id, String>, value: &OsStr, what: &str) -> Result<Id, Error> {
    let text = value.to_string_lossy();
    parse(&text).map_err(|fault| {
        let shown = escape(&text, SECRET_PREVIEW);
        Error::Usage(format!("{what} {fault}: '{shown}'"))
    })
}

/// An endpoint takes precedence over a region, whether set by option or by environment.
fn resolve_endpoint(
    endpoint: Option<OsString>,
    region: Option<OsString>,
    env: &dyn Fn(&'static str) -> Option<OsString>,
) -> Result<Endpoint, Error> {
    let from = |variable| Some((env(variable)?, variable));
    let endpoint =
        (endpoint.map(|url| (url, "--endpoint"))).or_else(|| from("CODEARTS_CHECK_ENDPOINT"));
    let region = (region.map(|region| (region, "--region")))
        .or_else(|| from("HUAWEICLOUD_REGION"))
        .or_else(|| from("HW_REGION_NAME"));
    let (parsed, source) = match (endpoint, region) {
        (Some((url, source)), _) => (Endpoint::parse(&url.to_string_lossy()), source),
        (None, Some((region, source))) => (Endpoint::of_region(&region.to_string_lossy()), source),
        (None, None) => {
            return Err(Error::Usage(
                "no endpoint: give --region (or HUAWEICLOUD_REGION) \
                 or --endpoint (or CODEARTS_CHECK_ENDPOINT)"
                    .to_owned(),
            ));
        }
    };
    parsed.map_err(|reason| match format!("{source}: {reason}") {
        reason if source.starts_with('-') => Error::Usage(reason),
        reason => Error::settings(reason, None),
    })
}

/// Checks a path from the command line.
fn path(option: &str, value: &OsStr) -> Result<PathBuf, Error> {
    let fault = match value.as_bytes() {
        b"" => "the path is empty",
        b"-" => "'-' is not a file: write ./- for a file of that name",
        _ => return Ok(PathBuf::from(value)),
    };
    Err(Error::Usage(format!("{option}: {fault}")))
}

fn limits(
    connect: Option<OsString>,
    silence: Option<OsString>,
    run: Option<OsString>,
) -> Result<Limits, Error> {
    Ok(Limits {
        connect: seconds("--connect-timeout", connect)?.unwrap_or(DEFAULT_CONNECT_TIMEOUT),
        silence: seconds("--timeout", silence)?.unwrap_or(DEFAULT_TIMEOUT),
        run: match run {
            Some(zero) if decimal(&zero) == Some(0.0) => None,
            given => Some(seconds("--max-time", given)?.unwrap_or(DEFAULT_MAX_TIME)),
        },
    })
}

/// Parses a decimal number of seconds, such as `5`, `0.5` or `.5`.
fn seconds(option: &str, value: Option<OsString>) -> Result<Option<Duration>, Error> {
    let Some(value) = value else { return Ok(None) };
    let zero = match option {
        "--max-time" => ", or 0 for no limit",
        _ => "",
    };
    let time = decimal(&value).and_then(|number| Duration::try_from_secs_f64(number).ok());
    match time {
        Some(time) if (SHORTEST..=LONGEST).contains(&time) => Ok(Some(time)),
        _ => Err(Error::Usage(format!(
            "{option} must be a number of seconds from {} to {}{zero}",
            SHORTEST.as_secs_f64(),
            LONGEST.as_secs()
        ))),
    }
}

/// Parses digits with at most one point. `f64` would also accept a sign, an exponent, infinity and
/// NaN.
fn decimal(value: &OsStr) -> Option<f64> {
    let text = value.to_str()?;
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// Rewords lexopt's errors, which would echo the values.
fn usage(error: lexopt::Error) -> Error {
    Error::Usage(match error {
        lexopt::Error::MissingValue { option } => {
            format!("{} needs a value", option.as_deref().unwrap_or("an option"))
        }
        lexopt::Error::UnexpectedOption(option) => {
            format!("unknown option '{}'", display_name(&option))
        }
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
        // lexopt returns no other error here: its own parsing of values is not used.
        _ => "unexpected argument".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::{HELP, parse};

    /// The variables that are looked up by any of a few command lines.
    fn variables() -> BTreeSet<&'static str> {
        let names = RefCell::new(BTreeSet::new());
        for arguments in [
            &["a777ff00d3cf4d369d87066806aexxxx"][..],
            &["-e", "host", "--list", "a"],
        ] {
            let arguments = arguments.iter().map(Into::into).collect();
            let _ = parse(arguments, &|name| {
                names.borrow_mut().insert(name);
                None
            });
        }
        names.into_inner()
    }

    #[test]
    fn the_help_has_every_variable_and_no_other() {
        let variables = variables();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: BTreeSet<&str> = HELP.split(|c| !is_part(c)).collect();
        for variable in &variables {
            assert!(words.contains(variable), "no {variable}");
        }
        for word in words {
            let is_variable = ["HUAWEICLOUD_", "CODEARTS_", "HW_", "SSL_"]
                .iter()
                .any(|start| word.starts_with(start));
            if is_variable || word.to_lowercase().ends_with("_proxy") {
                assert!(variables.contains(word), "{word} is never looked up");
            }
        }
    }
}
