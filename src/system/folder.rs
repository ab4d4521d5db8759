//! A folder that is held open, and what is done in it by name.
//!
//! Its path may lead elsewhere at the next look, if somebody moves it and puts another in its place;
//! the descriptor leads to the same folder to the end.

use std::ffi::{OsStr, c_int};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::files::access_list;
use super::raw::{c_string, check, proc_link};

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

    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Whether names can only be added (`chattr +a`), and none replaced.
    pub fn is_append_only(&self) -> bool {
        const APPEND_ONLY: c_int = 0x20; // FS_APPEND_FL of <linux/fs.h>
        // An int, or a long, of which a big-endian processor has the low half last.
        let mut halves: [c_int; 2] = [0; 2];
        // SAFETY: the kernel writes an int or a long, and the pointer is to a local with room for
        // either. Where the file system knows no flags, it writes nothing.
        unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::FS_IOC_GETFLAGS as _,
                &raw mut halves,
            )
        };
        halves.iter().any(|half| half & APPEND_ONLY != 0)
    }

    /// Creates a file that has no name (`O_TMPFILE`, open(2)) and that [`Folder::link`] can name
    /// later: it vanishes with the process, however that ends.
    pub fn create_nameless(&self, mode: u32) -> io::Result<File> {
        let file = self.open_at(OsStr::new("."), libc::O_RDWR | libc::O_TMPFILE, mode)?;
        // Without /proc there is no way to name it: found out now, not after the download.
        let (by_link, by_file) = (proc_link(&file).metadata()?, file.metadata()?);
        if (by_link.dev(), by_link.ino()) == (by_file.dev(), by_file.ino()) {
            Ok(file)
        } else {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Creates a file under a name, which must be free.
    pub fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        self.open_at(name, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, mode)
    }

    /// Pins what has this name, if anything has.
    pub fn pin(&self, name: &OsStr) -> io::Result<Option<PinnedFile>> {
        match self.open_at(name, libc::O_PATH | libc::O_NOFOLLOW, 0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(|file| Some(PinnedFile(file))),
        }
    }

    /// Gives a file of [`Folder::create_nameless`] a name, which must be free.
    pub fn link(&self, file: &File, name: &OsStr) -> io::Result<()> {
        let from = c_string(proc_link(file).as_os_str())?;
        let to = c_string(name)?;
        // SAFETY: both are NUL-terminated strings that outlive the call.
        check(unsafe {
            libc::linkat(
                libc::AT_FDCWD,
                from.as_ptr(),
                self.0.as_raw_fd(),
                to.as_ptr(),
                libc::AT_SYMLINK_FOLLOW,
            )
        })
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

    /// For the deadline, which removes a name by it.
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
        // SAFETY: it was just opened, and belongs to nobody else.
        Ok(unsafe { File::from_raw_fd(descriptor) })
    }
}

/// A file that is kept open for its metadata alone (`O_PATH`, open(2)), readable or not, so that no
/// other file can get its inode and pass for it.
pub struct PinnedFile(File);

impl PinnedFile {
    /// The metadata of now, even where the file is gone from its place.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// The access control list of now.
    pub fn access_list(&self) -> io::Result<Option<Vec<u8>>> {
        access_list(&self.0)
    }
}
