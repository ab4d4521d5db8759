//! A folder that is held open, and what is done in it by name.
//!
//! Its path may lead elsewhere later, if the folder is moved and another takes its place; the
//! descriptor leads to the same folder to the end.

use std::ffi::{CString, OsStr, c_int};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub struct Folder(File);

impl Folder {
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY)
            .open(path)
            .map(Self)
    }

    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Syncs the folder; false if its file system has no such thing (CIFS, vboxsf).
    pub fn sync(&self) -> io::Result<bool> {
        const UNSUPPORTED: [c_int; 3] = [libc::EINVAL, libc::ENOTSUP, libc::EOPNOTSUPP];
        match self.0.sync_all() {
            Err(e) if has_code(&e, &UNSUPPORTED) => Ok(false),
            synced => synced.map(|()| true),
        }
    }

    /// Creates a file that has no name (`O_TMPFILE`, open(2)) and that [`Folder::link`] can name
    /// later: it vanishes with the process, however that ends.
    pub fn create_nameless(&self, mode: u32) -> io::Result<File> {
        self.open_at(OsStr::new("."), libc::O_RDWR | libc::O_TMPFILE, mode)
    }

    /// Creates a file under a name, which must be free.
    pub fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        self.open_at(name, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, mode)
    }

    /// Opens the file of this name for reading.
    pub fn open_file(&self, name: &OsStr) -> io::Result<File> {
        self.open_at(name, libc::O_RDONLY | libc::O_NOFOLLOW, 0)
    }

    /// Opens what has this name, if anything has, for its metadata alone (`O_PATH`, open(2)): it need
    /// not be readable, and no other file can get its inode and pass for it.
    pub fn pin(&self, name: &OsStr) -> io::Result<Option<File>> {
        match self.open_at(name, libc::O_PATH | libc::O_NOFOLLOW, 0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Gives a file of [`Folder::create_nameless`] a name, which must be free; false if this is
    /// refused here (by AppArmor, a seccomp filter or some Androids, or for want of /proc).
    pub fn link(&self, file: &File, name: &OsStr) -> io::Result<bool> {
        const FAULTS: [c_int; 5] = [
            libc::EEXIST,
            libc::ENOSPC,
            libc::EDQUOT,
            libc::EIO,
            libc::EROFS,
        ];
        let from = format!("/proc/self/fd/{}", file.as_raw_fd());
        let (from, to) = (c_string(OsStr::new(&from))?, c_string(name)?);
        // SAFETY: both are NUL-terminated strings that outlive the call.
        let linked = check(unsafe {
            libc::linkat(
                libc::AT_FDCWD,
                from.as_ptr(),
                self.0.as_raw_fd(),
                to.as_ptr(),
                libc::AT_SYMLINK_FOLLOW,
            )
        });
        match linked {
            Err(e) if !has_code(&e, &FAULTS) => Ok(false),
            linked => linked.map(|()| true),
        }
    }

    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let (from, to) = (c_string(from)?, c_string(to)?);
        let folder = self.0.as_raw_fd();
        // SAFETY: both are NUL-terminated strings that outlive the call.
        check(unsafe { libc::renameat(folder, from.as_ptr(), folder, to.as_ptr()) })
    }

    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        let name = c_string(name)?;
        // SAFETY: it is a NUL-terminated string that outlives the call.
        check(unsafe { libc::unlinkat(self.0.as_raw_fd(), name.as_ptr(), 0) })
    }

    /// For the signals, which remove a name by it.
    pub(super) fn descriptor(&self) -> c_int {
        self.0.as_raw_fd()
    }

    fn open_at(&self, name: &OsStr, flags: c_int, mode: u32) -> io::Result<File> {
        let name = c_string(name)?;
        // As std opens files: without O_LARGEFILE, 32-bit processors can write 2 GiB and no more.
        let flags = flags | libc::O_CLOEXEC | libc::O_LARGEFILE;
        // SAFETY: the name is a NUL-terminated string that outlives the call.
        let descriptor = unsafe { libc::openat(self.0.as_raw_fd(), name.as_ptr(), flags, mode) };
        check(descriptor)?;
        // SAFETY: it was just opened, and nothing else owns it.
        Ok(unsafe { File::from_raw_fd(descriptor) })
    }
}

pub(super) fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(io::Error::other)
}

/// What a system call returned, as a result.
fn check(result: c_int) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn has_code(error: &io::Error, codes: &[c_int]) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}
