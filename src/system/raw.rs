//! What the others share: results and names in the form of system calls.

use std::ffi::{CString, OsStr, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt;

pub(super) fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(io::Error::other)
}

/// What a system call returned, as a result.
pub(super) fn check(result: c_int) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
