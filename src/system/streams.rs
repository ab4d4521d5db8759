//! The standard streams, as far as std does not see to them.

use std::io::{self, Write};

/// Writes to standard error, a line or more at once, so that the lines of runs at once don't mix. If it
/// can't be written, there is no other place to say so.
pub fn write_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether standard error takes something now. A file or a terminal always does; a pipe that is full
/// does not.
pub(super) fn stderr_is_ready() -> bool {
    let mut stderr = libc::pollfd {
        fd: libc::STDERR_FILENO,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: the pointer is to a local, and the call is async-signal-safe.
    unsafe { libc::poll(&raw mut stderr, 1, 0) == 1 }
}
