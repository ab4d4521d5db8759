//! Which stream gets what: standard output the requested text, standard error everything else.
//!
//! Unless standard error is a terminal or `--verbose` is given, a successful run prints nothing
//! there, so that cron sends no mail.

use std::io::{self, IsTerminal};

use crate::report::error::Error;
use crate::report::progress::{Progress, erase_sequence};
use crate::system::streams::{write, write_stderr};

/// How much goes to standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Standard error, and how much of the report is shown there.
#[derive(Clone, Copy)]
pub struct Console {
    verbosity: Verbosity,
    is_interactive: bool,
}

impl Console {
    pub fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            is_interactive: verbosity != Verbosity::Quiet && io::stderr().is_terminal(),
        }
    }

    /// A progress line for a package of `total` bytes, or of unknown length; shown on a terminal,
    /// unless `--quiet`.
    pub fn progress(self, label: &str, total: Option<u64>) -> Progress {
        Progress::new(label, total, self.is_interactive)
    }

    /// Shown with `--verbose`, and built only then.
    pub fn detail(self, line: impl FnOnce() -> String) {
        if self.verbosity == Verbosity::Verbose {
            write_stderr_line(&line());
        }
    }

    /// Shown with `--verbose`, and on a terminal unless `--quiet`.
    pub fn result(self, line: &str) {
        if self.is_interactive || self.verbosity == Verbosity::Verbose {
            write_stderr_line(line);
        }
    }

    /// Shown unless `--quiet`.
    pub fn warn(self, line: &str) {
        if self.verbosity != Verbosity::Quiet {
            write_stderr_line(&format!("codearts-check-log: warning: {line}"));
        }
    }
}

/// Prints a line on standard error, after erasing a progress line there: this run's, or another's
/// on the same terminal.
pub fn write_stderr_line(line: &str) {
    write_stderr(&format!("{}{line}\n", erase_sequence()));
}

/// Prints to standard output what a program may read: a closed pipe is an error.
pub fn write_stdout_data(text: &str) -> Result<(), Error> {
    write(&io::stdout(), text).map_err(unwritable)
}

/// Prints to standard output what a person reads: a closed pipe, such as a pager's, is no error.
pub fn write_stdout_text(text: &str) -> Result<(), Error> {
    match write(&io::stdout(), text) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(unwritable),
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::local("write to", "standard output", error)
}
