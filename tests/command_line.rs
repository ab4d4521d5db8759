//! The command line and the environment: what is accepted, what is refused before any connection,
//! and what is printed.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::ptr;
use std::time::Duration;

use serde_json::json;

use crate::fault;
use crate::harness::{ID, OUTPUT, Outcome, Run, Running, TOKEN, make_fifo, os, wait_until};
use crate::packages::{PACKAGE, ok};
use crate::stand_in::{StandIn, Step, response};

/// A port without a server. A usage error never gets that far.
const NOWHERE: &str = "https://127.0.0.1:1";

#[track_caller]
fn assert_usage(outcome: &Outcome, text: &str) {
    outcome.exits(2).complains(text).leaves_nothing();
    assert_eq!(
        outcome.stderr.lines().last(),
        Some("hint: 'codearts-check-log --help' lists the options"),
        "{outcome}"
    );
}

/// Asserts that a variable or a file is refused, without the hint to `--help`.
#[track_caller]
fn assert_invalid(outcome: &Outcome, text: &str) {
    outcome.exits(2).complains(text).leaves_nothing();
    assert!(!outcome.stderr.contains("--help"), "{outcome}");
}

fn with(args: &[&str]) -> Outcome {
    Run::bare().args(args).go()
}

#[test]
fn help_and_version_are_printed_on_standard_output() {
    for flag in ["-h", "--help"] {
        let outcome = with(&["-v", flag, "--no-such-option"]);
        outcome.exits(0).says("");
        assert!(
            outcome
                .stdout
                .contains("Usage: codearts-check-log [OPTIONS] SUB_JOB_ID\n")
        );
    }
    for flag in ["-V", "--version"] {
        let outcome = with(&[flag]);
        outcome.exits(0).says("");
        let version = concat!("codearts-check-log ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(outcome.stdout, version);
    }
}

#[test]
fn help_to_a_full_disk_fails_and_to_a_closed_pipe_does_not() {
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let outcome = Run::bare().arg("--help").with_streams(full, Stdio::piped());
    outcome
        .exits(1)
        .complains("cannot write to standard output: No space left");

    let (reader, writer) = UnixStream::pair().expect("a socket pair");
    drop(reader);
    let outcome = Run::bare()
        .arg("--help")
        .with_streams(OwnedFd::from(writer), Stdio::piped());
    outcome.exits(0).says("");
}

#[test]
fn an_invalid_command_line_is_refused() {
    for (args, text) in [
        (&["-e", NOWHERE][..], "SUB_JOB_ID is missing"),
        (&["-e", NOWHERE, ID, ID], "more than one SUB_JOB_ID"),
        (
            &["-e", NOWHERE, ID, "--no-such"],
            "unknown option '--no-such'",
        ),
        (&["-e", NOWHERE, ID, "-x"], "unknown option '-x'"),
        (
            &["-e", NOWHERE, ID, "--verbose=yes"],
            "--verbose takes no value",
        ),
        (&["-e", NOWHERE, ID, "--output"], "--output needs a value"),
        (
            &["-e", NOWHERE, ID, "-q", "-v"],
            "--quiet and --verbose can't be used together",
        ),
        (
            &["-e", NOWHERE, "-e", NOWHERE, ID],
            "--endpoint was given more than once",
        ),
        (
            &["-r", "a", "--region=b", ID],
            "--region was given more than once",
        ),
        (
            &["-t", "a", "-ta", ID],
            "--token-file was given more than once",
        ),
        (&["-o", "a", "-oa", ID], "--output was given more than once"),
        (
            &["--cacert=a", "--cacert=a", ID],
            "--cacert was given more than once",
        ),
        (
            &["--timeout=1", "--timeout=1", ID],
            "--timeout was given more than once",
        ),
        (
            &["--max-time=1", "--max-time=1", ID],
            "--max-time was given more than once",
        ),
        (
            &["--connect-timeout=1", "--connect-timeout=1", ID],
            "--connect-timeout was given more than once",
        ),
        (&[ID], "no endpoint: give"),
        (
            &["-e", NOWHERE, "-o", "", ID],
            "--output: the path is empty",
        ),
        (
            &["-e", NOWHERE, "-o", "--quiet", ID],
            "--output needs a value, and the next argument looks like an option",
        ),
        (
            &["-e", NOWHERE, "-o", "-", ID],
            "--output: '-' is not a file",
        ),
        (
            &["-e", NOWHERE, "--cacert", "-v", ID],
            "--cacert needs a value, and the next argument looks like an option",
        ),
        (
            &["-e", NOWHERE, "-t", "--quiet", ID],
            "--token-file needs a value, and the next argument looks like an option",
        ),
    ] {
        assert_usage(&with(args), text);
    }
}

#[test]
fn a_subtask_id_is_32_ascii_letters_or_digits() {
    let id = |change: fn(&mut String)| {
        let mut id = ID.to_owned();
        change(&mut id);
        id
    };
    for (id, text) in [
        (
            id(|id| id.truncate(31)),
            "but this has 31 characters: 'a777ff0…'",
        ),
        ("a".to_owned(), "but this has 1 character: 'a'"),
        (id(|id| id.push('0')), "but this has 33 characters: '"),
        (
            id(|id| id.replace_range(4..5, "/")),
            "an invalid character at position 5:",
        ),
        (
            id(|id| id.replace_range(0..2, "..")),
            "an invalid character at position 1:",
        ),
        (
            id(|id| id.replace_range(0..3, "%00")),
            "an invalid character at position 1:",
        ),
        (
            id(|id| id.replace_range(31..32, " ")),
            "contains white space",
        ),
        (
            id(|id| id.replace_range(9..10, "\u{ff11}")),
            "an invalid character at position 10:",
        ),
        (
            id(|id| id.replace_range(3..4, "\n")),
            "contains white space: 'a77\\nff…'",
        ),
        (id(|id| id.push('\r')), "ends in a carriage return"),
        (
            format!("https://host/v1/log-file?sub_job_id={ID}"),
            "is a URL",
        ),
        (String::new(), "but this has 0 characters: ''"),
    ] {
        assert_usage(&with(&["-e", NOWHERE, "--", &id]), text);
    }
    // A token in the wrong place is not repeated.
    let outcome = with(&["-e", NOWHERE, TOKEN]);
    assert_usage(&outcome, "an invalid character at position 7:");
    let not_unicode = Run::bare().args(&["-e", NOWHERE]).arg(os(&[0xff; 32])).go();
    assert_usage(&not_unicode, "an invalid character at position 1:");
}

#[test]
fn an_endpoint_is_a_host_with_or_without_port_and_https() {
    for (endpoint, text) in [
        ("https://user:secret@host", "it must not contain '@'"),
        ("user@host", "it must not contain '@'"),
        ("https://host/v1", "it must not contain '/'"),
        ("https://host//", "it must not contain '/'"),
        ("host?a=b", "it must not contain '?'"),
        ("host#a", "it must not contain '#'"),
        ("https://", "the host is missing"),
        ("https:///", "the host is missing"),
        (":443", "the host is missing"),
        ("host:0", "the port"),
        ("host:65536", "the port"),
        ("host:+80", "the port"),
        ("host:", "the port"),
        ("host:80:80", "not a valid host name"),
        ("ftp://host", "the scheme"),
        ("http://host", "http:// is only for this host"),
        (
            "http://localhost:80",
            "such as http://127.0.0.1): the credentials",
        ),
        (
            "http://localhost.example.com",
            "http:// is only for this host",
        ),
        ("http://localhostx:80", "http:// is only for this host"),
        (
            "http://127.0.0.1.example.com",
            "http:// is only for this host",
        ),
        ("http://128.0.0.1", "http:// is only for this host"),
        ("http://[::2]", "http:// is only for this host"),
        ("ho st", "not a valid host name"),
        ("host_.-x", "not a valid host name"),
        ("host-.x", "not a valid host name"),
        (&format!("{}.x", "a".repeat(64)), "not a valid host name"),
        ("a..b", "not a valid host name"),
        ("h\u{f6}st", "not a valid host name"),
        ("host\r\nX:y", "it contains a line break"),
        ("https://ho\nst", "it contains a line break"),
        (
            "\"https://host\"",
            "it is in quotes, which are not part of it",
        ),
        ("'host", "it is in quotes"),
        ("host'\n", "it is in quotes"),
        ("[::1", "not a valid host name"),
        (
            "[fe80::1%eth0]",
            "the host in brackets is not an IPv6 address",
        ),
        ("[::1]x", "not a valid host name"),
        ("1.2.3.256", "not a valid IPv4 address"),
        (
            "cn-north-4",
            "this is a region, not an endpoint: --region cn-north-4",
        ),
        ("https://eu-west-101/", "this is a region, not an endpoint"),
        ("127.1", "not a valid IPv4 address"),
        (".", "not a valid host name"),
        ("host..", "not a valid host name"),
        ("[::1].", "not a valid host name"),
        ("127.0.0.1.", "not a valid IPv4 address"),
        (
            "cn-north-4.",
            "this is a region, not an endpoint: --region cn-north-4",
        ),
        ("http://host.", "http:// is only for this host"),
    ] {
        let outcome = with(&["-e", endpoint, ID]);
        assert_usage(&outcome, "--endpoint: ");
        assert_usage(&outcome, text);
        assert!(!outcome.stderr.contains("secret"), "{outcome}");
        let outcome = Run::bare()
            .env("CODEARTS_CHECK_ENDPOINT", endpoint)
            .arg(ID)
            .go();
        assert_invalid(&outcome, "CODEARTS_CHECK_ENDPOINT: ");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let port = server.address.port();
    for endpoint in [
        format!("localhost:{port}"),
        format!("localhost:{port}/"),
        format!(" \thttps://localhost:{port}\r\n"),
        format!("HTTPS://LocalHost:{port}/"),
    ] {
        Run::bare()
            .trusting()
            .args(&["-e", &endpoint, ID])
            .go()
            .exits(0);
    }
}

/// The table of the reference.
pub const REGIONS: [(&str, &str); 10] = [
    ("cn-north-4", "codearts-check.cn-north-4.myhuaweicloud.com"),
    ("cn-south-1", "codearts-check.cn-south-1.myhuaweicloud.com"),
    ("cn-north-1", "codearts-check.cn-north-4.myhuaweicloud.com"),
    ("cn-east-2", "codearts-check.cn-south-1.myhuaweicloud.com"),
    ("cn-east-3", "codearts-check.cn-south-1.myhuaweicloud.com"),
    (
        "cn-southwest-2",
        "codearts-check.cn-south-1.myhuaweicloud.com",
    ),
    (
        "ap-southeast-3",
        "devcloud.ap-southeast-3.myhuaweicloud.com",
    ),
    ("la-north-2", "devcloud.la-north-2.myhuaweicloud.com"),
    ("sa-brazil-1", "devcloud.sa-brazil-1.myhuaweicloud.com"),
    ("eu-west-101", "check.eu-west-101.myhuaweicloud.eu"),
];

#[test]
fn a_region_stands_for_its_endpoint() {
    for (region, host) in REGIONS {
        // A proxy that does not exist keeps the test from the real service.
        let run = Run::bare().env("https_proxy", "127.0.0.1:1");
        let outcome = run.env("HUAWEICLOUD_REGION", region).arg(ID).go();
        let call = format!("GET https://{host}/v1/log-file through the proxy");
        outcome.exits(6).complains(&call);
    }
    // A Kubernetes secret made with a line end, and docker's --env-file.
    let run = Run::bare().env("https_proxy", "127.0.0.1:1");
    let outcome = run.env("HUAWEICLOUD_REGION", "cn-north-4\n").arg(ID).go();
    outcome.exits(6);
    let run = Run::bare().env("HUAWEICLOUD_REGION", "\"cn-north-4\"");
    assert_invalid(&run.arg(ID).go(), "HUAWEICLOUD_REGION: it is in quotes");
    let outcome = with(&["-r", "cn-north-9", ID]);
    assert_usage(
        &outcome,
        "--region: unknown region 'cn-north-9' (known: cn-north-1, ",
    );
    assert_usage(&outcome, "--endpoint");
    let outcome = Run::bare()
        .env("HUAWEICLOUD_REGION", "\u{1b}x")
        .arg(ID)
        .go();
    assert_invalid(&outcome, "HUAWEICLOUD_REGION: unknown region '\\u{1b}x'");
}

#[test]
fn options_win_over_variables_and_the_endpoint_over_the_region() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    Run::bare()
        .trusting()
        .env("CODEARTS_CHECK_ENDPOINT", NOWHERE)
        .args(&["-e", &endpoint, ID])
        .go()
        .exits(0);
    Run::bare()
        .trusting()
        .env("CODEARTS_CHECK_ENDPOINT", &endpoint)
        .env("HUAWEICLOUD_REGION", "nowhere")
        .args(&["-r", "nowhere", ID])
        .go()
        .exits(0);
    let outcome = Run::bare()
        .env("HUAWEICLOUD_REGION", "cn-north-4")
        .args(&["-r", "nowhere", ID])
        .go();
    assert_usage(&outcome, "--region: unknown region 'nowhere'");
    // The Terraform provider's variable comes last.
    let both = || Run::bare().env("HW_REGION_NAME", "terraform");
    let outcome = both().env("HUAWEICLOUD_REGION", "nowhere").arg(ID).go();
    assert_invalid(&outcome, "HUAWEICLOUD_REGION: unknown region 'nowhere'");
    let outcome = both().env("HUAWEICLOUD_REGION", "").arg(ID).go();
    assert_invalid(&outcome, "HW_REGION_NAME: unknown region 'terraform'");
    // An empty variable counts as unset.
    let outcome = Run::bare()
        .env("CODEARTS_CHECK_ENDPOINT", "")
        .env("HUAWEICLOUD_REGION", "")
        .env("HW_REGION_NAME", "")
        .arg(ID)
        .go();
    assert_usage(&outcome, "no endpoint: give");
}

#[test]
fn options_and_the_argument_come_in_any_order() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("--endpoint=localhost:{}", server.address.port());
    for args in [
        &[ID, &endpoint, "--output=out.zip"][..],
        &[&endpoint, "-oout.zip", "--", ID],
        &["-qo", "out.zip", ID, &endpoint],
        &["-o=out.zip", &endpoint, ID, "--no-verify", "--no-verify"],
    ] {
        let outcome = Run::bare().trusting().args(args).go();
        outcome.exits(0).says("").leaves_only("out.zip", &PACKAGE);
    }
}

#[test]
fn times_are_decimal_seconds() {
    for option in ["--connect-timeout", "--timeout", "--max-time"] {
        for value in [
            "", "x", "-1", "+1", "1e3", "inf", "NaN", "0.0001", "1 ", ".", "1.2.3", "31536001",
        ] {
            let outcome = with(&["-e", NOWHERE, &format!("{option}={value}"), ID]);
            let text = format!("{option} must be a number of seconds from 0.001 to 31536000");
            assert_usage(&outcome, &text);
            let is_zero_told = outcome.stderr.contains("31536000, or 0 for no limit\n");
            assert_eq!(is_zero_told, option == "--max-time", "{outcome}");
        }
    }
    assert_usage(&with(&["-e", NOWHERE, "--timeout", "0", ID]), "--timeout");
    assert_usage(
        &with(&["-e", NOWHERE, "--connect-timeout=0", ID]),
        "--connect-timeout",
    );
    for value in ["0", "0.0", ".5", "5.", "31536000"] {
        with(&["-e", NOWHERE, "--max-time", value, ID])
            .exits(6)
            .complains("refused");
    }
}

#[test]
fn a_token_is_1_to_100_000_visible_ascii_characters() {
    let long = "t".repeat(100_001);
    let blank = " ".repeat(200_000);
    let padded = format!("{}{}", " ".repeat(17_000), "t".repeat(100_000));
    for (token, text) in [
        (b" \r\n\t".as_slice(), "is empty"),
        (b"two words", "contains white space (byte 4)"),
        (b"two\nlines", "contains a line break (byte 4)"),
        (
            b"nul\0",
            "contains a character other than visible ASCII (byte 4)",
        ),
        (
            "t\u{f6}ken".as_bytes(),
            "contains a character other than visible ASCII (byte 2)",
        ),
        (
            b"\xef\xbb\xbf\xef\xbb\xbfbom",
            "contains a character other than visible ASCII (byte 1)",
        ),
        (b"\"token\"\n", "is in quotes"),
        (b"'token'", "is in quotes"),
        (b"Bearer token", "begins with the word Bearer"),
        (long.as_bytes(), "is longer than 100000 characters"),
        (blank.as_bytes(), "is empty"),
        // More white space than is read would hide where the token ends.
        (padded.as_bytes(), "is longer than 100000 characters"),
    ] {
        let run = Run::bare().args(&["-e", NOWHERE, ID, "--token-file"]);
        let file = run.secret_file("token", token);
        let outcome = run.arg(&file).go();
        assert_invalid(&outcome, &format!("the token in {} {text}", file.display()));
        let run = Run::bare().args(&["-e", NOWHERE, ID, "-t-"]);
        let outcome = run.input(token).go();
        assert_invalid(&outcome, &format!("the token in standard input {text}"));
    }
    let outcome = Run::bare()
        .env("HUAWEICLOUD_TOKEN", "a b")
        .args(&["-e", NOWHERE, ID])
        .go();
    assert_invalid(
        &outcome,
        "the token in HUAWEICLOUD_TOKEN contains white space",
    );
}

#[test]
fn a_token_in_the_place_of_another_value_is_not_shown() {
    let token = format!("MIIE{}", "secret".repeat(500));
    for args in [
        &["-e", NOWHERE, ID, "-t", &token][..],
        &["-e", NOWHERE, ID, "-t", &token.replace("secret", "sec/et")],
        &["-e", NOWHERE, ID, &token],
        &["-e", NOWHERE, &token],
        &["-e", &token, ID],
        &["-r", &token, ID],
        &["-e", NOWHERE, ID, "--timeout", &token],
        &["-e", NOWHERE, ID, &format!("--{token}")],
        &["-e", NOWHERE, ID, &format!("--token={token}")],
        &["-e", NOWHERE, ID, &format!("--quiet={token}")],
    ] {
        let outcome = with(args);
        outcome.complains("");
        assert!(
            [Some(1), Some(2)].contains(&outcome.status.code()),
            "{outcome}"
        );
        assert!(outcome.stderr.matches("sec").count() < 2, "{outcome}");
    }
}

#[test]
fn the_token_file_wins_over_the_variable() {
    let server = StandIn::tls(ok(&PACKAGE));
    let run = Run::new(&server);
    let file = run.secret_file("token", b"\xef\xbb\xbf\n from-the-file\n");
    run.arg("-t").arg(file).go().exits(0);
    assert_eq!(
        server.requests()[0].header("X-Auth-Token"),
        Some("from-the-file")
    );
}

#[test]
fn an_unreadable_token_file_exits_1() {
    let outcome = with(&["-e", NOWHERE, ID, "-t", "/proc/self/mem"]);
    outcome
        .exits(1)
        .complains("cannot read the credentials from /proc/self/mem: ")
        .leaves_nothing();
    let run = Run::ordinary().args(&["-e", NOWHERE, ID, "-t"]);
    let file = run.secret_file("token", TOKEN.as_bytes());
    fs::set_permissions(&file, Permissions::from_mode(0o000)).expect("set a file's mode");
    run.arg(&file)
        .go()
        .exits(1)
        .complains("cannot read the credentials from")
        .complains("Permission denied");
    let outcome = with(&["-e", NOWHERE, ID, "-t", "/dev/zero"]);
    assert_invalid(&outcome, "longer than 100000 characters");
}

fn fifo(run: &Run) -> std::path::PathBuf {
    let path = run.side_file("fifo", b"");
    fs::remove_file(&path).expect("remove a file");
    make_fifo(&path);
    path
}

/// A FIFO's writer, which makes its readers wait.
fn writer_of(fifo: &Path) -> File {
    let opened = File::options().read(true).write(true).open(fifo);
    opened.expect("the FIFO")
}

/// How many bytes are still to be read.
fn unread(fifo: &File) -> libc::c_int {
    let mut length = -1;
    // SAFETY: the kernel writes an int, and the pointer is to a local one.
    let asked = unsafe { libc::ioctl(fifo.as_raw_fd(), libc::FIONREAD, &raw mut length) };
    assert_eq!(asked, 0, "ask a FIFO for its length");
    length
}

#[test]
fn a_fifo_is_read_to_its_end() {
    let server = StandIn::tls(ok(&PACKAGE));
    let run = Run::new(&server).arg("-t");
    let path = fifo(&run);
    let mut writer = writer_of(&path);
    let running = run.arg(&path).spawn();
    for part in [b"slow-".as_slice(), b"token\n"] {
        writer.write_all(part).expect("write to the FIFO");
        wait_until("the FIFO is read", || unread(&writer) == 0);
    }
    drop(writer);
    // Nor is there a warning: others may read a FIFO's mode, not what went through it.
    running.wait().exits(0).says("");
    assert_eq!(
        server.requests()[0].header("X-Auth-Token"),
        Some("slow-token")
    );
}

#[test]
fn the_maximum_time_limits_the_wait_for_a_token_too() {
    // A FIFO without a writer can't even be opened.
    for has_writer in [true, false] {
        let run = Run::bare().args(&["-e", NOWHERE, ID, "--max-time", "0.5", "-t"]);
        let path = fifo(&run);
        let _silent = has_writer.then(|| writer_of(&path));
        // A parent may have left the timer's signal blocked.
        let run = run
            .arg(&path)
            .command(|command| fault::block_signal(command, libc::SIGALRM));
        let outcome = run.go();
        outcome
            .exits(6)
            .complains("not finished after 0.5 s (--max-time)")
            .takes(Duration::from_millis(500))
            .leaves_nothing();
    }
}

/// A caller may set an alarm to end the run (alarm(2)). It stays in force if the program sets none.
#[test]
fn an_alarm_that_the_caller_has_set_ends_a_run_without_a_maximum_time() {
    let run = |limit: &str, signal: libc::sighandler_t| {
        let run = Run::bare().args(&["-e", NOWHERE, ID, "--max-time", limit, "-t"]);
        let path = fifo(&run);
        let outcome = run
            .arg(&path)
            .command(|command| {
                fault::set_signal(command, libc::SIGALRM, signal);
                fault::set_alarm(command, 1);
            })
            .go();
        outcome.leaves_nothing();
        outcome
    };
    let outcome = run("0", libc::SIG_DFL);
    assert_eq!(outcome.status.signal(), Some(libc::SIGALRM), "{outcome}");
    outcome.says("").takes(Duration::from_secs(1));
    // A maximum time replaces it, sooner or later, and whatever its signal does.
    for (limit, signal) in [
        ("0.5", libc::SIG_DFL),
        ("1.5", libc::SIG_DFL),
        ("1.5", libc::SIG_IGN),
    ] {
        let outcome = run(limit, signal);
        let text = format!("not finished after {limit} s (--max-time)");
        outcome.exits(6).complains(&text);
    }
}

/// Under a limit of no pending signals, a process can have no POSIX timers.
#[test]
fn the_maximum_time_needs_no_pending_signals() {
    let none = |run: Run| run.command(|c| fault::limit(c, libc::RLIMIT_SIGPENDING, 0));
    let server = StandIn::tls(ok(&PACKAGE));
    none(Run::new(&server)).go().exits(0).says("");
    let run = Run::bare().args(&["-e", NOWHERE, ID, "--max-time", "0.5", "-t"]);
    let path = fifo(&run);
    let outcome = none(run.arg(&path)).go();
    outcome
        .exits(6)
        .complains("not finished after 0.5 s (--max-time)");
}

/// A pipe whose end for writing, or for reading, is in non-blocking mode, as some parents leave it.
fn non_blocking_pipe(end: usize) -> [File; 2] {
    let mut ends = [0; 2];
    // SAFETY: the descriptors are returned through a local; both are open then, and nothing else
    // owns them.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        assert_eq!(libc::fcntl(ends[end], libc::F_SETFL, libc::O_NONBLOCK), 0);
        ends.map(|end| File::from_raw_fd(end))
    }
}

/// A list that is longer than a pipe accepts at once.
fn long_list() -> StandIn {
    let ids: Vec<String> = (0..3000).map(|number| format!("{number:032}")).collect();
    let job = json!({"status": "success", "process": {"subJobIds": ids}});
    let answer = json!({"result": {"lastJob": job}}).to_string();
    StandIn::tls(ok(answer.as_bytes()))
}

#[test]
fn a_standard_stream_in_non_blocking_mode_is_not_waited_for() {
    const NOT_NOW: &str = "Resource temporarily unavailable";
    let streams = |run: Run, stdin: Stdio, stdout: Stdio| {
        let run = run.command(|command| {
            command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        });
        run.start().wait()
    };
    let [_reader, writer] = non_blocking_pipe(1);
    streams(Run::list(&long_list()), Stdio::null(), writer.into())
        .exits(1)
        .complains(&format!("cannot write to standard output: {NOT_NOW}"));

    let [reader, _writer] = non_blocking_pipe(0);
    let run = Run::bare().args(&["-e", NOWHERE, ID, "-t", "-"]);
    streams(run, reader.into(), Stdio::null())
        .exits(1)
        .complains(NOT_NOW);
}

/// A message that can't be written to standard error is dropped.
#[test]
fn a_full_standard_error_in_non_blocking_mode_does_no_harm() {
    let [_reader, writer] = non_blocking_pipe(1);
    while (&writer).write(&[b'x'; 4096]).is_ok() {}
    let server = StandIn::tls(ok(&PACKAGE));
    let outcome = Run::new(&server)
        .arg("-v")
        .with_streams(Stdio::null(), writer);
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
}

/// A full pipe for standard error, and its other end, which is not read.
fn full_pipe() -> (UnixStream, UnixStream) {
    let (reader, writer) = UnixStream::pair().expect("a socket pair");
    writer.set_nonblocking(true).expect("a non-blocking socket");
    while (&writer).write(&[b'x'; 4096]).is_ok() {}
    writer.set_nonblocking(false).expect("a blocking socket");
    (reader, writer)
}

#[test]
fn the_maximum_time_ends_a_run_whose_standard_error_is_full() {
    let server = StandIn::tls(Vec::new()).never_called();
    let (_reader, writer) = full_pipe();
    let outcome = Run::new(&server)
        .args(&["-v", "--max-time", "0.5"])
        .with_streams(Stdio::null(), OwnedFd::from(writer));
    outcome
        .exits(6)
        .takes(Duration::from_millis(500))
        .leaves_nothing();
}

/// Only SIGKILL ends the wait for a disk that never answers. To simulate it, a timer is reported as
/// set but is not, so that SIGALRM never comes.
#[test]
fn a_wait_that_the_alarm_does_not_end_is_ended_by_a_kill() {
    let run = Run::bare().args(&["-e", NOWHERE, ID, "--max-time", "0.5", "-t"]);
    let path = fifo(&run);
    let _silent = writer_of(&path);
    let outcome = run
        .arg(&path)
        .command(|command| fault::install(command, fault::fail(libc::SYS_setitimer, 0)))
        .go();
    assert_eq!(outcome.status.signal(), Some(libc::SIGKILL), "{outcome}");
    outcome.takes(Duration::from_millis(5800)).leaves_nothing();
}

/// The owner of its files in /proc shows it: they belong to the user only if the process can be
/// dumped.
#[test]
fn the_memory_is_kept_out_of_core_dumps() {
    let server = StandIn::tls(vec![Step::AwaitClose]);
    let running = Run::ordinary().calling(&server).spawn();
    wait_until("the call is made", || !server.requests().is_empty());
    let files = fs::metadata(format!("/proc/{}/environ", running.pid)).expect("its environment");
    assert_eq!(files.uid(), 0);
    running.signal(libc::SIGKILL);
    running.wait();
}

#[test]
fn verbose_reports_trust_credentials_the_request_the_answer_and_the_result() {
    let headers = [("Content-Type", "application/zip"), ("X-Request-Id", "a1")];
    let server = StandIn::tls(vec![Step::Send(response("200 OK", &headers, &PACKAGE))]);
    let outcome = Run::new(&server).arg("-v").go();
    let port = server.address.port();
    let length = PACKAGE.len();
    outcome.exits(0).says(&format!(
        "{}credentials: token from HUAWEICLOUD_TOKEN\n\
         GET https://localhost:{port}/v1/log-file?sub_job_id={ID}\n\
         200 OK, {length} bytes, application/zip, request ID a1\n\
         saved ./{OUTPUT} ({length} B)\n",
        outcome.trust_line()
    ));
    assert_eq!(outcome.stdout, "");
}

#[test]
fn a_long_header_is_cut_in_the_verbose_report() {
    let headers = [("Content-Type", &*"t".repeat(9_000))];
    let server = StandIn::tls(vec![Step::Send(response("200 OK", &headers, &PACKAGE))]);
    let outcome = Run::new(&server).arg("-v").go();
    let line = format!("200 OK, {} bytes, {}…", PACKAGE.len(), "t".repeat(99));
    assert_eq!(outcome.stderr.lines().nth(3), Some(&*line), "{outcome}");
}

#[test]
fn closed_streams_do_no_harm() {
    // Each and all together; a closed descriptor must not become the package's.
    for closed in [&[0][..], &[1], &[2], &[0, 1, 2]] {
        let server = StandIn::tls(ok(&PACKAGE));
        let outcome = Run::new(&server)
            .arg("-v")
            .command(|command| {
                command
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                fault::close(command, closed);
            })
            .start()
            .wait();
        outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    }
    let (reader, writer) = UnixStream::pair().expect("a socket pair");
    drop(reader);
    let outcome = Run::bare()
        .args(&["-e", NOWHERE, ID])
        .with_streams(Stdio::null(), OwnedFd::from(writer));
    outcome.exits(6);
}

/// A pseudoterminal: the controlling end, and the end of the program.
fn terminal() -> (File, File) {
    let (mut controller, mut terminal) = (0, 0);
    // SAFETY: the descriptors are returned through locals; the other arguments may be null.
    let opened = unsafe {
        libc::openpty(
            &raw mut controller,
            &raw mut terminal,
            ptr::null_mut(),
            ptr::null(),
            ptr::null(),
        )
    };
    assert_eq!(opened, 0, "open a terminal");
    // SAFETY: both were just opened, and nothing else owns them.
    unsafe { (File::from_raw_fd(controller), File::from_raw_fd(terminal)) }
}

/// A run on a terminal, and everything that the terminal got.
fn on_terminal(run: Run) -> (Outcome, String) {
    let (mut outcomes, seen) = on_one_terminal(vec![run]);
    (outcomes.remove(0), seen)
}

/// Concurrent runs on one terminal, and everything that it got.
fn on_one_terminal(runs: Vec<Run>) -> (Vec<Outcome>, String) {
    on(terminal(), runs)
}

/// The same on a terminal that the test has set up.
fn on((mut controller, terminal): (File, File), runs: Vec<Run>) -> (Vec<Outcome>, String) {
    assert!(terminal.as_raw_fd() > 2);
    let started = runs.into_iter().map(|run| {
        let terminal = terminal.try_clone().expect("the terminal again");
        let run = run.command(|command| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(terminal);
        });
        run.start()
    });
    let running: Vec<_> = started.collect();
    drop(terminal);
    let reader = std::thread::spawn(move || {
        let mut seen = Vec::new();
        // Reading a terminal fails with EIO once no process has it open.
        let _ = controller.read_to_end(&mut seen);
        String::from_utf8_lossy(&seen).into_owned()
    });
    let wait = |mut running: Running| {
        running.close_streams();
        running.wait()
    };
    let outcomes = running.into_iter().map(wait).collect();
    (outcomes, reader.join().expect("what the terminal got"))
}

/// A package of which the first bytes come one by one.
fn trickle() -> Vec<Step> {
    let length = PACKAGE.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    vec![
        Step::Send(head.into_bytes()),
        Step::Trickle(PACKAGE[..4].to_vec(), Duration::from_millis(60)),
        Step::Send(PACKAGE[4..].to_vec()),
    ]
}

#[test]
fn a_terminal_gets_a_progress_line_that_is_erased_and_the_result() {
    let server = StandIn::tls(trickle());
    let (outcome, seen) = on_terminal(Run::new(&server));
    outcome.exits(0);
    let length = PACKAGE.len();
    let start = format!("\r\u{1b}[2Ka777ff00   0 % [>                   ]  1 of {length} B  ");
    assert!(seen.starts_with(&start), "{seen:?}");
    let end = format!("\r\u{1b}[2Ksaved ./{OUTPUT} ({length} B)\r\n");
    assert!(seen.ends_with(&end), "{seen:?}");
    // At most one drawing in each tenth of a second.
    let most = outcome.elapsed.as_millis() / 100 + 1;
    let drawings = seen.matches("/s").count();
    assert!(
        drawings >= 2 && drawings as u128 <= most,
        "{seen:?}\n{outcome}"
    );

    let (outcome, seen) = on_terminal(Run::new(&server).arg("--quiet"));
    outcome.exits(0);
    assert_eq!(seen, "");

    let (outcome, seen) = on_terminal(Run::new(&server).env("TERM", "dumb"));
    outcome.exits(0);
    assert_eq!(seen, format!("saved ./{OUTPUT} ({length} B)\r\n"));

    let run = Run::new(&server).arg("-n").file(OUTPUT, &PACKAGE);
    let (outcome, seen) = on_terminal(run);
    outcome.exits(0);
    assert_eq!(seen, format!("\r\u{1b}[2K./{OUTPUT} already exists\r\n"));
}

#[test]
fn a_progress_line_fits_the_terminal() {
    for (columns, longest) in [(19, 0), (20, 19), (60, 59), (80, 79), (200, 79)] {
        let server = StandIn::tls(trickle());
        let terminal = terminal();
        let size = libc::winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the pointer is to a local of the request's type.
        let set = unsafe { libc::ioctl(terminal.1.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(set, 0, "set a terminal's size");
        let (outcomes, seen) = on(terminal, vec![Run::new(&server)]);
        outcomes[0].exits(0);
        let drawn = seen.split("\r\u{1b}[2K");
        let lengths = drawn
            .filter(|line| line.starts_with("a777ff00 "))
            .map(str::len);
        let lengths: Vec<usize> = lengths.collect();
        assert!(lengths.iter().all(|length| *length <= longest), "{seen:?}");
        assert_eq!(lengths.is_empty(), longest == 0, "{seen:?}");
    }
}

/// `xargs -P 4` does this.
#[test]
fn concurrent_runs_leave_only_their_results_on_the_terminal() {
    let server = StandIn::tls(trickle());
    let runs = (0..4).map(|_| Run::new(&server)).collect();
    let (outcomes, seen) = on_one_terminal(runs);
    for outcome in outcomes {
        outcome.exits(0);
    }
    let shown = |line: &str| line.rsplit("\r\u{1b}[2K").next().map(str::to_owned);
    let screen: Vec<_> = seen.lines().filter_map(shown).collect();
    let result = format!("saved ./{OUTPUT} ({} B)", PACKAGE.len());
    assert_eq!(screen, vec![result; 4], "{seen:?}");
}

/// A run whose progress line is there when the signal comes, and what the terminal got.
fn signalled_on_terminal(signal: libc::c_int) -> (Outcome, String) {
    let mut script = trickle();
    script[2] = Step::AwaitClose;
    let server = StandIn::tls(script);
    // The test has it open too, so that what was written is still to be read at the end.
    let (mut controller, terminal) = terminal();
    let theirs = terminal.try_clone().expect("the terminal again");
    let run = Run::new(&server).command(|command| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(theirs);
    });
    let running = run.start();
    let mut seen = String::new();
    let mut read_until = |condition: fn(&str) -> bool| {
        while !condition(&seen) {
            let mut buffer = [0; 1000];
            let length = controller.read(&mut buffer).expect("the terminal");
            seen += &String::from_utf8_lossy(&buffer[..length]);
        }
    };
    read_until(|seen| seen.contains(" left"));
    running.signal(signal);
    let outcome = running.wait();
    (&terminal)
        .write_all(b"END")
        .expect("write to the terminal");
    read_until(|seen| seen.contains("END"));
    (outcome, seen)
}

#[test]
fn a_signal_erases_the_progress_line() {
    let (outcome, seen) = signalled_on_terminal(libc::SIGTERM);
    assert_eq!(outcome.status.signal(), Some(libc::SIGTERM), "{outcome}");
    assert!(seen.ends_with("\r\u{1b}[2KEND"), "{seen:?}");
    // As at the deadline.
    let (outcome, seen) = signalled_on_terminal(libc::SIGALRM);
    outcome.exits(6);
    let last = seen.rsplit("\r\u{1b}[2K").next().unwrap_or_default();
    assert!(last.starts_with("codearts-check-log: "), "{seen:?}");
    assert!(
        last.contains("(--max-time)") && last.ends_with("\nEND"),
        "{seen:?}"
    );
}

/// A terminal would show what is typed.
#[test]
fn a_secret_is_not_read_from_a_terminal() {
    for option in ["--token-file", "--credentials-file"] {
        let (_controller, terminal) = terminal();
        let outcome = Run::bare()
            .args(&["-e", NOWHERE, ID, option, "-"])
            .command(|command| {
                command
                    .stdin(terminal)
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped());
            })
            .start()
            .wait();
        outcome
            .exits(1)
            .complains("from standard input: refusing to read a secret from a terminal");
    }
}

#[test]
fn an_error_on_a_terminal_is_printed_on_a_clean_line() {
    let script = vec![Step::Send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec(),
    )];
    let server = StandIn::tls(script);
    let (outcome, seen) = on_terminal(Run::new(&server));
    outcome.exits(6);
    let last = seen.rsplit("\u{1b}[2K").next().unwrap_or_default();
    assert!(
        last.starts_with(&format!("codearts-check-log: {ID}: GET ")),
        "{seen:?}"
    );
}
