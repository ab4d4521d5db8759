//! The end of a run that takes too long, whatever it waits for: a name lookup, standard input and a
//! disk know no timeout of their own.

use std::ffi::{CString, OsStr, c_int};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

use super::folder::Folder;
use super::raw::{c_string, check};
use super::streams::wait_for_standard_error;
use crate::report::exit::Exit;

/// How long after the deadline the process is killed, if its signal could not end it: there are waits
/// that only a deadly signal ends (a disk behind NFS that does not answer). Most come back by themselves
/// before, and then the run ends in good order.
const KILL_AFTER: Duration = Duration::from_secs(5);

/// What [`end`] prints.
static TIMEOUT_MESSAGE: OnceLock<String> = OnceLock::new();
/// What [`remove_leftover`] removes: a name, and the descriptor of its folder.
static PARTIAL_FILE: OnceLock<(c_int, CString)> = OnceLock::new();
/// The timer that kills: a `timer_t`, which is a number in a pointer's clothes.
static KILL_TIMER: OnceLock<usize> = OnceLock::new();

/// Ends the process after `time` with `message` on standard error and the exit code of a network
/// failure. To be called once.
pub fn arm(time: Duration, message: String) -> io::Result<()> {
    TIMEOUT_MESSAGE.get_or_init(|| message);
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
    // SAFETY: `end` makes only async-signal-safe calls (signal-safety(7)); all-zero bytes are a valid
    // `sigaction`; every pointer is to a local or null.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        check(libc::sigaction(
            libc::SIGALRM,
            &raw const action,
            ptr::null_mut(),
        ))?;
        // A parent may have left the signal blocked.
        mask(libc::SIG_UNBLOCK);
        check(libc::setitimer(
            libc::ITIMER_REAL,
            &raw const timer,
            ptr::null_mut(),
        ))?;
    }
    arm_killer(time + KILL_AFTER)
}

fn arm_killer(time: Duration) -> io::Result<()> {
    let at = libc::itimerspec {
        it_interval: libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
        it_value: libc::timespec {
            tv_sec: time.as_secs().try_into().map_err(io::Error::other)?,
            tv_nsec: (time.subsec_nanos() as i32).into(), // below a billion
        },
    };
    let mut timer = ptr::null_mut();
    // SAFETY: all-zero bytes are a valid `sigevent`; every pointer is to a local or null.
    unsafe {
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        let clock = libc::CLOCK_MONOTONIC;
        check(libc::timer_create(clock, &raw mut event, &raw mut timer))?;
        KILL_TIMER.get_or_init(|| timer as usize);
        check(libc::timer_settime(
            timer,
            0,
            &raw const at,
            ptr::null_mut(),
        ))
    }
}

/// Runs `create` without being ended in the middle of it.
pub fn with_signal_blocked<T>(create: impl FnOnce() -> T) -> T {
    mask(libc::SIG_BLOCK);
    let created = create();
    mask(libc::SIG_UNBLOCK);
    created
}

/// Has the deadline remove what has this name in `folder`, which must stay open, when it ends the
/// process. To be called once.
pub fn remove_on_end(folder: &Folder, name: &OsStr) -> io::Result<()> {
    let name = c_string(name)?;
    PARTIAL_FILE.get_or_init(|| (folder.descriptor(), name));
    Ok(())
}

/// Takes the deadline back: what comes next must not be cut in two, by the timers or by whoever sends
/// the signal.
pub fn disarm() {
    // SAFETY: no handler is installed, the signal is only ignored; the timer was created, and this is
    // called once.
    unsafe {
        libc::signal(libc::SIGALRM, libc::SIG_IGN);
        if let Some(timer) = KILL_TIMER.get() {
            libc::timer_delete(*timer as libc::timer_t);
        }
    }
}

/// Ends the process for want of memory, which std would do with a signal, and a file left.
pub fn out_of_memory() -> ! {
    // SAFETY: it is async-signal-safe, and allocates nothing.
    unsafe { end_with("codearts-check-log: out of memory\n", Exit::Local) }
}

extern "C" fn end(_signal: c_int) {
    let message = TIMEOUT_MESSAGE.get().map_or("", String::as_str);
    // SAFETY: it is async-signal-safe, and `OnceLock::get` is an atomic load.
    unsafe { end_with(message, Exit::Network) }
}

/// Removes what would be left, says why, and ends the process. Async-signal-safe (signal-safety(7)).
unsafe fn end_with(message: &str, exit: Exit) -> ! {
    // SAFETY: the strings are as long as they say or NUL-terminated, and every call is
    // async-signal-safe.
    unsafe {
        if let Some((folder, name)) = PARTIAL_FILE.get() {
            libc::unlinkat(*folder, name.as_ptr(), 0);
        }
        // A pipe that nobody empties must not be what keeps the run from ending.
        if wait_for_standard_error(Duration::ZERO) {
            libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
        }
        libc::_exit(exit as c_int)
    }
}

/// Blocks or unblocks the deadline's signal.
fn mask(how: c_int) {
    // SAFETY: all-zero bytes are a valid set; the pointers are to it or null. It can't fail: the
    // arguments are valid.
    unsafe {
        let mut alarm: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&raw mut alarm);
        libc::sigaddset(&raw mut alarm, libc::SIGALRM);
        libc::sigprocmask(how, &raw const alarm, ptr::null_mut());
    }
}
