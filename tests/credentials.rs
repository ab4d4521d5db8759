//! Tokens and access keys: where they come from, what is signed with them, and that no answer gets
//! them printed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{ACCESS_KEY, ID, OUTPUT, Outcome, Run, SECRET_KEY, SECURITY_TOKEN, TOKEN, os};
use crate::packages::{PACKAGE, ok};
use crate::signing;
use crate::stand_in::{Greeting, Request, StandIn, Step, response};

const PROJECT: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

fn server() -> StandIn {
    StandIn::tls(ok(&PACKAGE))
}

fn profile() -> String {
    format!("[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n")
}

fn agency() -> Value {
    json!({"credential": {
        "access": ACCESS_KEY, "secret": SECRET_KEY, "securitytoken": SECURITY_TOKEN,
        "expires_at": "2026-01-01T00:00:00.000000Z",
    }})
}

/// Asserts that the one request is signed with the tests' key.
#[track_caller]
fn assert_signed(server: &StandIn) -> Request {
    let requests = server.requests();
    let [request] = &requests[..] else {
        panic!("{} requests", requests.len());
    };
    let checked = signing::check(request, ACCESS_KEY, SECRET_KEY);
    assert_eq!(checked, Ok(()), "{}", request.0);
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

/// The port that the URL's scheme has anyway is not sent, and not signed.
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

/// A run that has every source of credentials, each a key of its own, from the last to the first.
/// Which counts shows in the request.
#[test]
fn the_first_source_that_is_there_counts() {
    let key = |name: &str| format!("[basic]\nak = {name}\nsk = {SECRET_KEY}\n");
    let sources: [(&str, Add); 6] = [
        ("HOMEFILE", |run, _| run),
        ("NAMEDFILE", |run, file| {
            run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file)
        }),
        ("VARIABLES", |run, _| {
            run.env("HUAWEICLOUD_SDK_AK", "VARIABLES")
                .env("HUAWEICLOUD_SDK_SK", SECRET_KEY)
        }),
        (TOKEN, |run, _| run.env("HUAWEICLOUD_TOKEN", TOKEN)),
        ("OPTION", |run, file| {
            run.arg("--credentials-file").arg(file)
        }),
        ("token-file", |run, file| run.arg("--token-file").arg(file)),
    ];
    for last in 0..sources.len() {
        let server = server();
        let mut run = Run::new(&server).without_env("HUAWEICLOUD_TOKEN");
        let home = run.path("home");
        fs::create_dir_all(home.join(".huaweicloud")).expect("a folder");
        let file = home.join(".huaweicloud/credentials");
        fs::write(&file, key("HOMEFILE")).expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a mode");
        run = run.env("HOME", &home);
        for (name, add) in &sources[..=last] {
            // The two options can't be used together.
            if *name != "OPTION" || last == 4 {
                let content = if *name == "token-file" {
                    (*name).to_owned()
                } else {
                    key(name)
                };
                let file = run.secret_file(name, content.as_bytes());
                run = add(run, file);
            }
        }
        let outcome = run.go();
        outcome.exits(0).says("");
        let request = &server.requests()[0];
        let (wanted, _) = sources[last];
        match request.header("X-Auth-Token") {
            Some(token) => assert_eq!(token, wanted, "{outcome}"),
            None => assert_eq!(signing::check(request, wanted, SECRET_KEY), Ok(())),
        }
    }
}

#[test]
fn a_project_is_filled_in_where_the_file_has_none() {
    let with_project = format!("{}project_id = from-the-file\n", profile());
    for (content, option, project) in [
        (profile(), false, Some(PROJECT)),
        (with_project.clone(), false, Some("from-the-file")),
        (with_project, true, Some("from-the-file")),
        // A file of the command line says everything.
        (profile(), true, None),
    ] {
        let server = server();
        let run = Run::new(&server)
            .without_env("HUAWEICLOUD_TOKEN")
            .env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT);
        let file = run.secret_file("credentials", content.as_bytes());
        let run = if option {
            run.arg("--credentials-file").arg(file)
        } else {
            run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file)
        };
        run.go().exits(0);
        assert_eq!(assert_signed(&server).header("X-Project-Id"), project);
    }
}

#[test]
fn a_project_that_does_not_count_is_not_looked_at() {
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
    outcome.exits(8).complains("it ***xpir***d at 2001");
}

#[test]
fn a_wrong_project_is_told_by_where_it_comes_from() {
    let run = Run::bare()
        .without_env("HUAWEICLOUD_TOKEN")
        .env("HUAWEICLOUD_SDK_PROJECT_ID", "a b");
    let file = run.secret_file("credentials", profile().as_bytes());
    let run = run.env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file);
    run.args(&["-e", "127.0.0.1:1", ID])
        .go()
        .exits(2)
        .complains("HUAWEICLOUD_SDK_PROJECT_ID contains white space");
}

#[test]
fn no_credentials_at_all_are_a_usage_error_that_lists_the_ways() {
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
}

#[test]
fn half_a_pair_is_a_usage_error_that_names_the_other_half() {
    for (there, missing) in [
        ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
        ("HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_AK"),
    ] {
        let run = Run::bare()
            .without_env("HUAWEICLOUD_TOKEN")
            .env("HOME", "/nowhere")
            .env(there, SECRET_KEY);
        let outcome = run.args(&["-e", "127.0.0.1:1", ID]).go();
        outcome.exits(2).complains(&format!("{missing} is missing"));
    }
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
fn a_profile_is_read_as_the_sdk_reads_it() {
    for content in [
        profile(),
        profile().replace('\n', "\r\n"),
        profile().replace(" = ", "="),
        profile().replace(" = ", ":"),
        profile().replace("ak", "  AK").replace("sk =", "Sk\t:"),
        format!("\u{feff}# a comment\n; another = one\n\n{}", profile()),
        format!("[global]\nak = other\nsk = other\nnonsense\n{}", profile()),
        format!("{}[global]\nak = other\n", profile()),
        format!("{}domain_id = x y z\niam_endpoint = https://x\n", profile()),
        format!("{}security_token =\nproject_id =\n", profile()),
        profile().replace("[basic]", "  [basic] ; a comment"),
        profile().trim_end().to_owned(),
    ] {
        let server = server();
        let run = Run::new(&server).arg("--credentials-file");
        let file = run.secret_file("credentials", content.as_bytes());
        run.arg(file).go().exits(0).says("");
        assert_signed(&server);
    }
}

#[test]
fn what_a_host_s_metadata_service_gives_is_read_from_standard_input() {
    let mut bare = agency();
    bare["credential"]["securitytoken"] = Value::Null;
    for (json, token) in [(agency(), Some(SECURITY_TOKEN)), (bare, None)] {
        let server = server();
        let run = Run::new(&server).args(&["--credentials-file", "-"]);
        let outcome = run.input(format!("\n{json}").as_bytes()).go();
        outcome.exits(0).says("");
        assert_eq!(assert_signed(&server).header("X-Security-Token"), token);
    }
}

/// Asserts that a credentials file with this content is refused before any connection, and nothing
/// of it repeated. FILE in the text stands for its name.
#[track_caller]
fn assert_file_refused(content: &[u8], text: &str) {
    let run = || Run::bare().args(&["-e", "127.0.0.1:1", ID, "--credentials-file"]);
    let by_name = run();
    let file = by_name.secret_file("credentials", content);
    for (outcome, name) in [
        (by_name.arg(&file).go(), &*file.display().to_string()),
        (run().arg("-").input(content).go(), "standard input"),
    ] {
        outcome.exits(2).complains(&text.replace("FILE", name));
        assert!(!outcome.stderr.contains("nobody"), "{outcome}");
    }
}

#[test]
fn a_profile_that_can_t_be_right_is_refused() {
    let ak = |value: &str| profile().replace(ACCESS_KEY, value);
    let sk = |value: &str| profile().replace(SECRET_KEY, value);
    let plus = |line: &str| format!("{}{line}\n", profile());
    let large = format!("{}{}", profile(), "# comment\n".repeat(20_000));
    for (content, text) in [
        (String::new(), "FILE is empty"),
        (" \r\n".to_owned(), "FILE is empty"),
        (large, "FILE is too large for a credentials file"),
        ("no profile".to_owned(), "FILE has no section [basic]"),
        (
            profile().replace("[basic]", ""),
            "FILE has no section [basic]",
        ),
        (
            profile().replace("[basic]", "[global]"),
            "FILE has no section [basic]",
        ),
        (
            profile().replace("[basic]", "[Basic]"),
            "FILE has no section [basic]",
        ),
        (
            plus("nobody-may-see"),
            "FILE has neither a section nor NAME = VALUE in line 4",
        ),
        (
            plus("sk = nobody-may-see"),
            "FILE has sk twice (again in line 4)",
        ),
        (
            plus("AK : nobody-may-see"),
            "FILE has ak twice (again in line 4)",
        ),
        (
            "[basic]\nak = a\n".to_owned(),
            "the secret key in FILE is missing",
        ),
        (
            "[basic]\nsk = nobody-may-see\n".to_owned(),
            "the access key in FILE is missing",
        ),
        (ak(""), "the access key in FILE is empty"),
        (
            sk("nobody-may see"),
            "the secret key in FILE contains white space (byte 11)",
        ),
        (
            sk("nobody-may,see"),
            "the secret key in FILE contains a comma",
        ),
        (
            sk("nobody-may-s\u{e9}e"),
            "the secret key in FILE contains a character other than",
        ),
        (
            sk("\"nobody-may-see\""),
            "the secret key in FILE is in quotes",
        ),
        (
            ak("a\u{7f}"),
            "the access key in FILE contains a character other than",
        ),
        (
            sk(&"k".repeat(257)),
            "the secret key in FILE is longer than 256 characters",
        ),
        (
            plus("project_id = a b"),
            "the project ID in FILE contains white space",
        ),
        (
            plus("security_token = a b"),
            "the security token in FILE contains white space",
        ),
        (
            plus(&format!("security_token = {}", "t".repeat(100_001))),
            "the security token in FILE is longer than 100000 characters",
        ),
    ] {
        assert_file_refused(content.as_bytes(), text);
    }
    assert_file_refused(b"[basic]\nak = \xff\n", "FILE is not UTF-8");
}

#[test]
fn metadata_that_can_t_be_right_is_refused() {
    let with = |name: &str, value: Value| {
        let mut json = agency();
        json["credential"][name] = value;
        json.to_string()
    };
    for (content, text) in [
        (
            "{nobody-may-see".to_owned(),
            "FILE is not valid JSON (line 1, column 2)",
        ),
        ("{}".to_owned(), "FILE has no \"credential\" object"),
        (
            json!({"credential": "nobody-may-see"}).to_string(),
            "FILE has no \"credential\" object",
        ),
        (
            with("secret", json!(7)),
            "FILE has something other than text as \"secret\"",
        ),
        (
            with("access", json!({})),
            "FILE has something other than text as \"access\"",
        ),
        (
            with("securitytoken", json!([])),
            "FILE has something other than text as",
        ),
        (
            with("secret", json!(null)),
            "the secret key in FILE is missing",
        ),
        (
            with("secret", json!("nobody-may\nsee")),
            "the secret key in FILE contains a line break",
        ),
    ] {
        assert_file_refused(content.as_bytes(), text);
    }
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
fn a_credentials_file_that_can_t_be_read_is_this_machine_s_fault() {
    let bare = || Run::bare().without_env("HUAWEICLOUD_TOKEN");
    let run = bare().args(&["-e", "127.0.0.1:1", ID, "--credentials-file", "/nowhere"]);
    run.go()
        .exits(1)
        .complains("cannot read the credentials from a file with a name of 8 bytes (not shown: it may be a secret): No such file");
    let run = bare().env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/nowhere");
    run.args(&["-e", "127.0.0.1:1", ID])
        .go()
        .exits(1)
        .complains("cannot read the credentials from a file with a name of 8 bytes (not shown: it may be a secret): No such file");
    // The default one may be missing, but not unreadable.
    let run = bare();
    fs::create_dir_all(run.path("home/.huaweicloud/credentials")).expect("a folder");
    let home = run.path("home");
    run.env("HOME", home)
        .args(&["-e", "127.0.0.1:1", ID])
        .go()
        .exits(1)
        .complains("home/.huaweicloud/credentials: Is a directory");
    // What has the content in the name's place is not shown.
    let json = agency().to_string();
    let run = bare().args(&["-e", "127.0.0.1:1", ID, "--credentials-file", &json]);
    run.go()
        .exits(1)
        .complains("cannot read the credentials from a file with a name of ");
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
                    "{ours}{} holds a secret but is readable by its group or others: chmod 600 it\n",
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

/// As systemd and Kubernetes hand a secret over: it is root's, and the service's group may read it.
#[test]
#[ignore = "only root can give files away"]
fn another_owner_s_file_that_our_group_may_read_gets_no_warning() {
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

/// Every place of an answer that a message may repeat.
fn echoes(secret: &str) -> Vec<Vec<Step>> {
    let error = |status: &str, headers: &[(&str, &str)], body: &str| {
        vec![Step::Send(response(status, headers, body.as_bytes()))]
    };
    let (beginning, end) = secret.split_at(secret.len() / 2);
    let canonical = format!("GET\n/v1/log-file/\nx\nx-security-token:{secret}\n\nhost");
    let message = json!({"error_code": "APIGW.0301", "error_msg": canonical}).to_string();
    let long = format!("{}{secret}", "x".repeat(480));
    vec![
        error("401 Unauthorized", &[], &message),
        error("401 Unauthorized", &[], &message.replace('/', "\\/")),
        error(
            "400 Bad Request",
            &[],
            &json!({"error_code": secret}).to_string(),
        ),
        error(
            "400 Bad Request",
            &[],
            &json!({"error": {"message": format!("{beginning}\n{end}")}}).to_string(),
        ),
        error("500 Internal Server Error", &[], secret),
        error(
            "500 Internal Server Error",
            &[],
            &format!("<p>{beginning}<br>{end}</p>"),
        ),
        error("500 Internal Server Error", &[], &long),
        error(
            "500 Internal Server Error",
            &[],
            &format!("{beginning}\n{end}"),
        ),
        error("500 Internal Server Error", &[], &secret[1..]),
        error("500 Internal Server Error", &[("X-Request-Id", secret)], ""),
        error(
            "500 Internal Server Error",
            &[],
            &json!({"error_code": "a", "request_id": secret}).to_string(),
        ),
        error("503 Service Unavailable", &[("Retry-After", secret)], ""),
        error(
            "302 Found",
            &[("Location", &format!("https://x/?t={secret}"))],
            "",
        ),
        error(
            "302 Found",
            &[(
                "Location",
                &format!("https://x/?t={}", secret.replace('/', "%2F")),
            )],
            "",
        ),
        error("200 OK", &[("Content-Type", secret)], ""),
        error("200 OK", &[("Content-Encoding", secret)], ""),
        error("200 OK", &[], &message),
        error(
            "200 OK",
            &[],
            &json!({"result": {"lastJob": {"status": "x", "subJobIds": [secret]}}}).to_string(),
        ),
        error(
            "200 OK",
            &[],
            &json!({"result": {"lastJob": {
            "id": secret, "status": secret, "finishTime": secret, "subJobIds": [ID]}}})
            .to_string(),
        ),
        error(&format!("200 {secret}"), &[("Date", secret)], ""),
        vec![Step::Send(
            format!("HTTP/1.1 200 OK\r\n{secret}\r\n\r\n").into_bytes(),
        )],
        vec![Step::Send(format!("{secret}\r\n\r\n").into_bytes())],
        vec![Step::Send(
            format!("HTTP/1.1 200 OK\r\nContent-Length: {secret}\r\n\r\n").into_bytes(),
        )],
        vec![Step::Send(
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n")
                .into_bytes(),
        )],
    ]
}

/// Asserts that no word that was printed has 8 consecutive letters and digits of the secret.
#[track_caller]
fn assert_hidden(outcome: &Outcome, secret: &str) {
    let letters = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let secret = letters(secret);
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in shown.split_whitespace().map(letters) {
        let leaks = (8..=word.len()).any(|end| secret.contains(&word[end - 8..end]));
        assert!(!leaks, "the secret shows\n{outcome}");
    }
    assert!(outcome.status.code().is_some(), "{outcome}");
}

#[test]
fn no_answer_gets_a_secret_printed() {
    for script in echoes(TOKEN) {
        let server = StandIn::tls(script);
        assert_hidden(&Run::new(&server).arg("-v").go(), TOKEN);
        assert_hidden(&Run::list(&server).arg("-v").go(), TOKEN);
    }
    for secret in [SECRET_KEY, SECURITY_TOKEN] {
        for script in echoes(secret) {
            let server = StandIn::tls(script);
            let key = |run: Run| {
                run.with_key()
                    .env("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECURITY_TOKEN)
                    .arg("-v")
            };
            assert_hidden(&key(Run::new(&server)).go(), secret);
            assert_hidden(&key(Run::list(&server)).go(), secret);
        }
    }
}

#[test]
fn an_echoed_secret_is_masked_and_the_rest_of_the_message_stays() {
    let server = StandIn::start(Greeting::tls(), |request| {
        let authorization = request.header("Authorization").unwrap_or_default();
        let body =
            json!({"error_code": "APIGW.0301", "error_msg": format!("no: {authorization}.")});
        vec![Step::Send(response(
            "401 Unauthorized",
            &[],
            body.to_string().as_bytes(),
        ))]
    });
    let outcome = Run::new(&server).with_key().go();
    outcome.exits(41).complains(&format!(
        "401 Unauthorized: APIGW.0301: no: SDK-HMAC-SHA256 Access={ACCESS_KEY}, \
         SignedHeaders=host;x-sdk-date, ***"
    ));
}

#[test]
fn a_401_on_a_signed_call_points_to_the_key_and_shows_both_clocks() {
    let refuse = |headers: &[(&str, &str)], run: fn(Run) -> Run| {
        let reply = response("401 Unauthorized", headers, b"");
        let server = StandIn::tls(vec![Step::Send(reply)]);
        let outcome = run(Run::new(&server)).go();
        outcome.exits(41).complains("401 Unauthorized");
        outcome.stderr.lines().last().unwrap_or_default().to_owned()
    };
    let clock = || time::OffsetDateTime::now_utc().unix_timestamp();
    let start = "hint: check the access key (temporary ones expire) and this host's clock, \
                 which may be 15 minutes off: it says ";
    for date in ["Thu, 15 Jan 2026 09:30:45 GMT", "no date"] {
        let before = clock();
        let hint = refuse(&[("Date", date)], Run::with_key);
        let ours = hint.strip_prefix(start).unwrap_or_default();
        let end = format!(", and the server's {date}");
        let ours = ours.strip_suffix(&*end).expect("the server's clock");
        let [year, month, day, hour, minute, second] = numbers(ours);
        let month = time::Month::try_from(u8::try_from(month).unwrap()).expect("a month");
        let [day, hour, minute, second] = [day, hour, minute, second].map(|n| n as u8);
        let ours = time::Date::from_calendar_date(year, month, day).expect("a date");
        let ours = ours.with_hms(hour, minute, second).expect("a time");
        let ours = ours.assume_utc().unix_timestamp();
        assert!((before..=clock()).contains(&ours), "{hint}");
    }
    let hint = refuse(&[], Run::with_key);
    assert!(
        hint.starts_with(start) && hint.ends_with(" UTC"),
        "no date, no clock of the server's: {hint}"
    );
    // A token knows no clock.
    let hint = refuse(&[("Date", "Thu, 15 Jan 2015 09:30:45 GMT")], |run| run);
    assert_eq!(hint, "hint: get a new token: a token lasts 24 hours");
}

/// The numbers of `2026-01-15 09:30:45 UTC`.
fn numbers(text: &str) -> [i32; 6] {
    let numbers = text.trim_end_matches(" UTC").split(['-', ' ', ':']);
    let numbers: Vec<i32> = numbers.map(|n| n.parse().expect("a number")).collect();
    numbers.try_into().expect("six numbers")
}

#[test]
fn no_secret_of_a_key_is_in_the_verbose_report() {
    let server = server();
    let run = Run::new(&server)
        .arg("-v")
        .args(&["--credentials-file", "-"]);
    let outcome = run.input(agency().to_string().as_bytes()).go();
    outcome.exits(0);
    let request = assert_signed(&server);
    let authorization = request.header("Authorization").unwrap_or_default();
    let (_, signature) = authorization.rsplit_once('=').expect("a signature");
    for secret in [signature, SECRET_KEY, SECURITY_TOKEN] {
        assert_hidden(&outcome, secret);
    }
}
