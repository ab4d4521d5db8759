//! Every way in which a run can fail: its sentence, its hint and its exit code.

use std::borrow::Cow;
use std::fmt;

use crate::report::escape::TEXT_LIMIT;
use crate::report::exit::Exit;
use crate::report::redact::Redacted;

/// Characters that each of a server's short texts (a request ID, a date) may take in a message.
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
    /// A variable, or what it or a file says of the credentials, is invalid.
    Settings { reason: String, hint: Hint },
    /// This machine would not do `action` (a verb and its preposition) to `object`.
    Local {
        action: &'static str,
        object: String,
        reason: String,
        hint: Hint,
    },
    /// The package is there, but a power cut may undo it.
    Unsynced { file: String, reason: String },
    /// The server, or the proxy that was to lead to it, answered, but not with 200.
    Refused(Box<Refusal>),
    /// No whole answer came to `call`.
    Network {
        call: String,
        reason: String,
        hint: Hint,
    },
    /// The server, or the proxy on the way to it, has a certificate that is not trusted.
    Untrusted {
        call: String,
        reason: String,
        hint: Hint,
    },
    /// The body of a 200 from `by` is not what was `wanted`. An error in it has the exit code of its meaning.
    UnexpectedBody {
        by: String,
        wanted: &'static str,
        reason: String,
        hint: Hint,
        exit: Exit,
    },
    /// The execution's logs are not complete yet; `status` is the service's word for it.
    StillRunning { status: Redacted },
}

/// An answer other than 200.
pub struct Refusal {
    /// Who answered.
    pub by: String,
    pub status: u16,
    pub exit: Exit,
    /// The standard's phrase for the status, if it has one.
    pub phrase: Option<&'static str>,
    /// Whose credentials were refused: "the token in …".
    pub caller: Option<String>,
    /// What the server said; empty where it said nothing.
    pub said: Redacted,
    /// At most three short texts of the server's, each with what it is.
    pub notes: Vec<(&'static str, Redacted)>,
    pub hint: Hint,
}

/// A failed run, as `main` tells of it.
pub struct Failure {
    /// The ID that the run was about, once it is known.
    pub subject: Option<String>,
    pub error: Error,
}

impl Error {
    /// A failure of this machine: `action` on `object` gave `reason`.
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

    /// A variable, or what a file says of the credentials, is invalid.
    pub fn settings(reason: impl Into<String>, hint: Option<&'static str>) -> Self {
        Error::Settings {
            reason: reason.into(),
            hint: hint.map(Cow::from),
        }
    }

    /// Two things on the command line that can't both be meant.
    pub fn not_together(one: &str, other: &str) -> Self {
        Error::Usage(format!("{one} and {other} can't be used together"))
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Usage(_) | Error::Settings { .. } => Exit::Usage,
            Error::Local { .. } | Error::Unsynced { .. } => Exit::Local,
            Error::Refused(refusal) => refusal.exit,
            Error::Network { .. } => Exit::Network,
            Error::Untrusted { .. } => Exit::Untrusted,
            Error::UnexpectedBody { exit, .. } => *exit,
            Error::StillRunning { .. } => Exit::TryLater,
        }
    }

    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Usage(_) => Some("'codearts-check-log --help' lists the options"),
            Error::Unsynced { .. } => None,
            Error::Refused(refusal) => refusal.hint.as_deref(),
            Error::Settings { hint, .. }
            | Error::Local { hint, .. }
            | Error::Network { hint, .. }
            | Error::Untrusted { hint, .. }
            | Error::UnexpectedBody { hint, .. } => hint.as_deref(),
            Error::StillRunning { .. } => Some("its logs are not complete yet: try again later"),
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
            Error::Unsynced { file, reason } => {
                write!(f, "saved {file}, but could not sync its folder: {reason}")
            }
            Error::Refused(refusal) => refusal.fmt(f),
            Error::Network { call, reason, .. } => write!(f, "{call}: {reason}"),
            Error::Untrusted { call, reason, .. } => {
                write!(
                    f,
                    "{call}: the server's certificate is not trusted: {reason}"
                )
            }
            Error::UnexpectedBody {
                by, wanted, reason, ..
            } => {
                write!(
                    f,
                    "{by} answered 200, but the body is not {wanted}: {reason}"
                )
            }
            Error::StillRunning { status } => {
                write!(f, "the execution has not finished (status \"{status}\")")
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.by, self.status)?;
        if let Some(phrase) = self.phrase {
            write!(f, " {phrase}")?;
        }
        if let Some(caller) = &self.caller {
            write!(f, " with {caller}")?;
        }
        let notes = self.notes.iter();
        let notes = notes.map(|(name, value)| format!("{name} {value:.FIELD_LIMIT$}"));
        let notes: Vec<String> = notes.collect();
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" ({})", notes.join(", "))
        };
        if !self.said.is_empty() {
            // The short texts leave enough room for the long one.
            let room = TEXT_LIMIT - notes.chars().count();
            write!(f, ": {:.room$}", self.said)?;
        }
        f.write_str(&notes)
    }
}
