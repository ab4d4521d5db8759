//! What the program needs of the operating system and std does not offer: every system call that
//! takes `unsafe`, in one place, each with a portable stand-in for systems other than Linux.
//!
//! `--cfg portable` builds the stand-ins on Linux too, so that they can be tried there.

#[cfg(all(target_os = "linux", not(portable)))]
// Numbers of microseconds and nanoseconds, and names of requests, fit anywhere.
#[allow(unsafe_code, clippy::cast_possible_wrap)]
mod linux;
#[cfg(not(all(target_os = "linux", not(portable))))]
#[allow(clippy::unnecessary_wraps, clippy::unused_self)] // their twins can fail, and look
mod portable;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[cfg(all(target_os = "linux", not(portable)))]
pub use linux::*;
#[cfg(not(all(target_os = "linux", not(portable))))]
pub use portable::*;

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
