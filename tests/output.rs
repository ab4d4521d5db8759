//! Where the package goes, and what is there if anything goes wrong.

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
use crate::harness::{ID, OUTPUT, Outcome, Run, Running, make_fifo, os, wait_until};
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
    let server = server();
    let run = Run::new(&server).args(&["-o", "out.zip"]);
    run.go().exits(0).leaves_only("out.zip", &PACKAGE);

    let run = Run::new(&server);
    let output = run.path("named.zip");
    let outcome = run.arg("-o").arg(&output).go();
    outcome.exits(0).leaves_only("named.zip", &PACKAGE);

    for folder in ["sub", "sub/", "./sub/.", "link"] {
        let run = Run::new(&server).args(&["-o", folder]);
        fs::create_dir(run.path("sub")).expect("a folder");
        symlink("sub", run.path("link")).expect("a link");
        let outcome = run.go();
        outcome.exits(0);
        let saved = fs::read(outcome.run.path("sub").join(OUTPUT));
        assert_eq!(saved.expect("the package"), *PACKAGE);
        assert_eq!(outcome.files.len(), 2, "{outcome}");
    }
}

#[test]
fn no_clobber_makes_no_call_if_the_package_is_there_already() {
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
fn no_clobber_replaces_an_incomplete_package_and_says_why() {
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
    // Nothing else is open: first the package, and then the folder beside it.
    const PACKAGE_FILE: u64 = 3;
    const FOLDER: u64 = 4;
    let there = |filter: BpfProgram| {
        Run::new(&server().never_called())
            .arg("-n")
            .file(OUTPUT, &PACKAGE)
            .command(|command| fault::install(command, filter))
            .go()
    };
    let outcome = there(fault::fail_sync_of(FOLDER, libc::EIO));
    outcome.exits(1).complains(&format!(
        "./{OUTPUT} is there, but its folder could not be synced: Input/output error"
    ));
    let outcome = there(fault::fail_sync_of(PACKAGE_FILE, libc::EIO));
    outcome
        .exits(1)
        .complains(&format!("cannot sync ./{OUTPUT}: Input/output error"));
    there(fault::fail(libc::SYS_fsync, libc::EINVAL)).exits(0);
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
fn no_clobber_downloads_a_missing_file_and_refuses_what_is_not_a_file() {
    let outcome = Run::new(&server()).arg("-n").go();
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
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
    for (output, text) in [
        (
            "no-such-folder/out.zip",
            "the folder no-such-folder does not exist",
        ),
        (
            "no-such-folder/",
            "the folder no-such-folder/ does not exist",
        ),
        (
            "no-such-folder/.",
            "the folder no-such-folder/. does not exist",
        ),
        ("file/out.zip", "Not a directory"),
        ("file/", "Not a directory"),
        ("full", "is a directory"),
        ("/dev/null", "not a regular file"),
        ("fifo", "not a regular file"),
        ("/proc/out.zip", "/proc"),
        (&"n".repeat(256), "File name too long"),
    ] {
        let run = Run::new(&server).args(&["-o", output]);
        fs::write(run.path("file"), OLD).expect("a file");
        fs::create_dir_all(run.path("full").join(OUTPUT)).expect("a folder");
        make_fifo(&run.path("fifo"));
        let outcome = run.go();
        outcome.exits(1).complains(text).complains("cannot ");
        assert_eq!(outcome.files.len(), 3, "{outcome}");
        assert_eq!(outcome.files[os(b"file")], OLD);
    }
}

#[test]
fn a_folder_that_is_read_only_is_known_before_the_call() {
    let server = server().never_called();
    let run = Run::ordinary().calling(&server).file(OUTPUT, OLD);
    set_mode(run.folder.path(), 0o555);
    let outcome = run.go();
    set_mode(outcome.run.folder.path(), 0o755);
    outcome
        .exits(1)
        .complains("Permission denied")
        .leaves_only(OUTPUT, OLD);
}

#[test]
fn a_name_of_255_bytes_and_one_that_is_not_utf_8_are_accepted() {
    let long = [b'n'; 255];
    for name in [&long[..], b"\xff\xfe \n.zip"] {
        let server = server();
        let run = || Run::new(&server).arg("-o").arg(os(name));
        run().go().exits(0).leaves_only(os(name), &PACKAGE);
        let outcome = run().file(os(name), OLD).go();
        outcome.exits(0).leaves_only(os(name), &PACKAGE);
    }
    let server = server().never_called();
    let outcome = Run::new(&server).args(&["-o", "a\nb\u{1b}/x"]).go();
    outcome
        .exits(1)
        .complains("cannot write a\\nb\\u{1b}/x: the folder a\\nb\\u{1b} does not exist");
}

#[test]
fn a_new_file_has_the_mode_that_the_umask_leaves() {
    for (umask, expected) in [(0o022, 0o644), (0o077, 0o600), (0o000, 0o666)] {
        let server = server();
        let outcome = Run::new(&server)
            .command(|command| fault::set_umask(command, umask))
            .go();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), expected, "{outcome}");
    }
}

#[test]
fn mode_and_hard_links_of_a_replaced_file_stay() {
    for kept in [0o600, 0o444, 0o640, 0o000, 0o777] {
        let server = server();
        let run = Run::new(&server).file(OUTPUT, OLD);
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

#[test]
#[ignore = "only root can give files away"]
fn owner_group_and_mode_of_a_replaced_file_stay_where_allowed() {
    let server = server();
    let old = |run: Run, owner, group, mode| {
        let run = run.file(OUTPUT, OLD);
        chown(run.path(OUTPUT), Some(owner), Some(group)).expect("give a file away");
        set_mode(run.path(OUTPUT), mode);
        run.command(|command| fault::set_umask(command, 0o022))
    };
    let access = |outcome: &Outcome| {
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        let found = fs::metadata(outcome.run.path(OUTPUT)).expect("the package");
        (found.uid(), found.gid(), found.mode() & 0o7777)
    };
    let outcome = old(Run::new(&server), 1234, 5678, 0o660).go();
    assert_eq!(access(&outcome), (1234, 5678, 0o660));

    // Another group gets no more than all others, and the umask counts.
    for (group, mode, expected) in [
        (5678, 0o640, 0o600),
        (5678, 0o664, 0o644),
        (5678, 0o666, 0o644),
        (5678, 0o604, 0o604),
        (5678, 0o000, 0o000),
        (65534, 0o640, 0o600),
    ] {
        let ordinary = Run::ordinary().calling(&server);
        let outcome = old(ordinary, 1234, group, mode).go();
        assert_eq!(access(&outcome), (65534, 65534, expected));
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

/// The partial file in a folder.
fn partial_file(folder: &Path) -> PathBuf {
    fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.display().to_string().contains("/.codearts-check-log."))
        .expect("a partial file")
}

#[test]
fn a_partial_file_is_named_after_its_process_and_has_the_old_file_s_mode() {
    let running = in_the_middle(|run| {
        let run = run.file(OUTPUT, OLD);
        set_mode(run.path(OUTPUT), 0o640);
        run
    });
    let partial = partial_file(running.run.folder.path());
    assert_eq!(mode(&partial), 0o640);
    let name = partial.file_name().expect("its name").to_string_lossy();
    let start = format!(".codearts-check-log.{}.", running.pid);
    assert!(name.starts_with(&start), "{name}");
    running.signal(libc::SIGKILL);
    running.wait();
}

/// A link's target may be a stream, or a file that must not change.
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
    let server = server();
    let run = Run::new(&server).args(&["-o", "link/out.zip"]);
    symlink(elsewhere.path(), run.path("link")).expect("a link");
    run.go().exits(0);
    let package = fs::read(elsewhere.path().join("out.zip"));
    assert_eq!(package.expect("the package"), *PACKAGE);
    let files = fs::read_dir(elsewhere.path()).expect("the folder");
    assert_eq!(files.count(), 1);
}

#[test]
fn a_file_size_limit_is_an_error_and_does_not_kill_the_run() {
    let package = stored("noise", &noise(1 << 20));
    let server = StandIn::tls(ok(&package));
    let outcome = Run::new(&server)
        .file(OUTPUT, OLD)
        .command(|command| fault::limit(command, libc::RLIMIT_FSIZE, 500_000))
        .go();
    outcome
        .exits(1)
        .complains(&format!("cannot write ./{OUTPUT}: File too large"))
        .leaves_only(OUTPUT, OLD);
}

#[test]
#[ignore = "only root can mount file systems"]
fn a_full_disk_is_an_error() {
    if !fault::can_mount() {
        return fault::skip("a full disk", "the right to mount");
    }
    let package = stored("noise", &noise(1 << 20));
    let server = StandIn::tls(ok(&package));
    let run = Run::new(&server);
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

/// A run over an old file in which some system calls fail.
fn with_fault(filter: BpfProgram) -> Outcome {
    Run::new(&server())
        .arg("-v")
        .file(OUTPUT, OLD)
        .command(|command| fault::install(command, filter))
        .go()
}

#[test]
fn a_disk_that_fails_to_sync_is_an_error_and_the_old_file_stays() {
    for errno in [libc::EIO, libc::ENOSPC, libc::EDQUOT] {
        let outcome = with_fault(fault::fail(libc::SYS_fsync, errno));
        outcome.exits(1).leaves_only(OUTPUT, OLD);
        let error = format!("cannot write ./{OUTPUT}: ");
        assert!(outcome.stderr.contains(&error), "{outcome}");
    }
}

/// CIFS, vboxsf and many FUSE file systems do this.
#[test]
fn a_file_system_that_can_t_sync_does_no_harm() {
    for errno in [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP] {
        let outcome = with_fault(fault::fail(libc::SYS_fsync, errno));
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        let lines = format!(
            "\n./{OUTPUT}: its file system can't sync a file\n\
             ./{OUTPUT}: its file system can't sync a folder\nsaved "
        );
        assert!(outcome.stderr.contains(&lines), "{outcome}");
    }
}

/// A drop box: all users may write to it, but without the right to read it, it can't be opened to
/// be synced.
#[test]
#[ignore = "only root can give folders away"]
fn a_folder_that_may_be_written_to_and_not_opened_gets_the_package() {
    for verbosity in ["-q", "-v"] {
        let server = server();
        let run = Run::ordinary().calling(&server).arg(verbosity);
        chown(run.folder.path(), Some(1234), None).expect("give a folder away");
        set_mode(run.folder.path(), 0o1733);
        let outcome = run.go();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        let line =
            format!("\n./{OUTPUT}: there is no permission to open its folder and sync it\nsaved ");
        assert_eq!(
            outcome.stderr.contains(&line),
            verbosity == "-v",
            "{outcome}"
        );
    }
}

#[test]
#[ignore = "only root can mount file systems"]
fn an_output_that_is_a_mount_point_is_an_error_that_says_so() {
    if !fault::can_mount() {
        return fault::skip("a mounted file", "the right to mount");
    }
    let server = server();
    let run = Run::new(&server).file(OUTPUT, OLD);
    let mounted = run.side_file("mounted", b"mounted");
    let target = CString::new(run.path(OUTPUT).as_os_str().as_bytes()).expect("no NUL");
    let outcome = run
        .command(|command| fault::replace_files(command, &[(&target, &mounted)]))
        .go();
    outcome
        .exits(1)
        .complains(&format!("cannot write ./{OUTPUT}: Device or resource busy"))
        .complains("if it is a mount point, mount its folder instead")
        .leaves_only(OUTPUT, OLD);
}

#[test]
fn an_output_folder_or_a_working_folder_that_is_removed_is_an_error() {
    let run = Run::new(&server().never_called());
    let folder = run.folder.path().to_owned();
    let run = run.command(|command| fault::remove_folder(command, &folder));
    run.go().exits(1).complains("No such file");

    let running = in_the_middle(|run| {
        fs::create_dir(run.path("sub")).expect("a folder");
        run.args(&["-o", "sub", "--timeout", "0.5"])
    });
    fs::remove_dir_all(running.run.path("sub")).expect("remove the folder");
    running.wait().exits(6).leaves_nothing();
}

#[test]
fn a_run_that_fails_leaves_no_partial_file() {
    let cut_short = &PACKAGE[..PACKAGE.len() - 1];
    for (script, code) in [
        (ok(cut_short), 7),
        (vec![Step::Send(response("400 Bad Request", &[], b""))], 40),
        (vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec())], 6),
    ] {
        let server = StandIn::tls(script);
        let run = || Run::new(&server);
        run().go().exits(code).leaves_nothing();
        let outcome = run().file(OUTPUT, OLD).go();
        outcome.exits(code).leaves_only(OUTPUT, OLD);
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

/// The old file's mode counts as it is at the start.
#[test]
fn a_file_that_appears_or_changes_during_the_run_does_not_set_the_mode() {
    let planted = |folder: &Path| {
        fs::write(folder.join("planted"), b"planted").expect("a file");
        set_mode(folder.join("planted"), 0o666);
        fs::rename(folder.join("planted"), folder.join(OUTPUT)).expect("rename a file");
    };
    let umask = |run: Run| run.command(|command| fault::set_umask(command, 0o077));
    let outcome = with_change(umask, planted);
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    assert_eq!(mode(outcome.run.path(OUTPUT)), 0o600, "{outcome}");

    let private = |run: Run| {
        let run = run.file(OUTPUT, OLD);
        set_mode(run.path(OUTPUT), 0o640);
        run
    };
    let opened = |folder: &Path| set_mode(folder.join(OUTPUT), 0o666);
    for change in [planted, opened] {
        let outcome = with_change(private, change);
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        assert_eq!(mode(outcome.run.path(OUTPUT)), 0o640, "{outcome}");
    }

    // A link is replaced, and not followed.
    let link = |folder: &Path| symlink("elsewhere", folder.join(OUTPUT)).expect("a link");
    let outcome = with_change(|run| run, link);
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    assert!(!outcome.run.path(OUTPUT).is_symlink(), "{outcome}");
}

#[test]
fn a_rename_that_fails_leaves_no_partial_file() {
    let plant = |folder: &Path| fs::create_dir(folder.join(OUTPUT)).expect("a folder");
    let outcome = with_change(|run| run, plant);
    outcome
        .exits(1)
        .complains(&format!("cannot write ./{OUTPUT}: Is a directory"))
        .leaves_only(OUTPUT, b"");
}

#[test]
fn an_old_file_that_is_removed_during_the_run_is_replaced_all_the_same() {
    let old = |run: Run| {
        let run = run.file(OUTPUT, OLD);
        set_mode(run.path(OUTPUT), 0o640);
        run
    };
    let remove = |folder: &Path| fs::remove_file(folder.join(OUTPUT)).expect("remove a file");
    let outcome = with_change(old, remove);
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    assert_eq!(mode(outcome.run.path(OUTPUT)), 0o640, "{outcome}");
}

#[test]
fn a_package_whose_folder_is_gone_at_the_end_is_not_saved() {
    let in_a_folder = |run: Run| {
        fs::create_dir(run.path("sub")).expect("a folder");
        run.args(&["-o", "sub"])
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

/// As when logs are rotated. The package must not replace a file behind a link that took the
/// folder's place; the partial file moves with the folder.
#[test]
fn a_folder_that_is_moved_during_the_run_makes_it_fail() {
    let in_a_folder = |run: Run| {
        fs::create_dir(run.path("sub")).expect("a folder");
        fs::create_dir(run.path("other")).expect("a folder");
        fs::write(run.path("other").join(OUTPUT), OLD).expect("a file");
        run.args(&["-o", "sub"])
    };
    let outcome = with_change(in_a_folder, |folder| {
        fs::rename(folder.join("sub"), folder.join("moved")).expect("move a folder");
        symlink("other", folder.join("sub")).expect("a link");
    });
    outcome
        .exits(1)
        .complains(&format!("cannot write sub/{OUTPUT}: No such file"));
    let other = outcome.run.path("other");
    assert_eq!(fs::read(other.join(OUTPUT)).expect("a file"), OLD);
    assert_eq!(fs::read_dir(other).expect("a folder").count(), 1);
    let partial = partial_file(&outcome.run.path("moved"));
    assert_eq!(fs::read(partial).expect("the partial file"), *PACKAGE);
}

#[test]
#[ignore = "only root can give files away"]
fn a_planted_file_does_not_set_the_mode() {
    for (owner, expected) in [(1234, 0o600), (0, 0o666)] {
        let server = server();
        let run = Run::new(&server)
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

/// `fchown` is made to fail, because the kernel itself would remove these bits.
#[test]
fn set_id_bits_are_never_taken_over() {
    let server = server();
    let run = Run::new(&server).file(OUTPUT, OLD);
    set_mode(run.path(OUTPUT), 0o6755);
    let filter = fault::fail(libc::SYS_fchown, libc::EPERM);
    let outcome = run.command(|command| fault::install(command, filter)).go();
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    assert_eq!(mode(outcome.run.path(OUTPUT)), 0o755, "{outcome}");
}

/// This happens on FUSE, and for root without CAP_FOWNER.
#[test]
fn an_old_file_whose_mode_can_t_be_kept_is_replaced_by_one_that_no_more_users_can_read() {
    for errno in [libc::EPERM, libc::ENOSYS, libc::EOPNOTSUPP] {
        for (old, new) in [(0o644, 0o644), (0o664, 0o644), (0o640, 0o600)] {
            let server = server();
            let run = Run::new(&server).file(OUTPUT, OLD);
            set_mode(run.path(OUTPUT), old);
            let outcome = run
                .command(|command| {
                    fault::set_umask(command, 0o002);
                    fault::install(command, fault::fail(libc::SYS_fchmod, errno));
                })
                .go();
            outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
            assert_eq!(mode(outcome.run.path(OUTPUT)), new, "{outcome}");
        }
    }
}

#[test]
fn the_longest_path_works_every_time() {
    const LONGEST: usize = 4095;
    let server = server();
    let run = Run::new(&server);
    let mut output = run.folder.path().to_owned();
    // The partial file's name must fit too.
    while output.as_os_str().len() + 202 < LONGEST - 50 {
        output.push("d".repeat(200));
    }
    let made = Command::new("mkdir").arg("-p").arg(&output).status();
    assert!(made.expect("run mkdir").success());
    let name = "n".repeat(LONGEST - output.as_os_str().len() - 1);
    output.push(&name[..name.len().min(255)]);
    assert_eq!(output.as_os_str().len(), LONGEST);
    let outcome = run.arg("-o").arg(&output).go();
    outcome.exits(0);
    let again = Run::new(&server).arg("-o").arg(&output);
    again.go().exits(0);
}

/// Other runs, or a clean-up job, may work on the same output.
#[test]
fn an_output_that_comes_and_goes_during_the_run_does_no_harm() {
    let server = StandIn::scripted(Greeting::Plain, ok(&PACKAGE));
    let endpoint = format!("http://{}", server.address);
    for _ in 0..150 {
        let run = Run::bare().args(&["-e", &endpoint, ID]);
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
    for signal in [
        libc::SIGTERM,
        libc::SIGINT,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGXCPU,
        libc::SIGALRM,
    ] {
        let running = in_the_middle(|run| run.file(OUTPUT, OLD).args(&["--max-time", "0"]));
        running.signal(signal);
        let outcome = running.wait();
        assert_eq!(outcome.status.signal(), Some(signal), "{outcome}");
        outcome.says("").leaves_only(OUTPUT, OLD);
    }
}

/// Only a kill leaves a partial file. The old file is whole, and the partial one is hidden.
#[test]
fn a_kill_leaves_the_old_file_and_a_partial_one() {
    let running = in_the_middle(|run| run.file(OUTPUT, OLD));
    running.signal(libc::SIGKILL);
    let outcome = running.wait();
    assert_eq!(outcome.status.signal(), Some(libc::SIGKILL), "{outcome}");
    assert_eq!(outcome.files.len(), 2, "{outcome}");
    assert_eq!(outcome.files[os(OUTPUT.as_bytes())], OLD, "{outcome}");
    partial_file(outcome.run.folder.path());
}

/// Signals do not end process 1 of a container by their default action.
#[test]
#[ignore = "only root can make a PID namespace"]
fn a_signal_ends_process_1_of_a_container() {
    let server = StandIn::tls(vec![Step::AwaitClose]);
    let unshare = ["unshare", "--pid", "--fork", "--kill-child"];
    let running = Run::below(&unshare).calling(&server).spawn();
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
    for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        let mut killed = 0;
        for _ in 0..20 {
            let running = Run::new(&server).file(OUTPUT, OLD).spawn();
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
            match &beside[..] {
                [] => {}
                [_] if signal == libc::SIGKILL => {}
                _ => panic!("a file is left\n{outcome}"),
            }
            let next = Run::new(&server).arg("-o");
            next.arg(outcome.run.folder.path()).go().exits(0);
            let there = fs::read(outcome.run.path(OUTPUT)).expect("the package");
            assert!(there == package, "{outcome}");
        }
        assert!(killed > 0, "no run was killed");
    }
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
fn concurrent_runs_for_one_output_all_succeed_and_leave_one_package() {
    const RUNS: usize = 8;
    const ROUNDS: usize = 25;
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
                let run = Run::new(&server);
                run.arg("-o").arg(folder.path()).spawn()
            })
            .collect();
        for run in runs {
            run.wait().exits(0).says("");
        }
        let names: Vec<_> = fs::read_dir(folder.path()).expect("the folder").collect();
        assert_eq!(names.len(), 1, "round {round}: {names:?}");
        let found = fs::read(folder.path().join(OUTPUT)).expect("the package");
        assert!(packages.contains(&found), "round {round}");
        if round % 2 == 0 {
            fs::remove_file(folder.path().join(OUTPUT)).expect("remove the package");
        }
    }
}

#[test]
fn stale_and_foreign_files_beside_the_output_do_not_matter() {
    let server = server();
    let run = Run::new(&server);
    File::create(run.path(".codearts-check-log.1.1795761591000000000")).expect("a stale file");
    let outcome = run.go();
    outcome.exits(0);
    assert_eq!(outcome.files.len(), 2, "{outcome}");
    assert_eq!(outcome.files[os(OUTPUT.as_bytes())], *PACKAGE);
}
