//! What is set for the process as a whole.

/// Keeps what is in the process's memory, secrets too, out of core dumps and from other processes
/// of the same user (`PR_SET_DUMPABLE`, prctl(2)).
pub fn hide_memory() {
    // SAFETY: the command takes plain integers, and can't fail.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
}

/// Makes a write beyond the file size limit an error (`EFBIG`) instead of the process's end.
pub fn ignore_file_size_signal() {
    // SAFETY: no handler is installed, the signal is only ignored.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Keeps a name lookup inside a static glibc program. Otherwise it would follow the host's
/// /etc/nsswitch.conf and, for services such as `resolve` and `myhostname`, load that host's C
/// library beside the program's own, which ends in a crash (SIGFPE was seen). The services `files`
/// and `dns` are part of libc itself since glibc 2.34.
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

/// A dynamic program, or one with musl, needs no preparation.
#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
pub fn prepare_lookup() {}
