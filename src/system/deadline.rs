//! What ends a run from outside: `--max-time`, whatever the run waits for (a name lookup, standard input
//! and a disk know no timeout of their own), and signals, also those of an alarm that the caller has set.
//! The partial file and the progress line are removed first.

use std::ffi::{CString, OsStr, c_int};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

use super::folder::{Folder, c_string};
use super::streams::stderr_is_ready;

/// The signals that end a run in good order, if they were not ignored at its start.
const SIGNALS: [c_int; 4] = [libc::SIGALRM, libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// How long after the deadline the process is killed if its signal could not end it: there are waits
/// that only a deadly signal ends (a disk behind NFS that does not answer). Most come back by themselves
/// before, and then the run ends in good order.
const KILL_AFTER: Duration = Duration::from_secs(5);

/// What erases the progress line.
static ERASE: OnceLock<&str> = OnceLock::new();
/// What is printed at the deadline, and the exit code; not set where SIGALRM is the caller's.
static TIMEOUT_MESSAGE: OnceLock<(String, c_int)> = OnceLock::new();
/// What is removed: the descriptor of its folder, and its name.
static PARTIAL_FILE: OnceLock<(c_int, CString)> = OnceLock::new();
/// The timer that kills. `timer_t` is a pointer in libc; kept as usize so that it is `Sync`.
static KILL_TIMER: OnceLock<usize> = OnceLock::new();
static DISARMED: OnceLock<()> = OnceLock::new();

/// Makes the signals end the run in good order. `erase` is what erases the progress line, if there is one.
pub fn catch_signals(erase: &'static str) {
    set_once(&ERASE, erase);
    for signal in SIGNALS {
        if !is_ignored(signal) {
            catch(signal);
        }
    }
}

/// Ends the process after `time`, at most a year, with `message` on standard error and this exit code,
/// unless the caller has set an alarm that is sooner.
pub fn arm(time: Duration, message: String, exit_code: c_int) {
    if alarm_of_the_caller().is_some_and(|alarm| alarm < time) {
        return;
    }
    set_once(&TIMEOUT_MESSAGE, (message, exit_code));
    catch(libc::SIGALRM);
    unblock(libc::SIGALRM);
    // SAFETY: all-zero bytes are valid for each structure; every pointer is to one or null.
    unsafe {
        let mut timer: libc::itimerval = mem::zeroed();
        timer.it_value.tv_sec = time.as_secs() as _;
        timer.it_value.tv_usec = (time.subsec_micros() as i32).into();
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut());
        // A second line of defence: where no such timer can be had, the run goes on without it.
        let mut killer = ptr::null_mut();
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut killer) == 0 {
            let mut at: libc::itimerspec = mem::zeroed();
            at.it_value.tv_sec = (time + KILL_AFTER).as_secs() as _;
            at.it_value.tv_nsec = (time.subsec_nanos() as i32).into();
            libc::timer_settime(killer, 0, &raw const at, ptr::null_mut());
            set_once(&KILL_TIMER, killer as usize);
        }
    }
}

/// Takes the deadline back, even one that has passed while the signals were blocked.
pub fn disarm() {
    set_once(&DISARMED, ());
    // SAFETY: no handler is installed, the signal is only ignored; the timer was created, and is deleted
    // once.
    unsafe {
        if TIMEOUT_MESSAGE.get().is_some() {
            libc::signal(libc::SIGALRM, libc::SIG_IGN);
        }
        if let Some(killer) = KILL_TIMER.get() {
            libc::timer_delete(*killer as libc::timer_t);
        }
    }
}

/// Runs `act` without being ended in the middle of it.
pub fn with_signals_blocked<T>(act: impl FnOnce() -> T) -> T {
    // SAFETY: all-zero bytes are a valid set; the pointers are to sets or null.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const all, &raw mut before);
        let done = act();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        done
    }
}

/// Registers the file of this name in `folder`, which must stay open, to be removed when a signal or
/// the deadline ends the run.
pub fn remove_on_end(folder: &Folder, name: &OsStr) -> io::Result<()> {
    set_once(&PARTIAL_FILE, (folder.descriptor(), c_string(name)?));
    Ok(())
}

fn set_once<T>(place: &OnceLock<T>, value: T) {
    assert!(place.set(value).is_ok(), "it is set once in a run");
}

/// Removes what would be left, and ends the process: at the deadline with a message, else by the
/// signal, as a parent expects.
extern "C" fn end(signal: c_int) {
    let deadline = TIMEOUT_MESSAGE.get().filter(|_| signal == libc::SIGALRM);
    let erase = ERASE.get().copied().unwrap_or_default();
    let text = deadline.map_or(erase, |(message, _)| message);
    // SAFETY: the strings are as long as they say or NUL-terminated, `OnceLock::get` is an atomic
    // load, and every call is async-signal-safe (signal-safety(7)).
    unsafe {
        if let Some((folder, name)) = PARTIAL_FILE.get() {
            libc::unlinkat(*folder, name.as_ptr(), 0);
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

/// Installs [`end`] as the signal's handler, with the others blocked.
fn catch(signal: c_int) {
    let handler = end as extern "C" fn(c_int);
    // SAFETY: `end` makes only async-signal-safe calls; all-zero bytes are a valid `sigaction`; the
    // pointers are to it or null.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        libc::sigfillset(&raw mut action.sa_mask);
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

/// The time until the alarm that the caller has set (alarm(2), setitimer(2)): it outlives exec. It does
/// not count if its signal is ignored or blocked.
fn alarm_of_the_caller() -> Option<Duration> {
    // SAFETY: all-zero bytes are valid for each structure; every pointer is to one or null.
    let (time, is_blocked) = unsafe {
        let (mut timer, mut blocked): (libc::itimerval, libc::sigset_t) = mem::zeroed();
        libc::getitimer(libc::ITIMER_REAL, &raw mut timer);
        libc::sigprocmask(libc::SIG_BLOCK, ptr::null(), &raw mut blocked);
        let is_blocked = libc::sigismember(&raw const blocked, libc::SIGALRM) == 1;
        (timer.it_value, is_blocked)
    };
    let time = Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    (!time.is_zero() && !is_blocked && !is_ignored(libc::SIGALRM)).then_some(time)
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
