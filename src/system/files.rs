//! A file's owner, and who may read it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

/// Whether the file is this process's user's own.
pub fn is_own(file: &Metadata) -> bool {
    // SAFETY: it takes nothing, and can't fail.
    file.uid() == unsafe { libc::geteuid() }
}

/// Whether a regular file is readable by all users or, if it is the user's own, by its group. A file that systemd or Kubernetes hands over is root's, and readable by its group.
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
