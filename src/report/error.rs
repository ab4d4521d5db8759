//! Every way in which a run can fail: its sentence, its hint and its exit code.

use std::borrow::Cow;
use std::fmt;

use crate::report::exit::Exit;

/// How many characters of a server's short text (a request ID, a date) a message shows.
pub const FIELD_LIMIT: usize = 100;

/// What the user can do about a failure.
pub type Hint = Option<Cow<'static, str>>;

const EXPANSION_HINT: &str =
    "nothing expands '~' or '$' here, nor in a crontab: write the whole path";
const QUOTES_HINT: &str = "the quotes are part of the path here: leave them out";

/// Why a run failed. Its `Display` is the one line that the user reads.
pub enum Error {
    /// The command line is invalid.
    Usage(String),
    /// A variable is invalid, or the credentials in a variable or a file are.
    Settings { reason: String, hint: Hint },
    /// A local operation failed: "cannot {action} {object}".
    Local {
        action: &'static str,
        object: String,
        reason: String,
        hint: Hint,
    },
    /// The package is there, as `state` says, but a power cut may undo that. `reason` says why its
    /// folder was not synced.
    Unsynced { state: String, reason: String },
    /// An answer came, but not what was asked for. A server's text in `sentence` is masked and
    /// escaped already.
    Refused {
        sentence: String,
        hint: Hint,
        exit: Exit,
    },
    /// `call` got no complete answer.
    Network {
        call: String,
        reason: String,
        hint: Hint,
    },
    /// The server, or the proxy on the way to it, has a certificate that is not trusted.
    Untrusted {
        call: String,
        /// "server" or "proxy"
        role: &'static str,
        reason: String,
        hint: Hint,
    },
}

/// A failed run, as `main` reports it.
pub struct Failure {
    /// The ID that the run was about, once it is known.
    pub subject: Option<String>,
    pub error: Error,
}

impl Error {
    /// A local operation failed: "cannot {action} {object}: {reason}".
    pub fn local(
        action: &'static str,
        object: impl fmt::Display,
        reason: impl fmt::Display,
    ) -> Self {
        let object = object.to_string();
        let hint = match object.chars().next() {
            Some('~' | '$') => Some(EXPANSION_HINT.into()),
            Some('"' | '\'') => Some(QUOTES_HINT.into()),
            _ => None,
        };
        Error::Local {
            action,
            object,
            reason: reason.to_string(),
            hint,
        }
    }

    /// A variable is invalid, or the credentials in a variable or a file are.
    pub fn settings(reason: impl Into<String>, hint: Option<&'static str>) -> Self {
        Error::Settings {
            reason: reason.into(),
            hint: hint.map(Cow::from),
        }
    }

    /// Two arguments on the command line that exclude each other.
    pub fn not_together(one: &str, other: &str) -> Self {
        Error::Usage(format!("{one} and {other} can't be used together"))
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Usage(_) | Error::Settings { .. } => Exit::Usage,
            Error::Local { .. } | Error::Unsynced { .. } => Exit::Local,
            Error::Refused { exit, .. } => *exit,
            Error::Network { .. } => Exit::Network,
            Error::Untrusted { .. } => Exit::Untrusted,
        }
    }

    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Usage(_) => Some("'codearts-check-log --help' lists the options"),
            Error::Unsynced { .. } => None,
            Error::Settings { hint, .. }
            | Error::Local { hint, .. }
            | Error::Refused { hint, .. }
            | Error::Network { hint, .. }
            | Error::Untrusted { hint, .. } => hint.as_deref(),
        }
    }

    pub fn about(self, subject: &str) -> Failure {
        Failure {
            subject: Some(subject.to_owned()),
            error: self,
        }
    }
}

impl From<Error> for Failure {
    /// A failure before the subject was known.
    fn from(error: Error) -> Self {
        Failure {
            subject: None,
            error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("codearts-check-log: ")?;
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        self.error.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(reason) | Error::Settings { reason, .. } => f.write_str(reason),
            Error::Local {
                action,
                object,
                reason,
                ..
            } => write!(f, "cannot {action} {object}: {reason}"),
            Error::Unsynced { state, reason } => {
                write!(f, "{state}, but its folder {reason}")
            }
            Error::Refused { sentence, .. } => f.write_str(sentence),
            Error::Network { call, reason, .. } => write!(f, "{call}: {reason}"),
            Error::Untrusted {
                call, role, reason, ..
            } => write!(
                f,
                "{call}: the {role}'s certificate is not trusted: {reason}"
            ),
        }
    }
}
