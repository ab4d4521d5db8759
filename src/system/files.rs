//! Opening a file, and who may read it: its mode, and its access control list (acl(5)) as the file system keeps it.

use std::ffi::CStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::raw::{c_string, proc_link};

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

/// The access control list of an open file; none where the mode says all. It is asked for through
/// /proc, so that any descriptor will do.
pub fn access_list(file: &File) -> io::Result<Option<Vec<u8>>> {
    let path = c_string(proc_link(file).as_os_str())?;
    let mut list = vec![0; MAX_ACCESS_LIST];
    // SAFETY: both names are NUL-terminated, and the length is the buffer's.
    let length = unsafe {
        libc::getxattr(
            path.as_ptr(),
            ACCESS_LIST.as_ptr(),
            list.as_mut_ptr().cast(),
            list.len(),
        )
    };
    match usize::try_from(length) {
        Ok(length) => {
            list.truncate(length);
            Ok(Some(list))
        }
        Err(_) => no_list(io::Error::last_os_error()).map(|()| None),
    }
}

/// Gives an open file this access control list, or takes away what it has of its folder.
pub fn set_access_list(file: &File, list: Option<&[u8]>) -> io::Result<()> {
    let descriptor = file.as_raw_fd();
    // SAFETY: the name is NUL-terminated, and pointer and length are of one slice.
    let result = unsafe {
        match list {
            Some(list) => libc::fsetxattr(
                descriptor,
                ACCESS_LIST.as_ptr(),
                list.as_ptr().cast(),
                list.len(),
                0,
            ),
            None => libc::fremovexattr(descriptor, ACCESS_LIST.as_ptr()),
        }
    };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if list.is_some() {
        Err(error)
    } else {
        no_list(error)
    }
}

/// Whether the file is this process's user's own.
pub fn is_own(file: &Metadata) -> bool {
    // SAFETY: it takes nothing, and can't fail.
    file.uid() == unsafe { libc::geteuid() }
}

/// Whether the group of a regular file, or everybody, may read it. Where it has an access control
/// list, the mode's bits for the group are the list's mask, and the group has an entry of its own.
pub fn is_readable_by_others(file: &File) -> io::Result<bool> {
    const GROUP_MAY_READ: u32 = 0o040;
    const OTHERS_MAY_READ: u32 = 0o004;
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok(false);
    }
    if found.mode() & OTHERS_MAY_READ != 0 {
        return Ok(true);
    }
    if found.mode() & GROUP_MAY_READ == 0 {
        return Ok(false);
    }
    let list = access_list(file).unwrap_or(None); // without /proc, the mode has to do
    Ok(list.is_none_or(|list| group_may_read(&list)))
}

/// Whether an access control list lets any group read. It has a version, and entries of a tag, the
/// permissions and an ID (`linux/posix_acl_xattr.h`, little-endian).
fn group_may_read(list: &[u8]) -> bool {
    const VERSION: usize = 4;
    const OWNING_GROUP: u8 = 0x04;
    const NAMED_GROUP: u8 = 0x08;
    const READ: u8 = 4;
    list.get(VERSION..).is_none_or(|entries| {
        entries.chunks(8).any(|entry| {
            matches!(entry, [OWNING_GROUP | NAMED_GROUP, 0, permissions, ..] if permissions & READ != 0)
        })
    })
}

const ACCESS_LIST: &CStr = c"system.posix_acl_access";

/// The longest value of an extended attribute (`XATTR_SIZE_MAX`, xattr(7)).
const MAX_ACCESS_LIST: usize = 64 << 10;

/// Lets the errors pass which say that there is no list, or that there can't be one.
fn no_list(error: io::Error) -> io::Result<()> {
    match error.raw_os_error() {
        Some(libc::ENODATA | libc::EOPNOTSUPP) => Ok(()),
        _ => Err(error),
    }
}
