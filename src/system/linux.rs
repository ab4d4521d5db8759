//! The system calls, on Linux: each call into libc says why it is sound.

use std::ffi::{CStr, CString};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// A file that is kept open for its metadata alone (`O_PATH`, open(2)), readable or not, so
/// that no other file can get its inode and pass for it.
pub struct PinnedFile(File);

impl PinnedFile {
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

/// Whether the group of a regular file, or everybody, may read it. Where it has an access control
/// list, the mode's bits for the group are the list's mask, and the group has an entry of its own.
pub fn is_readable_by_others(file: &File) -> io::Result<bool> {
    const GROUP_MAY_READ: u32 = 0o040;
    const OTHERS_MAY_READ: u32 = 0o004;
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok(false);
    }
    if found.mode() & OTHERS_MAY_READ != 0 || found.mode() & GROUP_MAY_READ == 0 {
        return Ok(found.mode() & OTHERS_MAY_READ != 0);
    }
    let list = access_list(&proc_link(file)).unwrap_or(None); // without /proc, the mode has to do
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

/// Whether standard output can have been written to. Where it was closed from the start, std opens
/// /dev/null in its place, and what goes there would be missed by nobody.
pub fn check_standard_output() -> io::Result<()> {
    if STDOUT_WAS_CLOSED.load(Ordering::Relaxed) {
        Err(io::Error::from_raw_os_error(libc::EBADF))
    } else {
        Ok(())
    }
}

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Called before main, and before std opens anything (ELF's `DT_INIT_ARRAY`).
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_STDOUT: extern "C" fn() = look_at_stdout;

extern "C" fn look_at_stdout() {
    // SAFETY: the command takes and returns plain integers.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    STDOUT_WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Makes a write beyond the file size limit an error (`EFBIG`) instead of the process's end.
pub fn ignore_file_size_signal() {
    // SAFETY: no handler is installed, the signal is only ignored.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// The end of a run that takes too long, whatever it waits for: a name lookup, standard input and a
/// disk know no timeout of their own.
pub mod deadline {
    use std::ffi::{CString, c_int};
    use std::io;
    use std::path::Path;
    use std::ptr;
    use std::sync::OnceLock;
    use std::time::Duration;

    use super::c_path;
    use crate::exit::Exit;

    /// What [`end`] prints.
    static LAST_WORDS: OnceLock<String> = OnceLock::new();
    /// What [`end`] removes.
    static LEFTOVER: OnceLock<CString> = OnceLock::new();

    /// Ends the process after `time` with `last_words` on standard error and the exit code of a
    /// network failure. To be called once.
    pub fn arm(time: Duration, last_words: String) -> io::Result<()> {
        LAST_WORDS.get_or_init(|| last_words);
        let handler = end as extern "C" fn(c_int);
        let timer = libc::itimerval {
            it_interval: libc::timeval {
                tv_sec: 0,
                tv_usec: 0,
            },
            it_value: libc::timeval {
                tv_sec: time.as_secs().try_into().map_err(io::Error::other)?,
                tv_usec: (time.subsec_micros() as i32).into(), // below a million
            },
        };
        // SAFETY: `end` makes only async-signal-safe calls (signal-safety(7)); all-zero bytes
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

    /// Has the deadline remove `path` when it ends the process. To be called once.
    pub fn remove_on(path: &Path) -> io::Result<()> {
        let path = c_path(path)?;
        LEFTOVER.get_or_init(|| path);
        Ok(())
    }

    /// Takes the deadline back: what comes next must not be cut in two, by the timer or by whoever
    /// sends its signal.
    pub fn disarm() {
        // SAFETY: no handler is installed, the signal is only ignored.
        unsafe { libc::signal(libc::SIGALRM, libc::SIG_IGN) };
    }

    extern "C" fn end(_signal: c_int) {
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
