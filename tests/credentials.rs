//! Tokens and access keys: where they come from, what is signed with them, and what messages say
//! of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use crate::harness::{ACCESS_KEY, ID, OUTPUT, Run, SECRET_KEY, SECURITY_TOKEN, TOKEN, os};
use crate::key_files::{CSV, agency, profile};
use crate::packages::{PACKAGE, ok};
use crate::signing;
use crate::stand_in::{Greeting, Request, StandIn, Step, response};

const PROJECT: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// A server that has the package.
pub fn server() -> StandIn {
    StandIn::tls(ok(&PACKAGE))
}

/// Asserts that the only request is signed with the tests' key, and has secrets nowhere else.
#[track_caller]
pub fn assert_signed(server: &StandIn) -> Request {
    let requests = server.requests();
    let [request] = &requests[..] else {
        panic!("{} requests", requests.len());
    };
    let checked = signing::check(request, ACCESS_KEY, SECRET_KEY);
    assert_eq!(checked, Ok(()), "{}", request.0);
    assert!(!request.0.contains(SECRET_KEY), "{}", request.0);
    let in_place = usize::from(request.header("X-Security-Token").is_some());
    assert_eq!(request.0.matches(SECURITY_TOKEN).count(), in_place);
    request.clone()
}

#[test]
fn a_signed_call_sends_what_it_signs_and_nothing_else() {
    let server = server();
    let outcome = Run::new(&server).with_key().go();
    outcome.exits(0).says("").leaves_only(OUTPUT, &PACKAGE);
    let request = assert_signed(&server);
    let mut names: Vec<String> = request
        .0
        .lines()
        .skip(1)
        .filter_map(|line| Some(line.split_once(':')?.0.to_lowercase()))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "authorization",
            "host",
            "user-agent",
            "x-sdk-date"
        ]
    );
    let port = server.address.port();
    assert_eq!(request.header("Host"), Some(&*format!("localhost:{port}")));
}

#[test]
fn a_list_is_signed_with_and_without_a_query() {
    for job in [&[][..], &["--job", "72d4dba8"]] {
        let server = StandIn::tls(ok(b"{}"));
        let run = Run::list(&server).with_key();
        run.args(job).go().exits(7);
        assert_signed(&server);
    }
}

#[test]
fn temporary_keys_and_projects_are_signed_and_sent() {
    let server = server();
    let outcome = Run::new(&server)
        .with_key()
        .env("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECURITY_TOKEN)
        .env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT)
        .go();
    outcome.exits(0);
    let request = assert_signed(&server);
    assert_eq!(request.header("X-Security-Token"), Some(SECURITY_TOKEN));
    assert_eq!(request.header("X-Project-Id"), Some(PROJECT));
}

/// The default port of the URL's scheme is neither sent nor signed.
#[test]
fn the_default_port_is_not_sent() {
    let server = server();
    let connected = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let tunnel = vec![Step::Send(connected), Step::Tunnel(server.address)];
    let proxy = StandIn::scripted(Greeting::Plain, tunnel);
    let run = Run::bare().with_key().trusting();
    let run = run.env("https_proxy", format!("http://{}", proxy.address));
    run.args(&["-e", "stand-in.test:443", ID]).go().exits(0);
    assert_eq!(assert_signed(&server).header("Host"), Some("stand-in.test"));
}

/// Adds a source of credentials to a run; the path is of a file with its content.
type Add = fn(Run, PathBuf) -> Run;

/// A run that has this source of credentials and every one after it, each a key of its own. The
/// request and the verbose report show which one is used.
#[test]
fn the_first_source_that_exists_is_used() {
    let key = |name: &str| format!("[basic]\nak = {name}\nsk = {SECRET_KEY}\n");
    let sources: [(&str, &str, Add); 7] = [
        ("token-file", "token from PATH", |run, file| {
            run.arg("--token-file").arg(file)
        }),
        ("OPTION", "access key from PATH", |run, file| {
            run.arg("--credentials-file").arg(file)
        }),
        (TOKEN, "token from HUAWEICLOUD_TOKEN", |run, _| {
            run.env("HUAWEICLOUD_TOKEN", TOKEN)
        }),
        (
            "VARIABLES",
            "access key from HUAWEICLOUD_SDK_AK",
            |run, _| {
                run.env("HUAWEICLOUD_SDK_AK", "VARIABLES")
                    .env("HUAWEICLOUD_SDK_SK", SECRET_KEY)
            },
        ),
        (
            "NAMEDFILE",
            "access key from PATH (HUAWEICLOUD_SDK_CREDENTIALS_FILE)",
            |run, file| run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file),
        ),
        ("HOMEFILE", "access key from PATH (HOME)", |run, file| {
            let folder = file.parent().expect("a folder").join(".huaweicloud");
            fs::create_dir_all(&folder).expect("a folder");
            fs::copy(&file, folder.join("credentials")).expect("a copy");
            run.env("HOME", file.parent().expect("a folder"))
        }),
        ("TERRAFORM", "access key from HW_ACCESS_KEY", |run, _| {
            run.env("HW_ACCESS_KEY", "TERRAFORM")
                .env("HW_SECRET_KEY", SECRET_KEY)
        }),
    ];
    for first in 0..sources.len() {
        let server = server();
        let mut run = Run::new(&server).without_env("HUAWEICLOUD_TOKEN").arg("-v");
        let mut said = String::new();
        for (number, (name, says, add)) in sources.iter().enumerate().skip(first) {
            if first == 0 && number == 1 {
                continue; // the two options can't be used together
            }
            let content = if number == 0 {
                (*name).to_owned()
            } else {
                key(name)
            };
            let mut file = run.secret_file(name, content.as_bytes());
            run = add(run, file.clone());
            if number == first {
                if says.contains("HOME") {
                    file = file.with_file_name(".huaweicloud/credentials");
                }
                said = says.replace("PATH", &file.display().to_string());
            }
        }
        let outcome = run.go();
        outcome.exits(0);
        let (wanted, ..) = sources[first];
        let line = format!("credentials: {said}");
        assert!(
            outcome.stderr.lines().any(|l| l == line),
            "no '{line}'\n{outcome}"
        );
        let request = &server.requests()[0];
        match request.header("X-Auth-Token") {
            Some(token) => assert_eq!(token, wanted, "{outcome}"),
            None => assert_eq!(signing::check(request, wanted, SECRET_KEY), Ok(())),
        }
    }
}

#[test]
fn a_project_is_filled_in_wherever_the_key_has_none() {
    let with_project = format!("{}project_id = from-the-file\n", profile());
    let variables =
        |run: Run, names: [&str; 2]| run.env(names[0], ACCESS_KEY).env(names[1], SECRET_KEY);
    let by_option = |run: Run, content: &str| {
        let file = run.secret_file("credentials", content.as_bytes());
        run.arg("--credentials-file").arg(file)
    };
    let by_variable = |run: Run, content: &str| {
        let file = run.secret_file("credentials", content.as_bytes());
        run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file)
    };
    let ways: [(&dyn Fn(Run) -> Run, &str); 11] = [
        (&|run| by_option(run, &profile()), PROJECT),
        (&|run| by_option(run, &agency().to_string()), PROJECT),
        (&|run| by_option(run, CSV), PROJECT),
        (&|run| by_option(run, &with_project), "from-the-file"),
        (&|run| by_variable(run, &profile()), PROJECT),
        (&|run| by_variable(run, &with_project), "from-the-file"),
        (
            &|run| variables(run, ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]),
            PROJECT,
        ),
        (
            &|run| variables(run, ["HW_ACCESS_KEY", "HW_SECRET_KEY"]),
            PROJECT,
        ),
        (
            &|run| {
                variables(run, ["HW_ACCESS_KEY", "HW_SECRET_KEY"]).env("HW_PROJECT_ID", "terraform")
            },
            "terraform",
        ),
        // It belongs to that key alone.
        (
            &|run| {
                variables(run, ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"])
                    .env("HW_PROJECT_ID", "terraform")
            },
            PROJECT,
        ),
        (
            &|run| by_option(run, &profile()).env("HW_PROJECT_ID", "terraform"),
            PROJECT,
        ),
    ];
    for (way, project) in ways {
        let server = server();
        let run = Run::new(&server)
            .without_env("HUAWEICLOUD_TOKEN")
            .env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT);
        way(run).go().exits(0);
        assert_eq!(assert_signed(&server).header("X-Project-Id"), Some(project));
    }
    // A token has its project in itself.
    let server = server();
    let run = Run::new(&server).env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT);
    run.go().exits(0);
    assert_eq!(server.requests()[0].header("X-Project-Id"), None);
}

#[test]
fn a_project_that_is_not_used_is_not_checked() {
    let server = server();
    let run = Run::new(&server)
        .without_env("HUAWEICLOUD_TOKEN")
        .env("HUAWEICLOUD_SDK_PROJECT_ID", "a b");
    let content = format!("{}project_id = from-the-file\n", profile());
    let file = run.secret_file("credentials", content.as_bytes());
    run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file)
        .go()
        .exits(0);
    let run = Run::bare()
        .without_env("HUAWEICLOUD_TOKEN")
        .env("HUAWEICLOUD_SDK_PROJECT_ID", "a b");
    let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
    outcome.exits(2).complains("no credentials");
}

#[test]
fn a_short_token_does_not_hide_what_is_wrong_with_a_certificate() {
    let server = StandIn::scripted(
        Greeting::Tls(crate::stand_in::Certificate::Expired.server_config()),
        ok(&PACKAGE),
    );
    let outcome = Run::new(&server).env("HUAWEICLOUD_TOKEN", "e").go();
    outcome.exits(8).complains("it expired at 2001");
}

#[test]
fn the_error_for_a_wrong_project_names_its_source() {
    let run = Run::bare()
        .without_env("HUAWEICLOUD_TOKEN")
        .env("HUAWEICLOUD_SDK_PROJECT_ID", "a b");
    let file = run.secret_file("credentials", profile().as_bytes());
    let run = run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file);
    let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
    outcome
        .exits(2)
        .complains("HUAWEICLOUD_SDK_PROJECT_ID contains white space");
    // Nothing is wrong with the file.
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
}

#[test]
fn no_credentials_at_all_are_a_usage_error_that_lists_the_sources() {
    let says = |run: Run| {
        let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
        outcome
            .exits(2)
            .complains("no credentials: give --credentials-file or --token-file");
        for way in [
            "HUAWEICLOUD_TOKEN",
            "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK",
            "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
            "~/.huaweicloud/credentials",
        ] {
            assert!(outcome.stderr.contains(way), "{outcome}");
        }
    };
    let none = || Run::bare().without_env("HUAWEICLOUD_TOKEN");
    says(none());
    says(none().env("HOME", ""));
    says(none().env("HOME", "/nowhere"));
    says(none().env("HOME", "/dev/null"));
    says(
        none()
            .env("HUAWEICLOUD_TOKEN", "")
            .env("HUAWEICLOUD_SDK_AK", ""),
    );
    // A security token alone is no key.
    says(none().env("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECURITY_TOKEN));
    says(none().env("HW_SECURITY_TOKEN", SECURITY_TOKEN));
}

#[test]
fn half_a_pair_is_a_usage_error_that_names_the_other_half() {
    let sdk = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"];
    let terraform = ["HW_ACCESS_KEY", "HW_SECRET_KEY"];
    for (there, missing) in [
        (&sdk[..1], sdk[1]),
        (&sdk[1..], sdk[0]),
        (&terraform[..1], terraform[1]),
        (&terraform[1..], terraform[0]),
        // The other family's half does not help.
        (&[sdk[0], terraform[1]], sdk[1]),
        (&[sdk[1], terraform[0]], sdk[0]),
        (&[sdk[0], terraform[0], terraform[1]], sdk[1]),
    ] {
        let mut run = Run::bare()
            .without_env("HUAWEICLOUD_TOKEN")
            .env("HOME", "/nowhere");
        for variable in there {
            run = run.env(variable, SECRET_KEY);
        }
        let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
        outcome.exits(2).complains(&format!("{missing} is missing"));
        assert!(!outcome.stderr.contains("--help"), "{outcome}");
    }
    // Nor does the other family's security token come along.
    let server = server();
    let run = Run::new(&server).with_key();
    run.env("HW_SECURITY_TOKEN", SECURITY_TOKEN).go().exits(0);
    assert_eq!(assert_signed(&server).header("X-Security-Token"), None);
    let outcome = Run::bare()
        .args(&[
            "-e",
            "127.0.0.1:1",
            ID,
            "-t",
            "a",
            "--credentials-file",
            "b",
        ])
        .go();
    outcome
        .exits(2)
        .complains("--token-file and --credentials-file can't be used together");
}

#[test]
fn keys_in_the_environment_are_checked_like_those_in_a_file() {
    for (variable, value, text) in [
        ("HUAWEICLOUD_SDK_AK", &b"a b"[..], "contains white space"),
        ("HUAWEICLOUD_SDK_AK", b"a,b", "contains a comma"),
        (
            "HUAWEICLOUD_SDK_SK",
            b"nobody\xff",
            "contains a character other than visible ASCII",
        ),
        ("HUAWEICLOUD_SDK_SK", b" ", "is empty"),
        (
            "HUAWEICLOUD_SDK_SECURITY_TOKEN",
            b"nobody may",
            "contains white space",
        ),
        ("HUAWEICLOUD_SDK_PROJECT_ID", b"a,b", "contains a comma"),
    ] {
        let run = Run::bare().with_key().env(variable, os(value));
        let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
        outcome.exits(2).complains(&format!("{variable} {text}"));
        assert!(!outcome.stderr.contains("nobody"), "{outcome}");
    }
}

#[test]
fn a_key_whose_halves_are_swapped_is_not_sent() {
    let [id, secret] = ["K".repeat(20), "nobody/s".repeat(5)];
    for [access_key, secret_key] in [
        ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"],
        ["HW_ACCESS_KEY", "HW_SECRET_KEY"],
    ] {
        let run = Run::bare().without_env("HUAWEICLOUD_TOKEN");
        let run = run
            .env(access_key, &secret)
            .env(secret_key, format!(" {id} "));
        let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
        outcome.exits(2).complains(&format!(
            "{access_key} has 40 characters, and {secret_key} 20: the two are swapped"
        ));
        assert!(!outcome.stderr.contains("nobody"), "{outcome}");
    }
    // Other lengths say nothing.
    for [id_length, secret_length] in [[40, 19], [40, 40], [39, 20], [41, 20], [20, 20], [1, 1]] {
        let [id, secret] = ["K".repeat(id_length), "s".repeat(secret_length)];
        let server = server();
        let run = Run::new(&server).without_env("HUAWEICLOUD_TOKEN");
        let run = run.env("HW_ACCESS_KEY", &id).env("HW_SECRET_KEY", &secret);
        run.go().exits(0);
        assert_eq!(signing::check(&server.requests()[0], &id, &secret), Ok(()));
    }
}

/// Asserts that the run can't read its credentials from `object`, and what its hint says.
#[track_caller]
fn assert_unreadable(run: Run, object: &str, reason: &str, hint: Option<&str>) {
    let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
    let text = format!("cannot read the credentials from {object}: {reason}");
    outcome.exits(1).complains(&text);
    let hint = hint.map(|hint| format!("hint: {hint}"));
    assert_eq!(outcome.stderr.lines().nth(1), hint.as_deref(), "{outcome}");
}

const EXPANSION: &str = "nothing expands '~' or '$' here, nor in a crontab: write the whole path";

#[test]
fn a_path_is_shown_unless_it_may_be_a_secret() {
    let length =
        |length| format!("a file with a {length}-byte name (not shown: it may be a secret)");
    let value = Some(
        "--token-file and --credentials-file take a file; \
         a token itself goes into HUAWEICLOUD_TOKEN",
    );
    let json = agency().to_string();
    let long = "t".repeat(300);
    let path_of_40 = format!("{}.csv", "t".repeat(36));
    let path_of_41 = format!("{}.csv", "t".repeat(37));
    for (name, object, hint) in [
        ("/nowhere", "/nowhere", None),
        ("/nowhere/at/all", "/nowhere/at/all", None),
        ("./nowhere", "./nowhere", None),
        ("../nowhere/x", "../nowhere/x", None),
        ("here/nowhere", "here/nowhere", None),
        ("missing.csv", "missing.csv", None),
        ("keys/credentials.JSON", "keys/credentials.JSON", None),
        ("a.b", "a.b", None),
        (&path_of_40, &path_of_40, None),
        (&path_of_41, &length(41), value),
        ("MIIE.k3y", &length(8), value),
        ("MIIE.", &length(5), value),
        ("~/token", "~/token", Some(EXPANSION)),
        ("$HOME/token", "$HOME/token", Some(EXPANSION)),
        (TOKEN, &length(TOKEN.len()), value),
        ("MIIE/token", &length(10), value),
        (".token", &length(6), value),
        (&json, &length(json.len()), value),
        (&long, &length(300), value),
    ] {
        for option in ["-t", "--credentials-file"] {
            let run = Run::bare().args(&[option, name]);
            fs::create_dir(run.path("here")).expect("a folder");
            let reason = if name == long {
                "File name too long"
            } else {
                "No such file"
            };
            assert_unreadable(run, object, reason, hint);
        }
    }
    assert_unreadable(Run::bare().args(&["-t", "/"]), "/", "Is a directory", None);
    // A variable holds a path: it is always shown.
    let variable = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
    for (name, hint) in [
        ("/etc/codearts/credentails", None),
        ("credentails", None),
        ("~/credentials", Some(EXPANSION)),
        (
            "\"/etc/codearts/credentials\"",
            Some("the quotes are part of the path here: leave them out"),
        ),
    ] {
        let run = Run::bare().without_env("HUAWEICLOUD_TOKEN");
        let run = run.env(variable, name);
        assert_unreadable(run, &format!("{name} ({variable})"), "No such file", hint);
    }
}

/// The name of an existing file is no secret.
#[test]
fn the_name_of_a_file_that_is_there_is_shown() {
    let run = Run::ordinary().args(&["-t", "token"]).file("token", b"");
    let path = run.path("token");
    fs::set_permissions(&path, Permissions::from_mode(0o000)).expect("a mode");
    chown(&path, run.user(), None).expect("give a file away");
    assert_unreadable(run, "token", "Permission denied", None);
}

/// The SDK's own file may be missing, but not unreadable.
#[test]
fn an_unreadable_home_is_an_error_that_shows_the_path() {
    let run = Run::ordinary().without_env("HUAWEICLOUD_TOKEN");
    let home = run.secret_file("home", b"").with_file_name("closed");
    fs::create_dir(&home).expect("a folder");
    fs::set_permissions(&home, Permissions::from_mode(0o000)).expect("a mode");
    let object = format!("{}/.huaweicloud/credentials (HOME)", home.display());
    let run = run.env("HOME", &home);
    assert_unreadable(run, &object, "Permission denied", None);
}

#[test]
fn a_token_that_is_the_path_of_a_file_is_not_sent() {
    let run = Run::bare().args(&["-e", "127.0.0.1:1", ID]);
    let file = run.secret_file("token", TOKEN.as_bytes());
    // As a Kubernetes secret may keep it, with the end of a line.
    let value = format!(" {}\n", file.display());
    let outcome = run.env("HUAWEICLOUD_TOKEN", value).go();
    let text = "HUAWEICLOUD_TOKEN is the path of a file, not a token";
    outcome.exits(2).complains(text);
    let hint = outcome.stderr.lines().nth(1);
    assert_eq!(hint, Some("hint: --token-file takes a file"), "{outcome}");
    // A token may begin like a path, or happen to be a file's name.
    for token in ["/nowhere/abc", "abc"] {
        let server = server();
        let run = Run::new(&server).env("HUAWEICLOUD_TOKEN", token);
        run.file("abc", b"").go().exits(0);
        let sent = server.requests()[0]
            .header("X-Auth-Token")
            .map(str::to_owned);
        assert_eq!(sent.as_deref(), Some(token));
    }
}

#[test]
fn an_empty_standard_input_is_reported_as_such() {
    for option in ["-t", "--credentials-file"] {
        let run = Run::bare().args(&[option, "-"]);
        let reason = "nothing came on standard input";
        assert_unreadable(run, "standard input", reason, None);
        // The same by a path, as a shell's <(…) has it.
        let run = Run::bare().args(&[option, "/dev/stdin"]);
        let reason = "nothing came on /dev/stdin";
        assert_unreadable(run, "/dev/stdin", reason, None);
    }
}

#[test]
fn a_file_that_others_may_read_gets_a_warning() {
    let ours = "codearts-check-log: warning: ";
    for (option, content) in [("-t", TOKEN.to_owned()), ("--credentials-file", profile())] {
        for (mode, warns) in [
            (0o600, false),
            (0o400, false),
            (0o622, false),
            (0o640, true),
            (0o604, true),
            (0o644, true),
        ] {
            for args in [&[][..], &["-q"]] {
                let server = server();
                let run = Run::new(&server).args(args).arg(option);
                let file = run.secret_file("secret", content.as_bytes());
                fs::set_permissions(&file, Permissions::from_mode(mode)).expect("a mode");
                let outcome = run.arg(&file).go();
                outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
                let warning = format!(
                    "{ours}{} holds a secret but is readable by its group or others: \
                     chmod 600 it\n",
                    file.display()
                );
                let expected = if warns && args.is_empty() {
                    &*warning
                } else {
                    ""
                };
                outcome.says(expected);
            }
        }
    }
}

/// systemd and Kubernetes hand secrets over like this: owned by root, and readable by the service's
/// group.
#[test]
#[ignore = "only root can give files away"]
fn a_group_readable_file_of_another_owner_gets_no_warning() {
    for (mode, warns) in [(0o640, false), (0o644, true)] {
        let server = server();
        let run = Run::ordinary().calling(&server).arg("-t");
        let file = run.secret_file("secret", TOKEN.as_bytes());
        chown(&file, Some(0), Some(65534)).expect("give a file away");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("a mode");
        let outcome = run.arg(&file).go();
        outcome.exits(0);
        assert_eq!(outcome.stderr.contains("warning"), warns, "{outcome}");
    }
}

#[test]
fn a_401_names_the_source_of_the_credentials_and_never_their_value() {
    let sources: [(Add, &str); 6] = [
        (
            |run, _| run.env("HUAWEICLOUD_TOKEN", TOKEN),
            "token in HUAWEICLOUD_TOKEN",
        ),
        (|run, _| run.with_key(), "access key in HUAWEICLOUD_SDK_AK"),
        (
            |run, _| {
                run.env("HW_ACCESS_KEY", ACCESS_KEY)
                    .env("HW_SECRET_KEY", SECRET_KEY)
            },
            "access key in HW_ACCESS_KEY",
        ),
        (
            |run, file| run.arg("--credentials-file").arg(file),
            "access key in PATH",
        ),
        (
            |run, file| run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file),
            "access key in PATH (HUAWEICLOUD_SDK_CREDENTIALS_FILE)",
        ),
        (
            |run, _| {
                run.args(&["--credentials-file", "-"])
                    .input(profile().as_bytes())
            },
            "access key in standard input",
        ),
    ];
    for (add, caller) in sources {
        let server = StandIn::tls(vec![Step::Send(response("401 Unauthorized", &[], b"no"))]);
        let run = Run::new(&server).without_env("HUAWEICLOUD_TOKEN");
        let file = run.secret_file("credentials", profile().as_bytes());
        let caller = caller.replace("PATH", &file.display().to_string());
        let outcome = add(run, file).go();
        let text = format!(" answered 401 Unauthorized with the {caller}: no");
        outcome.exits(41).complains(&text);
        assert!(!outcome.stderr.contains(ACCESS_KEY), "{outcome}");
    }
}
