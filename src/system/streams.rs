//! The standard streams, as far as std does not see to them.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Writes to standard error, a line or more at once, so that the lines of runs at once don't mix. There
/// is nobody to tell that it can't be written; and where nobody takes it for a second, the run goes on.
pub fn write_to_standard_error(text: &str) {
    const PATIENCE: Duration = Duration::from_secs(1);
    /// As much as a pipe takes whole once it takes anything, in bytes (`PIPE_BUF`, pipe(7)).
    const WHOLE: usize = 4096;
    static IS_STUCK: AtomicBool = AtomicBool::new(false);
    for piece in text.as_bytes().chunks(WHOLE) {
        if IS_STUCK.load(Ordering::Relaxed) {
            return;
        }
        if wait_for_standard_error(PATIENCE) {
            let _ = io::stderr().write_all(piece);
        } else {
            IS_STUCK.store(true, Ordering::Relaxed);
        }
    }
}

/// Waits until standard error takes something, for at most `time`, and tells whether it does. A file
/// or a terminal always does; a pipe that nobody empties never.
pub fn wait_for_standard_error(time: Duration) -> bool {
    let mut stderr = libc::pollfd {
        fd: libc::STDERR_FILENO,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: the pointer is to a local.
    unsafe { libc::poll(&raw mut stderr, 1, time.as_millis() as i32) == 1 }
}

/// Whether standard output can be written to. Where it was closed from the start, std opens /dev/null
/// in its place, and where it can only be read, std passes over the error; what goes there would be
/// missed by nobody.
pub fn check_standard_output() -> io::Result<()> {
    if STDOUT_IS_DEAF.load(Ordering::Relaxed) {
        Err(io::Error::from_raw_os_error(libc::EBADF))
    } else {
        Ok(())
    }
}

static STDOUT_IS_DEAF: AtomicBool = AtomicBool::new(false);

/// Called before main, and before std opens anything (ELF's `DT_INIT_ARRAY`).
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_STDOUT: extern "C" fn() = look_at_stdout;

extern "C" fn look_at_stdout() {
    // SAFETY: the command takes and returns plain integers.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
    let is_deaf = flags == -1 || flags & libc::O_ACCMODE == libc::O_RDONLY;
    STDOUT_IS_DEAF.store(is_deaf, Ordering::Relaxed);
}
