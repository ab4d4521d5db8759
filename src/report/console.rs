//! Who hears what: standard output for what was asked for, standard error for everything else.
//!
//! A run that succeeds is silent unless somebody watches or asks, so that cron sends no mail.

use std::io::{self, IsTerminal, Write};

use crate::report::error::Error;
use crate::report::progress::Progress;
use crate::system::streams::{check_standard_output, write_to_standard_error};

/// How much the user wants to hear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Standard error, as far as it is listened to.
#[derive(Clone, Copy)]
pub struct Console {
    verbosity: Verbosity,
    is_watched: bool,
}

impl Console {
    pub fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            is_watched: verbosity != Verbosity::Quiet && io::stderr().is_terminal(),
        }
    }

    /// Whether somebody sees the progress.
    pub fn is_watched(self) -> bool {
        self.is_watched
    }

    /// A progress line for `total` bytes, or for an unknown number of them.
    pub fn progress(self, total: Option<u64>) -> Progress {
        Progress::new(total, self.is_watched)
    }

    /// A line for who asked to hear everything.
    pub fn detail(self, line: &str) {
        if self.verbosity == Verbosity::Verbose {
            write_stderr_line(line);
        }
    }

    /// A line for who asked to hear everything, or watches.
    pub fn result(self, line: &str) {
        if self.is_watched || self.verbosity == Verbosity::Verbose {
            write_stderr_line(line);
        }
    }

    /// A line for everybody but who asked for silence.
    pub fn warn(self, line: &str) {
        if self.verbosity != Verbosity::Quiet {
            write_stderr_line(&format!("codearts-check-log: warning: {line}"));
        }
    }
}

/// Prints a line on standard error.
pub fn write_stderr_line(line: &str) {
    write_to_standard_error(&format!("{line}\n"));
}

/// Prints to standard output what a program may read.
pub fn write_stdout_data(text: &str) -> Result<(), Error> {
    write(text).map_err(unwritable)
}

/// Prints to standard output what a person reads, who may have seen enough before its end.
pub fn write_stdout_text(text: &str) -> Result<(), Error> {
    match write(text) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(unwritable),
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::local("write to", "standard output", error)
}

fn write(text: &str) -> io::Result<()> {
    check_standard_output()?;
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
