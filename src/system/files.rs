//! A file's owner and readers, and how it is synced and closed.

use std::ffi::c_int;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::MetadataExt;

/// Whether the user of this process owns the file.
pub fn is_own(file: &Metadata) -> bool {
    // SAFETY: it takes nothing, and can't fail.
    file.uid() == unsafe { libc::geteuid() }
}

/// Whether a regular file is readable by all users or, if it is the user's own, by its group.
/// systemd and Kubernetes hand over root-owned, group-readable files: no warning for those.
pub fn is_readable_by_others(file: &File) -> io::Result<bool> {
    const GROUP_MAY_READ: u32 = 0o040;
    const OTHERS_MAY_READ: u32 = 0o004;
    let found = file.metadata()?;
    let may_read = |who: u32| found.mode() & who != 0;
    Ok(
        found.is_file()
            && (may_read(OTHERS_MAY_READ) || may_read(GROUP_MAY_READ) && is_own(&found)),
    )
}

/// Syncs a file or a folder; false if its file system does not support that (CIFS, vboxsf, FUSE).
pub fn sync(file: &File) -> io::Result<bool> {
    const UNSUPPORTED: [c_int; 4] = [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP];
    match file.sync_all() {
        Err(e) if e.raw_os_error().is_some_and(|e| UNSUPPORTED.contains(&e)) => Ok(false),
        synced => synced.map(|()| true),
    }
}

/// Closes a file, and reports a failure, which std ignores: NFS and FUSE may upload the file only
/// now. There is no second try, even after EINTR: the descriptor is closed whatever is returned
/// (close(2)).
pub fn close(file: File) -> io::Result<()> {
    // SAFETY: the file has given the descriptor up, and nothing else owns it.
    match unsafe { libc::close(file.into_raw_fd()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
