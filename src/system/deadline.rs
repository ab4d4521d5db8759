//! What ends a run from outside: `--max-time`, whatever the run is waiting for (a name lookup,
//! standard input and a disk have no timeout of their own), and signals. The partial file and the
//! progress line are removed first.

use std::ffi::{CString, c_int};
use std::io;
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

use crate::system::streams::stderr_is_ready;

/// The signals that end a run in good order, if they were not ignored at its start.
const SIGNALS: [c_int; 8] = [
    libc::SIGALRM,
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGXCPU,
];

/// How long after the deadline SIGKILL ends a process that SIGALRM could not: some waits end only
/// by a deadly signal (a disk behind NFS that does not answer). Most of them end sooner by
/// themselves, and then the run ends in good order. The kernel protects process 1 of a container
/// from this signal.
const KILL_AFTER: Duration = Duration::from_secs(5);

/// The sequence that erases the progress line.
static ERASE: OnceLock<&str> = OnceLock::new();
/// What is printed at the deadline, and the exit code; not set without a deadline.
static AT_DEADLINE: OnceLock<(String, c_int)> = OnceLock::new();
/// What is printed instead of that message once the package has its name.
static OTHER_MESSAGE: OnceLock<String> = OnceLock::new();
/// The file to remove. Its path may be relative: the process never changes its working folder.
static PARTIAL_FILE: OnceLock<CString> = OnceLock::new();

/// Makes the signals end the run in good order. `erase` is the sequence that erases the progress
/// line, or empty.
pub fn catch_signals(erase: &'static str) {
    set_once(&ERASE, erase);
    for signal in SIGNALS {
        if !is_ignored(signal) {
            catch(signal);
        }
    }
}

/// Ends the process after `time`, at most a year, with `message` on standard error and this exit
/// code. An alarm that the caller has set (alarm(2)) is replaced.
pub fn arm(time: Duration, message: &str, exit_code: c_int) {
    set_once(&AT_DEADLINE, (line(message), exit_code));
    catch(libc::SIGALRM);
    unblock(libc::SIGALRM);
    // SAFETY: all-zero bytes are valid for each structure; every pointer is to one or null.
    unsafe {
        let mut timer: libc::itimerval = mem::zeroed();
        timer.it_value.tv_sec = time.as_secs() as _;
        timer.it_value.tv_usec = (time.subsec_micros() as i32).into();
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut());
        // A second line of defence: if there can be no such timer, the run goes on without it.
        let mut killer = ptr::null_mut();
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut killer) == 0 {
            let mut at: libc::itimerspec = mem::zeroed();
            at.it_value.tv_sec = (time + KILL_AFTER).as_secs() as _;
            at.it_value.tv_nsec = (time.subsec_nanos() as i32).into();
            libc::timer_settime(killer, 0, &raw const at, ptr::null_mut());
        }
    }
}

/// Changes what is printed at the deadline, once the package has its name.
pub fn change_message(message: &str) {
    set_once(&OTHER_MESSAGE, line(message));
}

/// A line that replaces the progress line. It is built before, because the handler may not
/// allocate.
fn line(message: &str) -> String {
    format!("{}{message}\n", ERASE.get().copied().unwrap_or_default())
}

/// Makes a signal or the deadline remove a file. Before it exists, and after it is renamed, that
/// does no harm.
pub fn remove_on_end(path: &Path) -> io::Result<()> {
    set_once(&PARTIAL_FILE, CString::new(path.as_os_str().as_bytes())?);
    Ok(())
}

fn set_once<T>(place: &OnceLock<T>, value: T) {
    assert!(place.set(value).is_ok(), "it is set once in a run");
}

/// Removes the partial file and ends the process: at the deadline with a message, otherwise by the
/// signal itself, as a parent expects. Another signal may come in between, and do the same.
extern "C" fn end(signal: c_int) {
    let deadline = AT_DEADLINE.get().filter(|_| signal == libc::SIGALRM);
    let text = match deadline {
        Some((message, _)) => OTHER_MESSAGE.get().unwrap_or(message),
        None => ERASE.get().copied().unwrap_or_default(),
    };
    // SAFETY: the strings are as long as they say or NUL-terminated, `OnceLock::get` is an atomic
    // load, and every call is async-signal-safe (signal-safety(7)).
    unsafe {
        if let Some(path) = PARTIAL_FILE.get() {
            libc::unlink(path.as_ptr());
        }
        // A full pipe must not keep the run from ending.
        if !text.is_empty() && stderr_is_ready() {
            libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len());
        }
        if let Some((_, exit_code)) = deadline {
            libc::_exit(*exit_code);
        }
        libc::signal(signal, libc::SIG_DFL);
        unblock(signal);
        libc::raise(signal);
        // A signal's default action does not end process 1 of a container.
        libc::_exit(128 + signal)
    }
}

/// Installs [`end`] as the signal's handler.
fn catch(signal: c_int) {
    let handler = end as extern "C" fn(c_int);
    // SAFETY: `end` makes only async-signal-safe calls; all-zero bytes are a valid `sigaction`; the
    // pointers are to it or null.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

fn is_ignored(signal: c_int) -> bool {
    // SAFETY: as for `catch`.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut action);
        action.sa_sigaction == libc::SIG_IGN
    }
}

/// Lets the signal through; async-signal-safe.
fn unblock(signal: c_int) {
    // SAFETY: all-zero bytes are a valid, empty set; the pointers are to it or null.
    unsafe {
        let mut signals: libc::sigset_t = mem::zeroed();
        libc::sigaddset(&raw mut signals, signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const signals, ptr::null_mut());
    }
}
