//! The standard streams, where std is not enough.

use std::ffi::{c_int, c_short};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};

/// Reads to the end of a stream, or `limit` bytes. Waits even if the stream is in non-blocking mode, as
/// some parents leave it.
pub fn read(stream: &File, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    when_ready(stream, libc::POLLIN, |stream| {
        let rest = (limit - bytes.len()) as u64;
        stream.take(rest).read_to_end(&mut bytes)
    })?;
    Ok(bytes)
}

/// Writes all of `text` to a standard stream, and waits in the same way.
pub fn write(stream: &impl AsFd, text: &str) -> io::Result<()> {
    let stream = File::from(stream.as_fd().try_clone_to_owned()?);
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let written = when_ready(&stream, libc::POLLOUT, |mut stream| stream.write(rest))?;
        rest = &rest[written..];
    }
    Ok(())
}

/// Writes to standard error, a line or more at once, so that the lines of concurrent runs do not mix. If it
/// can't be written, there is no other place to say so.
pub fn write_stderr(text: &str) {
    let _ = write(&io::stderr(), text);
}

/// Whether standard error takes something now. A file or a terminal always does; a pipe that is full
/// does not.
pub(super) fn stderr_is_ready() -> bool {
    poll(libc::STDERR_FILENO, libc::POLLOUT, 0)
}

fn when_ready<T>(
    stream: &File,
    event: c_short,
    mut act: impl FnMut(&File) -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match act(stream) {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                poll(stream.as_raw_fd(), event, -1)
            }
            done => return done,
        };
    }
}

/// Waits for an event, for at most `timeout` milliseconds, and tells whether it came.
fn poll(fd: c_int, events: c_short, timeout: c_int) -> bool {
    let revents = 0;
    let mut stream = libc::pollfd {
        fd,
        events,
        revents,
    };
    // SAFETY: the pointer is to a local, and the call is async-signal-safe.
    unsafe { libc::poll(&raw mut stream, 1, timeout) == 1 }
}
