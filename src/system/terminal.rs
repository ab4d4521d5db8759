//! The terminal that standard error may be.

use std::mem;

/// The columns of the terminal on standard error; none if it is not a terminal, or does not report
/// any.
pub fn width() -> Option<usize> {
    // SAFETY: all-zero bytes are a valid size.
    let mut size: libc::winsize = unsafe { mem::zeroed() };
    // SAFETY: the pointer is to a local of the request's type.
    let result = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0).then_some(size.ws_col.into())
}
