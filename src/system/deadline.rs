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
use super::streams::stderr_is_ready;

/// How long after the deadline the process is killed if its signal could not end it: there are waits
/// that only a deadly signal ends (a disk behind NFS that does not answer). Most come back by themselves
/// before, and then the run ends in good order.
const KILL_AFTER: Duration = Duration::from_secs(5);

/// What [`end`] prints, and the exit code that it ends with.
static TIMEOUT_MESSAGE: OnceLock<(String, c_int)> = OnceLock::new();
/// What [`end`] removes: a name, and the descriptor of its folder.
static PARTIAL_FILE: OnceLock<(c_int, CString)> = OnceLock::new();
/// The timer that kills. `timer_t` is a pointer in libc; kept as usize so that it is `Sync`.
static KILL_TIMER: OnceLock<usize> = OnceLock::new();

/// Ends the process after `time` with `message` on standard error and this exit code.
pub fn arm(time: Duration, message: String, exit_code: c_int) -> io::Result<()> {
    set_once(&TIMEOUT_MESSAGE, (message, exit_code));
    let handler = end as extern "C" fn(c_int);
    // SAFETY: `end` makes only async-signal-safe calls (signal-safety(7)); all-zero bytes are a valid
    // `sigaction` and a valid `itimerval`; every pointer is to a local or null.
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
        let mut timer: libc::itimerval = mem::zeroed();
        timer.it_value.tv_sec = time.as_secs().try_into().map_err(io::Error::other)?;
        timer.it_value.tv_usec = (time.subsec_micros() as i32).into(); // below a million
        check(libc::setitimer(
            libc::ITIMER_REAL,
            &raw const timer,
            ptr::null_mut(),
        ))?;
    }
    // It is a second line of defence: where no such timer can be had, the run goes on.
    let _ = arm_killer(time + KILL_AFTER);
    Ok(())
}

fn arm_killer(time: Duration) -> io::Result<()> {
    let mut timer = ptr::null_mut();
    // SAFETY: all-zero bytes are a valid `sigevent` and a valid `itimerspec`; every pointer is to a
    // local or null.
    unsafe {
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        let clock = libc::CLOCK_MONOTONIC;
        check(libc::timer_create(clock, &raw mut event, &raw mut timer))?;
        set_once(&KILL_TIMER, timer as usize);
        let mut at: libc::itimerspec = mem::zeroed();
        at.it_value.tv_sec = time.as_secs().try_into().map_err(io::Error::other)?;
        at.it_value.tv_nsec = (time.subsec_nanos() as i32).into(); // below a billion
        check(libc::timer_settime(
            timer,
            0,
            &raw const at,
            ptr::null_mut(),
        ))
    }
}

fn set_once<T>(place: &OnceLock<T>, value: T) {
    assert!(place.set(value).is_ok(), "it is set once in a run");
}

/// Runs `create` without being ended in the middle of it.
pub fn with_signal_blocked<T>(create: impl FnOnce() -> T) -> T {
    mask(libc::SIG_BLOCK);
    let created = create();
    mask(libc::SIG_UNBLOCK);
    created
}

/// Has the deadline remove what has this name in `folder`, which must stay open, when it ends the
/// process.
pub fn remove_on_end(folder: &Folder, name: &OsStr) -> io::Result<()> {
    set_once(&PARTIAL_FILE, (folder.descriptor(), c_string(name)?));
    Ok(())
}

/// Takes the deadline back: what comes next must not be cut in two, by a timer or by a signal from
/// elsewhere.
pub fn disarm() {
    // SAFETY: no handler is installed, the signal is only ignored; the timer was created; all-zero
    // bytes are a valid `itimerspec`, and stop it; the pointers are to it or null.
    unsafe {
        libc::signal(libc::SIGALRM, libc::SIG_IGN);
        if let Some(timer) = KILL_TIMER.get() {
            let never: libc::itimerspec = mem::zeroed();
            let timer = *timer as libc::timer_t;
            libc::timer_settime(timer, 0, &raw const never, ptr::null_mut());
        }
    }
}

/// Removes what would be left, says why, and ends the process.
extern "C" fn end(_signal: c_int) {
    let Some((message, exit_code)) = TIMEOUT_MESSAGE.get() else {
        return;
    };
    // SAFETY: the strings are as long as they say or NUL-terminated, `OnceLock::get` is an atomic
    // load, and every call is async-signal-safe (signal-safety(7)).
    unsafe {
        if let Some((folder, name)) = PARTIAL_FILE.get() {
            libc::unlinkat(*folder, name.as_ptr(), 0);
        }
        // A full pipe must not keep the run from ending.
        if stderr_is_ready() {
            libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
        }
        libc::_exit(*exit_code)
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
