//! The exit codes, which scripts rely on.
//!
//! Once released, a number never changes its meaning and is never used again for another. An error
//! in a 200 ends as the status that means the same.

use std::process::ExitCode;

/// A failed run's exit code. Success is 0 and has no entry here.
#[derive(Clone, Copy)]
pub enum Exit {
    /// This machine: a file can't be read, the output can't be written.
    Local = 1,
    /// An invalid command line, variable, credential, ID or endpoint.
    Usage = 2,
    /// A status that is neither 200 nor 4xx or 5xx.
    UnexpectedStatus = 3,
    /// A 4xx that has no code of its own.
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

impl Exit {
    /// What a status other than 200 ends in, or an error in a 200 that means the same.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 => Exit::BadRequest,
            401 => Exit::Unauthorized,
            408 | 429 | 500..=599 => Exit::TryLater,
            402..=499 => Exit::Refused,
            _ => Exit::UnexpectedStatus,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
