//! The exit codes, which scripts rely on.
//!
//! Once released, a number never changes its meaning and is never used again for another.
//! `http/refusal.rs` has the exit code of each status and of each error of the service.

use std::process::ExitCode;

/// A failed run's exit code. Success is 0 and has no entry here.
#[derive(Clone, Copy)]
pub enum Exit {
    /// Local error: a file can't be read, or the output can't be written.
    Local = 1,
    /// An invalid command line, variable, credential, ID or endpoint.
    Usage = 2,
    /// A status that is neither 200 nor 4xx or 5xx.
    UnexpectedStatus = 3,
    /// Another 4xx, or a task or an execution with nothing to list.
    Refused = 4,
    /// 408, 429 or 5xx, or an execution that has not ended: the same call may succeed later.
    TryLater = 5,
    /// No whole HTTP answer: lookup, connection, TLS, silence, `--max-time`, malformed HTTP.
    Network = 6,
    /// 200, but not what was asked for.
    UnexpectedBody = 7,
    /// The server's certificate is not trusted.
    Untrusted = 8,
    /// 400: an ID is wrong.
    BadRequest = 40,
    /// 401: the token or the access key is wrong, or has expired.
    Unauthorized = 41,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
