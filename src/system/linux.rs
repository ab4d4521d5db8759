//! The system calls, on Linux: each call into libc says why it is sound.

mod access;
pub mod deadline;
mod folder;
mod raw;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

pub use access::{is_own, is_readable_by_others, set_access_list};
pub use folder::{Folder, PinnedFile};
pub use raw::wait_for_standard_error;

/// Opens a file for reading. A FIFO that nobody writes reads as empty instead of blocking the
/// open for ever; one that has a writer is waited for as usual.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    // SAFETY: the descriptor is open, and these commands take and return plain integers.
    let done = unsafe {
        let flags = libc::fcntl(file.as_raw_fd(), libc::F_GETFL);
        flags != -1 && libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK) != -1
    };
    if done {
        Ok(file)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Keeps a name lookup inside a static glibc program. Else it would follow the host's
/// /etc/nsswitch.conf and, for services such as `resolve` and `myhostname`, load that host's C
/// library beside the program's own, which ends in a crash (SIGFPE was seen). The services
/// `files` and `dns` are part of libc itself since glibc 2.34.
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
pub fn prepare_lookup() {
    unsafe extern "C" {
        // <nss.h>: overrides a line of nsswitch.conf for this process.
        fn __nss_configure_lookup(
            database: *const std::ffi::c_char,
            services: *const std::ffi::c_char,
        ) -> std::ffi::c_int;
    }
    // SAFETY: both are NUL-terminated and static; there is no other thread. It fails only for
    // a name that glibc doesn't know, and these it does.
    unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
}

/// Any other C library looks names up by itself.
#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
pub fn prepare_lookup() {}

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

/// Keeps what is in the process's memory, secrets too, out of core dumps and from other processes of
/// the same user (`PR_SET_DUMPABLE`, prctl(2)).
pub fn hide_memory() {
    // SAFETY: the command takes plain integers, and can't fail.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
}

/// Makes a write beyond the file size limit an error (`EFBIG`) instead of the process's end.
pub fn ignore_file_size_signal() {
    // SAFETY: no handler is installed, the signal is only ignored.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}
