//! Faults at the system calls of a run, injected by strace: errors where a file is touched, and
//! signals everywhere. Whatever happens, the output is the old file or the package, whole, and the
//! exit code says which.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::fault;
use crate::harness::{OUTPUT, Outcome, Run, os};
use crate::packages::{OLD, PACKAGE, ok, patch, stored};
use crate::stand_in::StandIn;

/// The error of a bad disk, and the error of a file system that does not support a call.
const ERRORS: [&str; 5] = ["EIO", "ENOSPC", "EINVAL", "ENOSYS", "EOPNOTSUPP"];
const UNSUPPORTED: [&str; 3] = ["EINVAL", "ENOSYS", "EOPNOTSUPP"];

/// A signal that the run can handle, and one that it can't.
const SIGNALS: [Fault; 2] = [
    Fault::Signal("TERM", libc::SIGTERM),
    Fault::Signal("KILL", libc::SIGKILL),
];

/// How the name of every partial file begins.
const PARTIAL: &str = ".codearts-check-log.";

/// A system call of a run: its name, which of that name it is, from 1, and what strace shows of it.
#[derive(Clone)]
struct Call {
    name: String,
    number: usize,
    line: String,
}

impl Call {
    /// Whether it is for a file by path or by descriptor, and not for a socket or a pipe.
    fn touches_a_file(&self) -> bool {
        let arguments = self.line.replace("AT_FDCWD<", "");
        let arguments = arguments.replace("</dev/", "").replace("sun_path=\"/", "");
        ["</", "\"/", "\"./", "\".\""]
            .iter()
            .any(|path| arguments.contains(path))
    }
}

/// A run below strace, which shows the calls of these names, and injects a fault into one.
fn traced(server: &StandIn, old: bool, names: &str, injection: Option<&str>) -> Outcome {
    let names = format!("trace={names}");
    let mut tracer = vec!["strace", "-qqyo", "trace", "-e", &names];
    tracer.extend(injection.iter().flat_map(|injection| ["-e", injection]));
    let mut run = Run::below(&tracer).calling(server);
    if old {
        run = run.file(OUTPUT, OLD);
    }
    run.go()
}

fn trace(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.files[os(b"trace")]).into_owned()
}

/// The system calls of a run that succeeds, from where the program itself begins.
fn calls(server: &StandIn, old: bool) -> Vec<Call> {
    let outcome = traced(server, old, "all", None);
    outcome.exits(0);
    let mut numbers = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace(&outcome).lines() {
        let name = line.split('(').next().unwrap_or_default().to_owned();
        // What never returns takes no signal.
        if line.contains('(') && name != "exit_group" {
            let number = *numbers
                .entry(name.clone())
                .and_modify(|n| *n += 1)
                .or_insert(1);
            let line = line.to_owned();
            calls.push(Call { name, number, line });
        }
    }
    let starts = |call: &Call| call.line.contains("PR_SET_DUMPABLE");
    let start = calls
        .iter()
        .position(starts)
        .expect("the program's first call");
    calls.split_off(start)
}

/// The required outcome of an error at a call.
#[derive(Debug, PartialEq)]
enum Expected {
    /// The package is there, and the run a success.
    Saved,
    /// The package is there, and the run a failure.
    Unsynced,
    /// What was there before is there, and the run a failure.
    Failed,
    /// One of these.
    Any,
}

/// The required outcome of `error` at the call that strace shows as injected.
fn expected(line: &str, error: &str) -> Expected {
    let name = line.split('(').next().unwrap_or_default();
    let is_for_partial = line.contains(PARTIAL);
    // The CA file and what a lookup reads are named by their absolute paths.
    let is_for_folder = !is_for_partial && !line.contains("\"/");
    match name {
        "fsync" if UNSUPPORTED.contains(&error) => Expected::Saved,
        "fsync" | "openat" if is_for_folder => Expected::Unsynced,
        "fchown" | "fchmod" if is_for_partial => Expected::Saved,
        "openat" | "write" | "fsync" | "close" | "rename" if is_for_partial => Expected::Failed,
        _ => Expected::Any,
    }
}

/// What is there under the output's name.
fn output(outcome: &Outcome) -> Option<&[u8]> {
    let there = outcome.files.get(os(OUTPUT.as_bytes()));
    there.map(Vec::as_slice)
}

/// Asserts that the output is whole and, unless the run was killed, alone in its folder; returns
/// the outcome of the run.
#[track_caller]
fn result(outcome: &Outcome, old: bool, what: &str) -> Expected {
    let is_killed = outcome.status.signal() == Some(libc::SIGKILL);
    let partial = |name: &OsString| name.as_bytes().starts_with(PARTIAL.as_bytes());
    let is_left = outcome.files.keys().any(partial);
    assert!(is_killed || !is_left, "{what}: a partial file\n{outcome}");
    let there = output(outcome);
    let is_saved = there.is_some_and(|there| there == *PACKAGE);
    let is_old = there == old.then_some(OLD);
    assert!(is_saved || is_old, "{what}: neither old nor new\n{outcome}");
    match (is_saved, outcome.status.code()) {
        (true, Some(0)) => Expected::Saved,
        (false, Some(0)) => panic!("{what}: a success without a package\n{outcome}"),
        (true, Some(_)) => {
            let is_said = outcome
                .stderr
                .contains(", but its folder could not be synced");
            assert!(is_said, "{what}: a silent package\n{outcome}");
            Expected::Unsynced
        }
        (false, Some(_)) => Expected::Failed,
        // By a signal, which may come after the rename.
        (_, None) => Expected::Any,
    }
}

/// One fault: an error, or a signal that arrives as the call returns.
struct Case {
    old: bool,
    call: Call,
    fault: Fault,
}

#[derive(Clone, Copy)]
enum Fault {
    Error(&'static str),
    Signal(&'static str, libc::c_int),
}

fn try_case(server: &StandIn, Case { old, call, fault }: &Case) {
    let action = match fault {
        Fault::Error(error) => format!("error={error}"),
        Fault::Signal(name, _) => format!("signal={name}"),
    };
    let what = format!("inject={}:{action}:when={}", call.name, call.number);
    let outcome = traced(server, *old, &call.name, Some(&what));
    let result = result(&outcome, *old, &what);
    let trace = trace(&outcome);
    // Some calls to the network are not made in every run.
    match fault {
        Fault::Error(error) => {
            let injected = trace.lines().find(|line| line.contains("(INJECTED)"));
            let expected = injected.map_or(Expected::Any, |line| expected(line, error));
            let is_expected = expected == Expected::Any || result == expected;
            assert!(is_expected, "{what}: not {expected:?}\n{trace}{outcome}");
        }
        Fault::Signal(_, signal) => {
            let is_made = trace.matches(&format!("{}(", call.name)).count() >= call.number;
            let ended = outcome.status.signal();
            assert!(
                !is_made || ended == Some(*signal),
                "{what}\n{trace}{outcome}"
            );
        }
    }
}

#[test]
#[ignore = "it takes most of a minute"]
fn a_fault_at_any_system_call_leaves_the_old_file_or_the_package() {
    const THREADS: usize = 4;
    if !fault::has_strace() {
        return fault::skip("faults at system calls", "strace");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let mut cases = Vec::new();
    for old in [false, true] {
        let calls = calls(&server, old);
        let synced = calls.iter().filter(|call| call.name == "fsync").count();
        assert_eq!(synced, 2, "the file and its folder");
        for call in calls {
            let errors = ERRORS.iter().filter(|_| call.touches_a_file());
            let faults = errors.map(|error| Fault::Error(error)).chain(SIGNALS);
            let case = |fault| Case {
                old,
                call: call.clone(),
                fault,
            };
            cases.extend(faults.map(case));
        }
    }
    let is_expected = |call: &Call, name: &str| call.name == name && call.touches_a_file();
    for name in [
        "openat", "write", "fsync", "close", "rename", "fchown", "fchmod",
    ] {
        let is_tried = cases.iter().any(|case| is_expected(&case.call, name));
        assert!(is_tried, "no fault at {name}");
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    try_case(&server, case);
                }
            });
        }
    });
}

/// Its name can't be guessed, but a link under that name must not be followed all the same.
#[test]
fn a_partial_file_is_always_a_new_one() {
    if !fault::has_strace() {
        return fault::skip("how a file is created", "strace");
    }
    let outcome = traced(&StandIn::tls(ok(&PACKAGE)), false, "openat", None);
    let trace = trace(&outcome);
    let created = trace.lines().find(|line| line.contains(PARTIAL));
    assert!(
        created.is_some_and(|line| line.contains("O_CREAT|O_EXCL")),
        "{trace}"
    );
}

/// A slow disk does this. The next run with `-n` syncs the folder.
#[test]
fn the_maximum_time_ends_the_sync_of_the_folder_and_says_that_the_package_is_there() {
    if !fault::has_strace() {
        return fault::skip("a slow sync", "strace");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let alarm_at = |number: usize| {
        let injection = format!("inject=fsync:signal=ALRM:when={number}");
        let outcome = traced(&server, false, "fsync", Some(&injection));
        outcome.exits(6);
        outcome
    };
    let outcome = alarm_at(2);
    outcome.complains(&format!(
        "saved ./{OUTPUT}, but its folder was not synced within 3600 s (--max-time)"
    ));
    assert_eq!(output(&outcome), Some(PACKAGE.as_slice()), "{outcome}");
    let outcome = alarm_at(1);
    outcome.complains("not finished after 3600 s (--max-time)");
    assert_eq!(output(&outcome), None, "{outcome}");
}

#[test]
fn an_archive_of_many_entries_is_checked_in_few_system_calls() {
    if !fault::has_strace() {
        return fault::skip("a count of system calls", "strace");
    }
    let server = StandIn::tls(Vec::new()).never_called();
    let run = Run::below(&["strace", "-qqo", "trace"]).calling(&server);
    let outcome = run.arg("-n").file(OUTPUT, &with_entries(70_000)).go();
    outcome.exits(0);
    let calls = trace(&outcome).lines().count();
    assert!(calls < 300, "{calls} system calls");
}

/// An archive whose directory has the same entry again and again, and counts as in old Java's
/// archives.
fn with_entries(count: usize) -> Vec<u8> {
    const END: usize = 22;
    let one = stored("logs/worker-00000.log", b"x");
    let (before, end) = one.split_at(one.len() - END);
    let start: [u8; 4] = end[16..20].try_into().expect("four bytes");
    let (data, entry) = before.split_at(u32::from_le_bytes(start) as usize);
    let directory = entry.repeat(count);
    let counted = (count as u16).to_le_bytes(); // modulo 65,536
    let length = (directory.len() as u32).to_le_bytes();
    let end = patch(&patch(end, 8, &[counted, counted].concat()), 12, &length);
    [data, &directory, &end].concat()
}
