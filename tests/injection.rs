//! Faults at every system call of a run: an error, a kill, and a signal. Whatever happens, the output is
//! the old file or the package, whole, and the exit code says which.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;

use crate::harness::{OUTPUT, Outcome, Run, STORAGES, Storage, os};
use crate::packages::{OLD, PACKAGE, ok};
use crate::stand_in::StandIn;

/// What is injected at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error,
    Kill,
    /// The deadline's, or from another process.
    Alarm,
    Terminate,
}

/// A run below strace, which injects at a call, if any: the number of those of its name, from 1.
fn traced(server: &StandIn, storage: Storage, old: bool, inject: Option<&str>) -> Outcome {
    let mut tracer = vec!["strace", "-qq", "-o", "trace"];
    if let Some(inject) = inject {
        tracer.extend(["-e", inject]);
    }
    let mut run = Run::below(&tracer).calling(server).storage(storage);
    if old {
        run = run.file(OUTPUT, OLD);
    }
    run.go()
}

/// How often each system call is made in a run that succeeds.
fn calls(server: &StandIn, storage: Storage, old: bool) -> BTreeMap<String, usize> {
    let outcome = traced(server, storage, old, None);
    outcome.exits(0);
    let trace = String::from_utf8_lossy(&outcome.files[os(b"trace")]).into_owned();
    let mut calls = BTreeMap::new();
    for line in trace.lines() {
        let name = line.split('(').next().unwrap_or_default();
        if !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            *calls.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    // It does not return, and no failure of it can be handled.
    calls.remove("exit_group");
    calls
}

#[track_caller]
fn assert_whole_or_old(outcome: &Outcome, storage: Storage, old: bool, what: &str) {
    // By a signal that can't be caught, or by an abort of the C library's.
    let killed = match outcome.status.signal() {
        None | Some(libc::SIGALRM | libc::SIGTERM) => false,
        Some(_) => true,
    };
    let ended = outcome.status.signal().is_some();
    match outcome.files.get(os(OUTPUT.as_bytes())) {
        None => {
            assert!(!old, "{what}: the old file is gone\n{outcome}");
            assert_ne!(
                outcome.status.code(),
                Some(0),
                "{what}: nothing is there\n{outcome}"
            );
        }
        Some(there) if there == OLD => {
            assert_ne!(
                outcome.status.code(),
                Some(0),
                "{what}: only the old file\n{outcome}"
            );
        }
        Some(there) => {
            assert!(*there == *PACKAGE, "{what}: half a package\n{outcome}");
            let is_said = outcome.stderr.contains("but could not sync its folder");
            let is_success = outcome.status.code() == Some(0);
            assert!(
                ended || is_said || is_success,
                "{what}: a silent package\n{outcome}"
            );
        }
    }
    for (name, content) in &outcome.files {
        if name.as_bytes().starts_with(b".codearts-check-log.") {
            // A name can stay where the program is killed, or can't remove it.
            let may_stay = killed || what.contains("unlink");
            let is_whole = storage == Storage::Named || *content == *PACKAGE;
            assert!(may_stay && is_whole, "{what}: {name:?} is left\n{outcome}");
        }
    }
}

#[test]
#[ignore = "it takes minutes, and strace"]
fn a_fault_at_any_system_call_leaves_the_old_file_or_the_package() {
    let server = StandIn::tls(ok(&PACKAGE));
    let mut injected = 0;
    for storage in STORAGES {
        for old in [false, true] {
            let calls = calls(&server, storage, old);
            // The data, where a file is replaced the mode and the owner, and the folder.
            assert_eq!(calls["fsync"], if old { 3 } else { 2 });
            for (name, count) in calls {
                for number in 1..=count {
                    for fault in [Fault::Error, Fault::Kill, Fault::Alarm, Fault::Terminate] {
                        let action = match fault {
                            Fault::Error => "error=EIO",
                            Fault::Kill => "signal=KILL",
                            Fault::Alarm => "signal=ALRM",
                            Fault::Terminate => "signal=TERM",
                        };
                        let what = format!("inject={name}:{action}:when={number}");
                        let outcome = traced(&server, storage, old, Some(&what));
                        assert_whole_or_old(&outcome, storage, old, &what);
                        injected += 1;
                    }
                }
            }
        }
    }
    assert!(injected > 1_000, "only {injected} faults");
    // A signal that waited for a rename that fails.
    let what = "inject=renameat:error=EIO:signal=TERM";
    let outcome = traced(&server, Storage::Nameless, true, Some(what));
    assert_whole_or_old(&outcome, Storage::Nameless, true, what);
    // The package may be refused the output's name, or the one beside it: then it is copied.
    for number in [1, 2] {
        let what = format!("inject=linkat:error=EPERM:when={number}");
        let outcome = traced(&server, Storage::Nameless, true, Some(&what));
        outcome.exits(0);
        assert_eq!(outcome.files[os(OUTPUT.as_bytes())], *PACKAGE, "{outcome}");
        assert_eq!(
            outcome.files.len(),
            2,
            "more than package and trace\n{outcome}"
        );
    }
}

/// The sync of the folder may take longer than the time after which a run is killed.
#[test]
#[ignore = "it takes seconds, and strace"]
fn nothing_ends_a_run_once_the_package_has_its_name() {
    let server = StandIn::tls(ok(&PACKAGE));
    let delay = "inject=fsync:delay_enter=7s:when=2";
    let tracer = ["strace", "-qq", "-o", "trace", "-e", delay];
    let run = Run::below(&tracer).calling(&server);
    let outcome = run.args(&["--max-time", "1"]).go();
    outcome.exits(0).says("");
    assert_eq!(outcome.files[os(OUTPUT.as_bytes())], *PACKAGE, "{outcome}");
    assert!(outcome.elapsed.as_secs() >= 7, "{outcome}");
}
