//! Every way in which a run can fail: its sentence, its hint and its exit code.
//!
//! The exit codes are the interface that scripts rest on. Once released, a number never changes
//! its meaning and is never used again for another.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::printable::escape;

/// The hint for a proxy's 407, be it the answer to the call or to the tunnel before it.
pub const PROXY_LOGIN_HINT: &str =
    "the proxy wants a user and a password: https_proxy=http://USER:PASSWORD@HOST:PORT";

/// A failed run's exit code. Success is 0 and has no entry here.
#[derive(Clone, Copy)]
pub enum Exit {
    /// This machine: a file can't be read, the output can't be written.
    Local = 1,
    /// The command line or the environment can't be right.
    Usage = 2,
    /// A status that is neither 200 nor 4xx or 5xx.
    UnexpectedStatus = 3,
    /// A 4xx that has no code of its own.
    Refused = 4,
    /// 408, 429 or 5xx: the same call may succeed later.
    TryLater = 5,
    /// No whole HTTP answer: lookup, connection, TLS, silence, `--max-time`, malformed HTTP.
    Network = 6,
    /// 200, but the body is no complete ZIP archive.
    NotPackage = 7,
    /// The server's certificate is not trusted.
    Untrusted = 8,
    /// 400: the subtask ID is wrong.
    BadRequest = 40,
    /// 401: the token is wrong or has expired.
    Unauthorized = 41,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a run failed. Its `Display` is the one line that the user reads.
pub enum Error {
    /// The command line, the environment, or a value in them can't be right.
    Usage(String),
    /// This machine would not do `action` (a verb and its preposition) to `path`.
    Local {
        action: &'static str,
        path: PathBuf,
        reason: String,
    },
    /// The server answered, but not with 200.
    Status(Refusal),
    /// No whole answer came to `call` (see [`Args::call`](crate::args::Args::call)).
    Network {
        call: String,
        reason: String,
        hint: Option<&'static str>,
    },
    /// The server, or the proxy on the way to it, has a certificate that is not trusted.
    Untrusted {
        call: String,
        reason: String,
        hint: Option<&'static str>,
    },
    /// The body of a 200 is no complete package.
    NotPackage { reason: String },
}

/// An answer that brings no package.
pub struct Refusal {
    pub status: u16,
    /// The status with the standard's phrase for it, if it has one.
    pub title: String,
    /// What the server said, ready to print; empty where it said nothing.
    pub said: String,
    /// The request ID and the like, in parentheses behind a space; empty where there is none.
    pub notes: String,
}

impl Error {
    /// A failure of this machine: `action` on `path` gave `reason`.
    pub fn local(action: &'static str, path: &Path, reason: impl fmt::Display) -> Self {
        Error::Local {
            action,
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Usage(_) => Exit::Usage,
            Error::Local { .. } => Exit::Local,
            Error::Status(refusal) => refusal.exit(),
            Error::Network { .. } => Exit::Network,
            Error::Untrusted { .. } => Exit::Untrusted,
            Error::NotPackage { .. } => Exit::NotPackage,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Usage(_) => Some("'codearts-check-log --help' lists the options"),
            Error::Local { .. } | Error::NotPackage { .. } => None,
            Error::Status(refusal) => refusal.hint(),
            Error::Network { hint, .. } | Error::Untrusted { hint, .. } => *hint,
        }
    }
}

impl Refusal {
    fn exit(&self) -> Exit {
        match self.status {
            400 => Exit::BadRequest,
            401 => Exit::Unauthorized,
            408 | 429 | 500..=599 => Exit::TryLater,
            402..=499 => Exit::Refused,
            _ => Exit::UnexpectedStatus,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self.status {
            301..=303 | 307 | 308 => {
                Some("redirects are not followed: check --region or --endpoint")
            }
            400 => Some("check the subtask ID: every subtask of an execution has its own"),
            401 => Some("get a new token: a token lasts 24 hours"),
            403 => Some("an IAM user needs the permission codeartscheck:task:get"),
            404 => Some("check the endpoint: --region or --endpoint"),
            407 => Some(PROXY_LOGIN_HINT),
            429 => Some("the service limits the calls: try again later, and less often"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(reason) => f.write_str(reason),
            Error::Local {
                action,
                path,
                reason,
            } => write!(f, "cannot {action} {}: {reason}", display_path(path)),
            Error::Status(refusal) => refusal.fmt(f),
            Error::Network { call, reason, .. } => write!(f, "{call}: {reason}"),
            Error::Untrusted { call, reason, .. } => {
                write!(
                    f,
                    "{call}: the server's certificate is not trusted: {reason}"
                )
            }
            Error::NotPackage { reason } => {
                write!(
                    f,
                    "the server answered 200, but sent no complete ZIP archive: {reason}"
                )
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}", self.title)?;
        if !self.said.is_empty() {
            write!(f, ": {}", self.said)?;
        }
        f.write_str(&self.notes)
    }
}

/// A path as a message shows it: escaped, and as long as Linux lets a path be (`PATH_MAX`).
pub fn display_path(path: &Path) -> String {
    escape(&path.to_string_lossy(), 4096)
}
