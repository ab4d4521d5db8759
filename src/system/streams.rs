//! The standard streams, where std is not enough.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

/// Writes all of `text` to a standard stream, by its descriptor: std reports no error if the stream
/// is closed.
pub fn write(stream: &impl AsFd, text: &str) -> io::Result<()> {
    File::from(stream.as_fd().try_clone_to_owned()?).write_all(text.as_bytes())
}

/// Writes to standard error, a line or more at once, so that the lines of concurrent runs do not
/// mix. If it can't be written, there is no other place to say so.
pub fn write_stderr(text: &str) {
    let _ = write(&io::stderr(), text);
}

/// Whether standard error can be written to without waiting. A file or a terminal always can; a
/// full pipe can't. It is async-signal-safe.
pub(super) fn stderr_is_ready() -> bool {
    let mut stream = libc::pollfd {
        fd: libc::STDERR_FILENO,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: the pointer is to a local.
    unsafe { libc::poll(&raw mut stream, 1, 0) == 1 }
}
