//! Where the package goes, and what is there whatever goes wrong.

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use seccompiler::BpfProgram;

use crate::fault;
use crate::harness::{
    ID, OUTPUT, Outcome, Run, Running, STORAGES, Storage, make_fifo, os, wait_until,
};
use crate::packages::{OLD, PACKAGE, noise, ok, stored};
use crate::stand_in::{Greeting, StandIn, Step, response};

fn server() -> StandIn {
    StandIn::tls(ok(&PACKAGE))
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("a file's metadata").mode() & 0o7777
}

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set a file's mode");
}

#[test]
fn an_output_is_a_file_or_an_existing_folder() {
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server).storage(storage).args(&["-o", "out.zip"]);
        run.go().exits(0).leaves_only("out.zip", &PACKAGE);

        let run = Run::new(&server).storage(storage);
        let output = run.path("named.zip");
        let outcome = run.arg("-o").arg(&output).go();
        outcome.exits(0).leaves_only("named.zip", &PACKAGE);

        for folder in ["sub", "sub/", "./sub/.", "link"] {
            let run = Run::new(&server).storage(storage).args(&["-o", folder]);
            fs::create_dir(run.path("sub")).expect("a folder");
            symlink("sub", run.path("link")).expect("a link");
            let outcome = run.go();
            outcome.exits(0);
            let saved = fs::read(outcome.run.path("sub").join(OUTPUT));
            assert_eq!(saved.expect("the package"), *PACKAGE);
            assert_eq!(outcome.files.len(), 2, "{outcome}");
        }
    }
}

#[test]
fn no_clobber_makes_no_call_where_the_package_is_there_already() {
    let server = server().never_called();
    for option in ["-n", "--no-clobber"] {
        let run = Run::new(&server).arg(option).file(OUTPUT, &PACKAGE);
        run.go().exits(0).says("").leaves_only(OUTPUT, &PACKAGE);
    }
    let outcome = Run::new(&server).args(&["-nv"]).file(OUTPUT, &PACKAGE).go();
    outcome
        .exits(0)
        .says(&format!("./{OUTPUT} already exists\n"))
        .leaves_only(OUTPUT, &PACKAGE);
    // A folder's name stands for a file in it.
    let run = Run::new(&server).args(&["-n", "-o", "."]);
    let outcome = run.file(OUTPUT, &PACKAGE).go();
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    // Any file counts with --no-verify. Not even the credentials are read.
    let run = Run::new(&server).args(&["-n", "--no-verify", "-t", "/nowhere"]);
    run.file(OUTPUT, b"").go().exits(0).leaves_only(OUTPUT, b"");
}

#[test]
fn no_clobber_replaces_what_is_no_complete_package_and_says_why() {
    let cut_short = &PACKAGE[..PACKAGE.len() - 1];
    for (old, why) in [
        (&b""[..], "it has no end record"),
        (&PACKAGE[..PACKAGE.len() / 2], "it has no end record"),
        (cut_short, "one of its records is cut short"),
        (OLD, "it has no end record"),
        (
            &[&PACKAGE[..], b"x"].concat(),
            "something follows its end record",
        ),
    ] {
        let server = server();
        let outcome = Run::new(&server).arg("-nv").file(OUTPUT, old).go();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        let line =
            format!("./{OUTPUT} is not a complete ZIP archive ({why}): downloading it again\n");
        assert!(outcome.stderr.starts_with(&line), "{outcome}");
        assert_eq!(server.requests().len(), 1);
        Run::new(&server).arg("-n").file(OUTPUT, old).go().says("");
    }
}

/// The run that saved the package may have been killed before it could sync the folder.
#[test]
fn no_clobber_syncs_the_package_that_is_there_and_its_folder() {
    let there = |filter: BpfProgram| {
        Run::new(&server().never_called())
            .arg("-n")
            .file(OUTPUT, &PACKAGE)
            .command(|command| fault::install(command, filter))
            .go()
    };
    let outcome = there(fault::fail_sync_of(FOLDER, libc::EIO));
    outcome.exits(1).complains(&format!(
        "saved ./{OUTPUT}, but could not sync its folder: "
    ));
    let outcome = there(fault::fail_sync_of(OLD_FILE, libc::EIO));
    outcome
        .exits(1)
        .complains(&format!("cannot sync ./{OUTPUT}: "));
    there(fault::fail_sync_of(FOLDER, libc::EINVAL)).exits(0);
}

#[test]
fn no_clobber_of_a_file_that_can_t_be_read_is_an_error() {
    let server = server().never_called();
    for option in ["-n", "-vn"] {
        let run = Run::ordinary().calling(&server).arg(option);
        let run = run.file(OUTPUT, &PACKAGE);
        set_mode(run.path(OUTPUT), 0o200);
        chown(run.path(OUTPUT), run.user(), None).expect("give a file away");
        let outcome = run.go();
        outcome
            .exits(1)
            .complains(&format!("cannot read ./{OUTPUT}: Permission denied"));
    }
}

#[test]
fn no_clobber_downloads_what_is_not_there_and_refuses_what_is_no_file() {
    for storage in STORAGES {
        let server = server();
        let outcome = Run::new(&server).storage(storage).arg("-n").go();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(server.requests().len(), 1);
    }
    for (output, text) in [
        ("link", "it is a symbolic link"),
        ("/dev/null", "not a regular file"),
        ("folder", "is a directory"),
    ] {
        let run = Run::new(&server().never_called())
            .args(&["-n", "-o", output])
            .file("a", OLD);
        symlink("a", run.path("link")).expect("a link");
        fs::create_dir_all(run.path("folder").join(OUTPUT)).expect("a folder");
        run.go().exits(1).complains(text);
    }
}

#[test]
fn an_output_that_can_t_be_written_is_known_before_the_call() {
    let server = server().never_called();
    for storage in STORAGES {
        for (output, text) in [
            ("no-such-folder/out.zip", "No such file"),
            ("no-such-folder/", "No such file"),
            ("no-such-folder/.", "No such file"),
            ("file/out.zip", "Not a directory"),
            ("file/", "Not a directory"),
            ("full", "is a directory"),
            ("/dev/null", "not a regular file"),
            ("fifo", "not a regular file"),
            ("/proc/out.zip", "/proc"),
            (&"n".repeat(256), "File name too long"),
        ] {
            let run = Run::new(&server).storage(storage).args(&["-o", output]);
            fs::write(run.path("file"), OLD).expect("a file");
            fs::create_dir_all(run.path("full").join(OUTPUT)).expect("a folder");
            make_fifo(&run.path("fifo"));
            let outcome = run.go();
            outcome.exits(1).complains(text).complains("cannot ");
            assert_eq!(outcome.files.len(), 3, "{outcome}");
            assert_eq!(outcome.files[os(b"file")], OLD);
        }
    }
}

#[test]
fn a_folder_that_is_read_only_is_known_before_the_call() {
    let server = server().never_called();
    for storage in STORAGES {
        let run = Run::ordinary()
            .calling(&server)
            .storage(storage)
            .file(OUTPUT, OLD);
        set_mode(run.folder.path(), 0o555);
        let outcome = run.go();
        set_mode(outcome.run.folder.path(), 0o755);
        outcome
            .exits(1)
            .complains("Permission denied")
            .leaves_only(OUTPUT, OLD);
    }
}

#[test]
fn a_name_of_255_bytes_and_one_that_is_not_utf_8_are_names() {
    let long = [b'n'; 255];
    for storage in STORAGES {
        for name in [&long[..], b"\xff\xfe \n.zip"] {
            let server = server();
            let run = || Run::new(&server).storage(storage).arg("-o").arg(os(name));
            run().go().exits(0).leaves_only(os(name), &PACKAGE);
            // Replaced, it needs a second name beside it for an instant.
            let outcome = run().file(os(name), OLD).go();
            outcome.exits(0).leaves_only(os(name), &PACKAGE);
        }
        let server = server().never_called();
        let outcome = Run::new(&server).args(&["-o", "a\nb\u{1b}/x"]).go();
        outcome
            .exits(1)
            .complains("cannot open the folder a\\nb\\u{1b}: ");
    }
}

#[test]
fn a_new_file_has_the_mode_that_the_umask_leaves() {
    for storage in STORAGES {
        for (umask, expected) in [(0o022, 0o644), (0o077, 0o600), (0o000, 0o666)] {
            let server = server();
            let outcome = Run::new(&server)
                .storage(storage)
                .command(|command| fault::set_umask(command, umask))
                .go();
            outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
            assert_eq!(mode(outcome.run.path(OUTPUT)), expected, "{outcome}");
        }
    }
}

#[test]
fn mode_and_hard_links_of_a_replaced_file_stay() {
    for storage in STORAGES {
        for kept in [0o600, 0o444, 0o640, 0o000, 0o777] {
            let server = server();
            let run = Run::new(&server).storage(storage).file(OUTPUT, OLD);
            let other_link = run.side_file("link", b"");
            fs::remove_file(&other_link).expect("remove a file");
            fs::hard_link(run.path(OUTPUT), &other_link).expect("a hard link");
            set_mode(run.path(OUTPUT), kept);
            let outcome = run.go();
            outcome.exits(0);
            assert_eq!(mode(outcome.run.path(OUTPUT)), kept, "{outcome}");
            set_mode(outcome.run.path(OUTPUT), 0o600);
            let package = fs::read(outcome.run.path(OUTPUT)).expect("the package");
            assert_eq!(package, *PACKAGE, "{outcome}");
            set_mode(&other_link, 0o600);
            assert_eq!(fs::read(&other_link).expect("the other link"), OLD);
        }
    }
}

#[test]
#[ignore = "only root can give files away"]
fn owner_of_a_replaced_file_stays_where_allowed() {
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server).storage(storage).file(OUTPUT, OLD);
        chown(run.path(OUTPUT), Some(1234), Some(5678)).expect("give a file away");
        set_mode(run.path(OUTPUT), 0o640);
        let outcome = run.go();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        let found = fs::metadata(outcome.run.path(OUTPUT)).expect("the package");
        assert_eq!(
            (found.uid(), found.gid(), found.mode() & 0o777),
            (1234, 5678, 0o640)
        );

        // Where it is not allowed, another group must not read it, nor the old group by the
        // others' bits what its own did not let it.
        for (old, new) in [
            (0o640, 0o600),
            (0o666, 0o666),
            (0o604, 0o600),
            (0o644, 0o644),
        ] {
            let run = Run::ordinary()
                .calling(&server)
                .storage(storage)
                .file(OUTPUT, OLD);
            chown(run.path(OUTPUT), Some(1234), Some(5678)).expect("give a file away");
            set_mode(run.path(OUTPUT), old);
            let outcome = run.go();
            outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
            let found = fs::metadata(outcome.run.path(OUTPUT)).expect("the package");
            assert_eq!(
                (found.uid(), found.gid(), found.mode() & 0o777),
                (65534, 65534, new)
            );
        }
    }
}

/// A server that stops in the middle of the package, and the run that waits for the rest.
fn in_the_middle(change: impl FnOnce(Run) -> Run) -> Running {
    let reply = response("200 OK", &[], &stored("noise", &noise(600_000)));
    let half = reply[..reply.len() - 1000].to_vec();
    let sent = Arc::new(AtomicBool::new(false));
    let tell = Step::Tell(Arc::clone(&sent));
    let server = StandIn::tls(vec![Step::Send(half), tell, Step::AwaitClose]);
    let running = change(Run::new(&server)).spawn();
    wait_until("half a package is written", || {
        sent.load(Ordering::Relaxed) && running.is_asleep()
    });
    running
}

/// The one file beside the output.
fn partial_file(folder: &Path) -> PathBuf {
    fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.file_name() != Some(os(OUTPUT.as_bytes())))
        .expect("a partial file")
}

#[test]
fn a_partial_file_is_readable_by_no_more_people_than_the_old_one() {
    let running = in_the_middle(|run| {
        let run = run.storage(Storage::Named).file(OUTPUT, OLD);
        set_mode(run.path(OUTPUT), 0o644);
        run
    });
    assert_eq!(mode(partial_file(running.run.folder.path())), 0o600);
    running.signal(libc::SIGKILL);
    running.wait();
}

/// What a link leads to may be a stream, or a file that must stay as it is.
#[test]
fn a_symbolic_link_is_refused_before_the_call() {
    const LINK: &str = "it is a symbolic link: give the path of the file itself";
    let server = server().never_called();
    for (target, text) in [
        ("target", LINK),
        ("/dev/stdout", LINK),
        ("circle.zip", LINK),
        (
            "nothing-there",
            &format!("{LINK} (its target does not exist)"),
        ),
    ] {
        for args in [&["-o", "circle.zip"][..], &["-no", "circle.zip"]] {
            let run = Run::new(&server).args(args).file("target", OLD);
            symlink(target, run.path("circle.zip")).expect("a link");
            let outcome = run.go();
            outcome
                .exits(1)
                .complains(&format!("cannot write circle.zip: {text}"));
            assert!(outcome.run.path("circle.zip").is_symlink(), "{outcome}");
            assert_eq!(outcome.files[os(b"target")], OLD, "{outcome}");
        }
    }
    // In a folder, too, and where the kernel makes the links.
    let run = Run::new(&server).args(&["-o", "."]);
    symlink("target", run.path(OUTPUT)).expect("a link");
    run.go().exits(1).complains(LINK);
    for (folder, name) in [("/dev", "stdout"), ("/proc/self", "fd/1")] {
        let run = Run::new(&server).args(&["-o", name]);
        let run = run.command(|command| {
            command.current_dir(folder);
        });
        let outcome = run.go();
        outcome.exits(1).complains(LINK).leaves_nothing();
    }
}

#[test]
fn a_folder_on_the_way_may_be_a_link_into_another_file_system() {
    // The tests' folders are on a disk, /dev/shm is not.
    let elsewhere = tempfile::tempdir_in("/dev/shm").expect("a folder in /dev/shm");
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server)
            .storage(storage)
            .args(&["-o", "link/out.zip"]);
        symlink(elsewhere.path(), run.path("link")).expect("a link");
        run.go().exits(0);
        let package = fs::read(elsewhere.path().join("out.zip"));
        assert_eq!(package.expect("the package"), *PACKAGE);
        let files = fs::read_dir(elsewhere.path()).expect("the folder");
        assert_eq!(files.count(), 1);
    }
}

#[test]
fn a_file_size_limit_is_an_error_and_not_a_death() {
    let package = stored("noise", &noise(1 << 20));
    for storage in STORAGES {
        let server = StandIn::tls(ok(&package));
        let outcome = Run::new(&server)
            .storage(storage)
            .file(OUTPUT, OLD)
            .command(|command| fault::limit(command, libc::RLIMIT_FSIZE, 500_000))
            .go();
        outcome
            .exits(1)
            .complains(&format!("cannot write ./{OUTPUT}: File too large"))
            .leaves_only(OUTPUT, OLD);
    }
}

#[test]
#[ignore = "only root can mount file systems"]
fn a_full_disk_is_an_error() {
    if !fault::can_mount() {
        return fault::skip("a full disk", "the right to mount");
    }
    let package = stored("noise", &noise(1 << 20));
    for storage in STORAGES {
        let server = StandIn::tls(ok(&package));
        let run = Run::new(&server).storage(storage);
        let mount = run.folder.path().to_owned();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k", "none"])
            .arg(&mount)
            .status();
        assert!(mounted.expect("run mount").success());
        // The run must start in the new root of the file system.
        let outcome = run.file(OUTPUT, OLD).arg("-o").arg(&mount).go();
        outcome
            .exits(1)
            .complains("No space left on device")
            .leaves_only(OUTPUT, OLD);
        drop(outcome);
        let unmounted = Command::new("umount").arg(&mount).status();
        assert!(unmounted.expect("run umount").success());
        fs::remove_dir(&mount).expect("remove the folder");
    }
}

/// A run over an old file in which some system calls fail.
fn with_fault(storage: Storage, filter: BpfProgram) -> Outcome {
    Run::new(&server())
        .storage(storage)
        .file(OUTPUT, OLD)
        .command(|command| fault::install(command, filter))
        .go()
}

#[test]
fn a_disk_that_fails_to_sync_is_an_error_and_the_old_file_stays() {
    for storage in STORAGES {
        let outcome = with_fault(storage, fault::fail(libc::SYS_fsync, libc::EIO));
        outcome
            .exits(1)
            .complains("Input/output error")
            .leaves_only(OUTPUT, OLD);
    }
}

/// The descriptor of the folder, which is the first that is opened and stays open.
const FOLDER: u64 = 3;
/// The descriptor of the old file, after that of the same file for its metadata.
const OLD_FILE: u64 = 5;
/// The descriptor of the copy, after those of the folder, the old file and the nameless one: the
/// connection is closed by then.
const COPY: u64 = 6;

#[test]
fn a_folder_that_can_t_be_synced_on_its_file_system_does_no_harm() {
    for errno in [libc::EINVAL, libc::ENOTSUP] {
        for storage in STORAGES {
            let outcome = with_fault(storage, fault::fail_sync_of(FOLDER, errno));
            outcome.exits(0).says("").leaves_only(OUTPUT, &PACKAGE);
        }
        let outcome = Run::new(&server())
            .arg("-v")
            .command(|command| fault::install(command, fault::fail_sync_of(FOLDER, errno)))
            .go();
        let line = format!("\n./{OUTPUT}: its file system can't sync a folder\nsaved ");
        outcome.exits(0);
        assert!(outcome.stderr.contains(&line), "{outcome}");
    }
}

#[test]
fn a_folder_that_fails_to_sync_is_an_error_that_tells_of_the_package() {
    for storage in STORAGES {
        let outcome = with_fault(storage, fault::fail_sync_of(FOLDER, libc::EIO));
        outcome
            .exits(1)
            .complains(&format!(
                "saved ./{OUTPUT}, but could not sync its folder: Input/output error"
            ))
            .leaves_only(OUTPUT, &PACKAGE);
    }
}

#[test]
fn a_rename_that_fails_leaves_no_second_name() {
    for storage in STORAGES {
        let outcome = with_fault(storage, fault::fail(libc::SYS_renameat, libc::EIO));
        outcome
            .exits(1)
            .complains("Input/output error")
            .leaves_only(OUTPUT, OLD);
    }
}

/// As AppArmor, a seccomp filter or some Androids do it.
#[test]
fn a_nameless_file_that_must_not_get_a_name_is_copied() {
    let package = stored("noise", &noise(3 << 20));
    for errno in [libc::ENOENT, libc::EPERM, libc::EACCES, libc::ENOSYS] {
        for old in [false, true] {
            let server = StandIn::tls(ok(&package));
            let mut run = Run::new(&server);
            if old {
                run = run.file(OUTPUT, OLD);
                set_mode(run.path(OUTPUT), 0o640);
            }
            let filter = fault::fail(libc::SYS_linkat, errno);
            let outcome = run
                .command(|command| {
                    fault::set_umask(command, 0o022);
                    fault::install(command, filter);
                })
                .go();
            outcome.exits(0).says("").leaves_only(OUTPUT, &package);
            let expected = if old { 0o640 } else { 0o644 };
            assert_eq!(mode(outcome.run.path(OUTPUT)), expected, "{outcome}");
        }
    }
}

#[test]
fn a_disk_that_fails_to_link_is_an_error() {
    for errno in [libc::EIO, libc::ENOSPC, libc::EDQUOT, libc::EROFS] {
        let outcome = with_fault(Storage::Nameless, fault::fail(libc::SYS_linkat, errno));
        outcome
            .exits(1)
            .complains("cannot write ")
            .leaves_only(OUTPUT, OLD);
    }
}

/// The copy is synced like any package, and a signal removes it.
#[test]
fn a_copy_is_synced_and_no_half_of_one_is_left() {
    let copy = |filter: BpfProgram| {
        let server = server();
        let run = Run::new(&server).file(OUTPUT, OLD);
        let filters = [fault::fail(libc::SYS_linkat, libc::EPERM), filter];
        run.command(|command| filters.into_iter().for_each(|f| fault::install(command, f)))
            .go()
    };
    let outcome = copy(fault::fail_sync_of(COPY, libc::EIO));
    outcome
        .exits(1)
        .complains("Input/output error")
        .leaves_only(OUTPUT, OLD);
    let outcome = copy(fault::fail(libc::SYS_renameat, libc::EIO));
    outcome
        .exits(1)
        .complains("Input/output error")
        .leaves_only(OUTPUT, OLD);
}

#[test]
#[ignore = "only root can mount file systems"]
fn an_output_that_is_a_mount_point_is_an_error_that_says_so() {
    if !fault::can_mount() {
        return fault::skip("a mounted file", "the right to mount");
    }
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server).storage(storage).file(OUTPUT, OLD);
        let mounted = run.side_file("mounted", b"mounted");
        let target = CString::new(run.path(OUTPUT).as_os_str().as_bytes()).expect("no NUL");
        let outcome = run
            .command(|command| fault::replace_files(command, &[(&target, &mounted)]))
            .go();
        outcome
            .exits(1)
            .complains(&format!(
                "cannot write ./{OUTPUT}: it is a mount point: mount its folder instead"
            ))
            .leaves_only(OUTPUT, OLD);
    }
}

#[test]
fn an_output_folder_or_a_working_folder_that_is_removed_is_an_error() {
    for storage in STORAGES {
        let run = Run::new(&server().never_called()).storage(storage);
        let folder = run.folder.path().to_owned();
        let run = run.command(|command| fault::remove_folder(command, &folder));
        run.go().exits(1).complains("No such file");

        // A folder with a nameless file in it can be removed; one with a named one, emptied first.
        let running = in_the_middle(|run| {
            fs::create_dir(run.path("sub")).expect("a folder");
            run.storage(storage)
                .args(&["-o", "sub", "--timeout", "0.5"])
        });
        fs::remove_dir_all(running.run.path("sub")).expect("remove the folder");
        running.wait().exits(6).leaves_nothing();
    }
}

#[test]
fn a_run_that_fails_leaves_no_partial_file() {
    let cut_short = &PACKAGE[..PACKAGE.len() - 1];
    for storage in STORAGES {
        for (script, code) in [
            (ok(cut_short), 7),
            (vec![Step::Send(response("400 Bad Request", &[], b""))], 40),
            (vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec())], 6),
        ] {
            let server = StandIn::tls(script);
            let run = || Run::new(&server).storage(storage);
            run().go().exits(code).leaves_nothing();
            let outcome = run().file(OUTPUT, OLD).go();
            outcome.exits(code).leaves_only(OUTPUT, OLD);
        }
    }
}

/// A run during which `change` happens to its folder.
fn with_change(prepare: impl FnOnce(Run) -> Run, change: fn(&Path)) -> Outcome {
    let place = Arc::new(OnceLock::new());
    let folder: Arc<OnceLock<PathBuf>> = Arc::clone(&place);
    let server = StandIn::start(Greeting::tls(), move |_| {
        change(
            folder
                .get()
                .expect("the folder is known before the run starts"),
        );
        ok(&PACKAGE)
    });
    let run = prepare(Run::new(&server));
    place
        .set(run.folder.path().to_owned())
        .expect("it is set once");
    run.go()
}

#[test]
fn a_file_that_appears_during_the_run_does_not_set_the_mode() {
    for storage in STORAGES {
        let planted = |folder: &Path| {
            fs::write(folder.join(OUTPUT), b"planted").expect("a file");
            set_mode(folder.join(OUTPUT), 0o666);
        };
        let umask = |run: Run| {
            run.storage(storage)
                .command(|command| fault::set_umask(command, 0o077))
        };
        let outcome = with_change(umask, planted);
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o600, "{outcome}");

        let private = |run: Run| {
            let run = run.storage(storage).file(OUTPUT, OLD);
            set_mode(run.path(OUTPUT), 0o640);
            run
        };
        let outcome = with_change(private, |folder| {
            fs::write(folder.join("planted"), b"planted").expect("a file");
            set_mode(folder.join("planted"), 0o666);
            fs::rename(folder.join("planted"), folder.join(OUTPUT)).expect("rename a file");
        });
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o640, "{outcome}");

        // File systems like to give a new file the old one's inode as soon as it is free.
        let outcome = with_change(private, |folder| {
            let old = fs::metadata(folder.join(OUTPUT))
                .expect("the old file")
                .ino();
            fs::remove_file(folder.join(OUTPUT)).expect("remove a file");
            let files = (0..1000).map(|number| folder.join(format!("planted-{number}")));
            let planted: Vec<PathBuf> = files
                .inspect(|path| fs::write(path, b"planted").expect("a file"))
                .collect();
            let is_twin = |path: &&PathBuf| fs::metadata(path).is_ok_and(|m| m.ino() == old);
            if let Some(twin) = planted.iter().find(is_twin) {
                set_mode(twin, 0o666);
                fs::rename(twin, folder.join(OUTPUT)).expect("rename a file");
            }
            for path in planted {
                let _ = fs::remove_file(path); // one of them was renamed
            }
        });
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o640, "{outcome}");

        // But the old file itself may be closed to others during the run.
        let outcome = with_change(private, |folder| set_mode(folder.join(OUTPUT), 0o600));
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o600, "{outcome}");

        // A link is replaced, and not followed.
        let outcome = with_change(
            |run| run.storage(storage),
            |folder| symlink("elsewhere", folder.join(OUTPUT)).expect("a link"),
        );
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert!(!outcome.run.path(OUTPUT).is_symlink(), "{outcome}");
    }
}

/// A sync can take long, and the old file's mode may change meanwhile.
#[test]
fn the_old_mode_is_taken_over_after_the_data_is_synced() {
    let server = server();
    let run = Run::new(&server).storage(Storage::Named).file(OUTPUT, OLD);
    set_mode(run.path(OUTPUT), 0o644);
    let killed = run
        .command(|command| fault::install(command, fault::kill_at(libc::SYS_fsync)))
        .go();
    assert_eq!(killed.status.signal(), Some(libc::SIGSYS), "{killed}");
    let partial = partial_file(killed.run.folder.path());
    assert_eq!(mode(partial), 0o600, "{killed}");
}

#[test]
fn an_old_file_that_is_removed_during_the_run_is_replaced_all_the_same() {
    for storage in STORAGES {
        let old = |run: Run| {
            let run = run.storage(storage).file(OUTPUT, OLD);
            set_mode(run.path(OUTPUT), 0o640);
            run
        };
        let remove = |folder: &Path| fs::remove_file(folder.join(OUTPUT)).expect("remove a file");
        let outcome = with_change(old, remove);
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o640, "{outcome}");
    }
}

#[test]
fn a_package_whose_folder_is_gone_at_the_end_is_not_saved() {
    for storage in STORAGES {
        let in_a_folder = |run: Run| {
            fs::create_dir(run.path("sub")).expect("a folder");
            run.storage(storage).args(&["-o", "sub"])
        };
        let remove = |folder: &Path| {
            fs::remove_dir_all(folder.join("sub")).expect("remove the folder");
        };
        let outcome = with_change(in_a_folder, remove);
        outcome
            .exits(1)
            .complains("cannot write sub/")
            .leaves_nothing();
    }
}

/// As when logs are rotated. The package must not replace a file behind a link that took the folder's
/// place.
#[test]
fn a_folder_that_is_moved_during_the_run_gets_the_package() {
    for storage in STORAGES {
        let in_a_folder = |run: Run| {
            fs::create_dir(run.path("sub")).expect("a folder");
            fs::create_dir(run.path("other")).expect("a folder");
            fs::write(run.path("other").join(OUTPUT), OLD).expect("a file");
            run.storage(storage).args(&["-o", "sub"])
        };
        let outcome = with_change(in_a_folder, |folder| {
            fs::rename(folder.join("sub"), folder.join("moved")).expect("move a folder");
            symlink("other", folder.join("sub")).expect("a link");
        });
        outcome.exits(0);
        let content = |folder: &str| fs::read(outcome.run.path(folder).join(OUTPUT));
        assert_eq!(content("moved").expect("the package"), *PACKAGE);
        assert_eq!(content("other").expect("a file"), OLD, "{outcome}");
    }
}

#[test]
#[ignore = "only root can give files away"]
fn a_planted_file_does_not_set_the_mode() {
    for storage in STORAGES {
        for (owner, expected) in [(1234, 0o600), (0, 0o666)] {
            let server = server();
            let run = Run::new(&server)
                .storage(storage)
                .file(OUTPUT, OLD)
                .command(|command| fault::set_umask(command, 0o077));
            set_mode(run.folder.path(), 0o1777);
            set_mode(run.path(OUTPUT), 0o666);
            chown(run.path(OUTPUT), Some(owner), Some(owner)).expect("give a file away");
            let outcome = run.go();
            outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
            let found = fs::metadata(outcome.run.path(OUTPUT)).expect("the package");
            assert_eq!(
                (found.uid(), found.mode() & 0o777),
                (0, expected),
                "{outcome}"
            );
        }
    }
}

/// The kernel takes them away with the owner; here nothing gets that far.
#[test]
fn set_id_bits_are_never_taken_over() {
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server).storage(storage).file(OUTPUT, OLD);
        set_mode(run.path(OUTPUT), 0o6755);
        let filter = fault::fail(libc::SYS_fchown, libc::EPERM);
        let outcome = run.command(|command| fault::install(command, filter)).go();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o755, "{outcome}");
    }
}

/// As with FUSE, or for root without the right to do so (CAP_FOWNER).
#[test]
fn an_old_file_whose_mode_can_t_be_kept_is_replaced_by_one_for_its_owner() {
    for storage in STORAGES {
        for errno in [libc::EPERM, libc::ENOSYS, libc::EOPNOTSUPP] {
            let server = server();
            let run = Run::new(&server).storage(storage).file(OUTPUT, OLD);
            set_mode(run.path(OUTPUT), 0o644);
            let outcome = run
                .command(|command| fault::install(command, fault::fail(libc::SYS_fchmod, errno)))
                .go();
            outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
            assert_eq!(mode(outcome.run.path(OUTPUT)), 0o600, "{outcome}");
        }
    }
}

#[test]
fn a_path_of_the_longest_kind_works_again_and_again() {
    const LONGEST: usize = 4095;
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server).storage(storage);
        let mut output = run.folder.path().to_owned();
        while output.as_os_str().len() + 202 < LONGEST - 30 {
            output.push("d".repeat(200));
        }
        let made = Command::new("mkdir").arg("-p").arg(&output).status();
        assert!(made.expect("run mkdir").success());
        let name = "n".repeat(LONGEST - output.as_os_str().len() - 1);
        output.push(&name[..name.len().min(255)]);
        assert_eq!(output.as_os_str().len(), LONGEST);
        let outcome = run.arg("-o").arg(&output).go();
        outcome.exits(0);
        let again = Run::new(&server).storage(storage).arg("-o").arg(&output);
        again.go().exits(0);
    }
}

/// As where other runs, or a clean-up, work on the same output.
#[test]
fn an_output_that_comes_and_goes_during_the_run_does_no_harm() {
    for storage in STORAGES {
        let server = StandIn::scripted(Greeting::Plain, ok(&PACKAGE));
        let endpoint = format!("http://{}", server.address);
        for _ in 0..150 {
            let run = Run::bare().storage(storage).args(&["-e", &endpoint, ID]);
            let (old, path) = (run.side_file("old", OLD), run.path(OUTPUT));
            let ended = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        // The run may be faster, with either.
                        let _ = fs::hard_link(&old, &path);
                        let _ = fs::remove_file(&path);
                    }
                });
                let outcome = run.go();
                ended.store(true, Ordering::Relaxed);
                outcome.exits(0).says("");
            });
        }
    }
}

#[test]
fn memory_for_a_package_is_bounded() {
    const LIMIT: libc::rlim_t = 12 << 20;
    let package = stored("noise", &noise(24 << 20));
    let server = StandIn::tls(ok(&package));
    let outcome = Run::new(&server)
        .command(|command| fault::limit(command, libc::RLIMIT_DATA, LIMIT))
        .go();
    outcome.exits(0).leaves_only(OUTPUT, &package);
}

#[test]
fn a_signal_leaves_the_old_file_and_nothing_else() {
    for storage in STORAGES {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGALRM] {
            let running = in_the_middle(|run| {
                let run = run.storage(storage).file(OUTPUT, OLD);
                run.args(&["--max-time", "0"])
            });
            running.signal(signal);
            let outcome = running.wait();
            assert_eq!(outcome.status.signal(), Some(signal), "{outcome}");
            outcome.says("").leaves_only(OUTPUT, OLD);
        }
        let running = in_the_middle(|run| run.storage(storage).file(OUTPUT, OLD));
        running.signal(libc::SIGKILL);
        let outcome = running.wait();
        assert_eq!(outcome.status.signal(), Some(libc::SIGKILL), "{outcome}");
        assert_leaves_old(&outcome, storage);
    }
}

/// Signals do not end process 1 of a container by their default action.
#[test]
#[ignore = "only root can make a PID namespace"]
fn a_signal_ends_process_1_of_a_container() {
    let server = StandIn::tls(vec![Step::AwaitClose]);
    let unshare = ["unshare", "--pid", "--fork", "--kill-child"];
    let running = Run::below(&unshare)
        .calling(&server)
        .storage(Storage::Named)
        .spawn();
    wait_until("the call is made", || !server.requests().is_empty());
    let pid = running.pid;
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let child = children.expect("its children").trim().parse().expect("one");
    // SAFETY: it is a process of this test's.
    assert_eq!(unsafe { libc::kill(child, libc::SIGTERM) }, 0);
    running.wait().exits(128 + libc::SIGTERM).leaves_nothing();
}

#[test]
fn a_kill_at_any_moment_leaves_a_whole_file_and_the_next_run_succeeds() {
    /// About how long a run takes.
    const RUN: u64 = 15_000;
    let package = stored("noise", &noise(300_000));
    let server = StandIn::tls(ok(&package));
    let mut moments = noise(1_000).into_iter();
    for storage in STORAGES {
        for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            let mut killed = 0;
            for _ in 0..20 {
                let running = Run::new(&server).storage(storage).file(OUTPUT, OLD).spawn();
                let moment = u64::from(moments.next().expect("enough of them"));
                std::thread::sleep(Duration::from_micros(moment * RUN / 256));
                killed += u32::from(running.signal_if_running(signal));
                let outcome = running.wait();
                let there = &outcome.files[os(OUTPUT.as_bytes())];
                assert!(there == OLD || *there == package, "{outcome}");
                let beside: Vec<_> = outcome
                    .files
                    .iter()
                    .filter(|(name, _)| name.as_bytes() != OUTPUT.as_bytes())
                    .collect();
                match (&beside[..], storage) {
                    ([], _) => {}
                    ([(name, content)], _) if signal == libc::SIGKILL => {
                        assert!(
                            name.as_bytes().starts_with(b".codearts-check-log."),
                            "{outcome}"
                        );
                        // Between link and rename it is whole.
                        assert!(
                            storage == Storage::Named || **content == package,
                            "{outcome}"
                        );
                    }
                    _ => panic!("a file is left\n{outcome}"),
                }
                let next = Run::new(&server).storage(storage).arg("-o");
                next.arg(outcome.run.folder.path()).go().exits(0);
                let there = fs::read(outcome.run.path(OUTPUT)).expect("the package");
                assert!(there == package, "{outcome}");
            }
            assert!(killed > 0, "no run was killed");
        }
    }
}

/// Asserts that the old file is whole, and beside it nothing, or, where it can't be helped, one
/// partial file.
#[track_caller]
fn assert_leaves_old(outcome: &Outcome, storage: Storage) {
    match storage {
        Storage::Nameless => {
            outcome.leaves_only(OUTPUT, OLD);
        }
        Storage::Named => {
            let names: Vec<_> = outcome.files.keys().collect();
            assert_eq!(names.len(), 2, "{outcome}");
            assert!(
                names[0].as_bytes().starts_with(b".codearts-check-log."),
                "{outcome}"
            );
            assert_eq!(outcome.files[os(OUTPUT.as_bytes())], OLD);
        }
    }
}

/// After the partial file was created with all signals blocked, too.
#[test]
fn a_signal_that_was_blocked_stays_blocked() {
    let running = in_the_middle(|run| {
        run.storage(Storage::Named)
            .args(&["--timeout", "1"])
            .command(|command| fault::block_signal(command, libc::SIGTERM))
    });
    running.signal(libc::SIGTERM);
    running
        .wait()
        .exits(6)
        .complains("--timeout")
        .leaves_nothing();
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let running = in_the_middle(|run| {
        run.args(&["--timeout", "1"]).command(|command| {
            for signal in [libc::SIGHUP, libc::SIGINT] {
                fault::set_signal(command, signal, libc::SIG_IGN);
            }
        })
    });
    running.signal(libc::SIGHUP);
    running.signal(libc::SIGINT);
    running
        .wait()
        .exits(6)
        .complains("--timeout")
        .leaves_nothing();
}

#[test]
fn runs_at_once_for_one_output_all_succeed_and_one_package_is_there() {
    const RUNS: usize = 8;
    const ROUNDS: usize = 25;
    for storage in STORAGES {
        let packages: Vec<Vec<u8>> = (0..RUNS)
            .map(|number| stored("noise", &noise(300_000 + number)))
            .collect();
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..ROUNDS {
            let next = AtomicUsize::new(0);
            let replies: Vec<_> = packages.iter().map(|package| ok(package)).collect();
            let server = StandIn::start(Greeting::tls(), move |_| {
                replies[next.fetch_add(1, Ordering::Relaxed)].clone()
            });
            let runs: Vec<Running> = (0..RUNS)
                .map(|_| {
                    let run = Run::new(&server).storage(storage);
                    run.arg("-o").arg(folder.path()).spawn()
                })
                .collect();
            for run in runs {
                run.wait().exits(0).says("");
            }
            let names: Vec<_> = fs::read_dir(folder.path()).expect("the folder").collect();
            assert_eq!(names.len(), 1, "round {round}, {storage:?}: {names:?}");
            let found = fs::read(folder.path().join(OUTPUT)).expect("the package");
            assert!(packages.contains(&found), "round {round}, {storage:?}");
            if round % 2 == 0 {
                fs::remove_file(folder.path().join(OUTPUT)).expect("remove the package");
            }
        }
    }
}

#[test]
fn stale_and_foreign_files_beside_the_output_do_not_matter() {
    for storage in STORAGES {
        let server = server();
        let run = Run::new(&server).storage(storage);
        File::create(run.path(".codearts-check-log.1.1795761591000000000")).expect("a stale file");
        let outcome = run.go();
        outcome.exits(0);
        assert_eq!(outcome.files.len(), 2, "{outcome}");
        assert_eq!(outcome.files[os(OUTPUT.as_bytes())], *PACKAGE);
    }
}
