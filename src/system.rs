//! What the program needs of the operating system and std does not offer: every system call that
//! takes `unsafe`, in one place, each with a portable stand-in for systems other than Linux.

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(not(target_os = "linux"))]
pub use portable::*;

#[cfg(target_os = "linux")]
// Calls into libc, each of which says why it is sound; a number of microseconds fits anywhere.
#[allow(unsafe_code, clippy::cast_possible_wrap)]
mod linux {
    use std::ffi::{CStr, CString, c_int};
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};
    use std::ptr;
    use std::sync::OnceLock;
    use std::time::Duration;

    use crate::error::Exit;

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
            flags != -1
                && libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK) != -1
        };
        if done {
            Ok(file)
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Creates a file in `folder` that has no name (`O_TMPFILE`, open(2)) and that
    /// [`link_nameless`] can name later: it vanishes with the process, however that ends.
    pub fn create_nameless(folder: &Path, mode: u32) -> io::Result<File> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_TMPFILE)
            .mode(mode)
            .open(folder)?;
        // Without /proc there is no way to name it: found out now, not after the download.
        let (by_link, by_file) = (proc_link(&file).metadata()?, file.metadata()?);
        if (by_link.dev(), by_link.ino()) == (by_file.dev(), by_file.ino()) {
            Ok(file)
        } else {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Gives a file of [`create_nameless`] the name `path`, which must be free.
    pub fn link_nameless(file: &File, path: &Path) -> io::Result<()> {
        let from = c_path(&proc_link(file))?;
        let to = c_path(path)?;
        // SAFETY: both are NUL-terminated strings that outlive the call.
        let result = unsafe {
            libc::linkat(
                libc::AT_FDCWD,
                from.as_ptr(),
                libc::AT_FDCWD,
                to.as_ptr(),
                libc::AT_SYMLINK_FOLLOW,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    fn proc_link(file: &File) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    }

    fn c_path(path: &Path) -> io::Result<CString> {
        CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
    }

    /// A file that is held open for its metadata alone (`O_PATH`, open(2)), readable or not, so
    /// that no other file can get its inode and pass for it.
    pub struct Held(File);

    impl Held {
        pub fn open(path: &Path) -> io::Result<Self> {
            OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_PATH | libc::O_NOFOLLOW)
                .open(path)
                .map(Self)
        }

        /// The metadata of now, even where the file is gone from its place.
        pub fn metadata(&self) -> io::Result<Metadata> {
            self.0.metadata()
        }
    }

    /// The access control list of a file (acl(5)), as the file system keeps it; none where the
    /// mode says all.
    pub fn access_list(path: &Path) -> io::Result<Option<Vec<u8>>> {
        let path = c_path(path)?;
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
            ) -> c_int;
        }
        // SAFETY: both are NUL-terminated and static; there is no other thread. It fails only for
        // a name that glibc doesn't know, and these it does.
        unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
    }

    /// Any other C library looks names up by itself.
    #[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
    pub fn prepare_lookup() {}

    /// Makes a write beyond the file size limit an error (`EFBIG`) instead of the process's end.
    pub fn ignore_file_size_signal() {
        // SAFETY: no handler is installed, the signal is only ignored.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    }

    /// What [`end_run`] prints.
    static LAST_WORDS: OnceLock<String> = OnceLock::new();
    /// What [`end_run`] removes.
    static LEFTOVER: OnceLock<CString> = OnceLock::new();

    /// Ends the process after `time`, whatever it waits for, with `last_words` on standard error
    /// and the exit code of a network failure: a name lookup, standard input and a disk know no
    /// timeout of their own. To be called once.
    pub fn end_run_after(time: Duration, last_words: String) -> io::Result<()> {
        LAST_WORDS.get_or_init(|| last_words);
        let handler = end_run as extern "C" fn(c_int);
        let timer = libc::itimerval {
            it_interval: NO_TIME,
            it_value: libc::timeval {
                tv_sec: time.as_secs().try_into().map_err(io::Error::other)?,
                tv_usec: (time.subsec_micros() as i32).into(), // below a million
            },
        };
        // SAFETY: `end_run` makes only async-signal-safe calls (signal-safety(7)); all-zero bytes
        // are a valid `sigaction` and `sigset_t`; every pointer is to a local or null.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            let mut alarm: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut alarm);
            libc::sigaddset(&raw mut alarm, libc::SIGALRM);
            // A parent may have left the signal blocked.
            if libc::sigaction(libc::SIGALRM, &raw const action, ptr::null_mut()) == 0
                && libc::sigprocmask(libc::SIG_UNBLOCK, &raw const alarm, ptr::null_mut()) == 0
                && libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) == 0
            {
                return Ok(());
            }
        }
        Err(io::Error::last_os_error())
    }

    /// Has [`end_run_after`] remove `path` when it ends the process. To be called once.
    pub fn remove_at_end(path: &Path) -> io::Result<()> {
        let path = c_path(path)?;
        LEFTOVER.get_or_init(|| path);
        Ok(())
    }

    /// Takes [`end_run_after`] back: what comes next must not be cut in two.
    pub fn let_run_finish() {
        let never = libc::itimerval {
            it_interval: NO_TIME,
            it_value: NO_TIME,
        };
        // SAFETY: the pointers are to a local and null. It can't fail: the arguments are valid.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const never, ptr::null_mut()) };
    }

    const NO_TIME: libc::timeval = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };

    extern "C" fn end_run(_signal: c_int) {
        // SAFETY: the strings are static, and every call is async-signal-safe. `OnceLock::get` is
        // an atomic load.
        unsafe {
            if let Some(path) = LEFTOVER.get() {
                libc::unlink(path.as_ptr());
            }
            // A pipe that nobody empties must not be what keeps the run from ending.
            let mut stderr = libc::pollfd {
                fd: libc::STDERR_FILENO,
                events: libc::POLLOUT,
                revents: 0,
            };
            if let Some(words) = LAST_WORDS.get() {
                if libc::poll(&raw mut stderr, 1, 0) == 1 {
                    libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len());
                }
            }
            libc::_exit(Exit::Network as c_int);
        }
    }
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps)] // their twins can fail
mod portable {
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    /// Opens a file for reading, but no FIFO: opening one could wait for ever.
    pub fn open_without_waiting(path: &Path) -> io::Result<File> {
        use std::os::unix::fs::FileTypeExt;

        if std::fs::metadata(path)?.file_type().is_fifo() {
            return Err(io::Error::other("it is a FIFO"));
        }
        File::open(path)
    }

    /// There are no nameless files.
    pub fn create_nameless(_folder: &Path, _mode: u32) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn link_nameless(_file: &File, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A file's metadata of when it was opened: it can't be held without being readable.
    pub struct Held(Metadata);

    impl Held {
        pub fn open(path: &Path) -> io::Result<Self> {
            std::fs::symlink_metadata(path).map(Self)
        }

        pub fn metadata(&self) -> io::Result<Metadata> {
            Ok(self.0.clone())
        }
    }

    pub fn access_list(_path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    pub fn set_access_list(_file: &File, _list: Option<&[u8]>) -> io::Result<()> {
        Ok(())
    }

    pub fn prepare_lookup() {}

    /// The signal's default stays: a file size limit ends the process.
    pub fn ignore_file_size_signal() {}

    /// Only ureq's own clock limits the run: a name lookup takes as long as the resolver lets it.
    pub fn end_run_after(_time: Duration, _last_words: String) -> io::Result<()> {
        Ok(())
    }

    pub fn remove_at_end(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub fn let_run_finish() {}
}
