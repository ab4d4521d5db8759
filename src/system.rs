//! What the program needs of the operating system and std does not offer: every system call that
//! takes `unsafe`, in one place, each with a portable stand-in for systems other than Linux.
//!
//! `--cfg portable` builds the stand-ins on Linux too, so that they can be tried there.

#[cfg(all(target_os = "linux", not(portable)))]
// A number of microseconds, and a name of an option of fcntl(2), fit anywhere.
#[allow(unsafe_code, clippy::cast_possible_wrap)]
mod linux;
#[cfg(not(all(target_os = "linux", not(portable))))]
#[allow(clippy::unnecessary_wraps)] // their twins can fail
mod portable;

#[cfg(all(target_os = "linux", not(portable)))]
pub use linux::*;
#[cfg(not(all(target_os = "linux", not(portable))))]
pub use portable::*;
