//! The recipes of the documents that call curl, run from the documents' own text.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::credentials::{assert_signed, server};
use crate::documents::read;
use crate::fault;
use crate::harness::{ID, OUTPUT, Run, SECURITY_TOKEN, TASK, TOKEN, os};
use crate::key_files::agency;
use crate::packages::{PACKAGE, ok};
use crate::stand_in::{Greeting, Request, StandIn, Step, response};

/// The shell script of a document that has `text` in it.
fn recipe(document: &str, text: &str) -> String {
    let document = read(document);
    let scripts = document.split("```sh\n").skip(1);
    let mut scripts = scripts.filter_map(|rest| Some(rest.split_once("```")?.0));
    let script = scripts.find(|script| script.contains(text));
    script.expect("a script in the document").to_owned()
}

/// The recipe of doc/ids.md that has `text` in it, with `service` in the place of the service.
fn recipe_for_ids(text: &str, service: &StandIn) -> String {
    let host = "https://codearts-check.cn-north-4.myhuaweicloud.com";
    let setup = recipe("doc/ids.md", "get()").replace(host, &format!("http://{}", service.address));
    format!("{setup}{}", recipe("doc/ids.md", text))
}

fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

/// Runs a recipe of the document, which may call the program and curl.
fn run_recipe(script: &str) -> Run {
    let script = script
        .replace("codearts-check-log", "\"$0\"")
        .replace("SUB_JOB_ID", ID);
    Run::below(&["/bin/sh", "-c", &script])
        .without_env("HUAWEICLOUD_TOKEN")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// Has the environment point to `server`, as a crontab would.
fn reaching(run: Run, server: &StandIn) -> Run {
    let ca = run.side_file("ca.pem", crate::stand_in::ca_pem().as_bytes());
    let endpoint = format!("https://localhost:{}", server.address.port());
    run.env("SSL_CERT_FILE", ca)
        .env("CODEARTS_CHECK_ENDPOINT", endpoint)
}

/// What a metadata service answers that knows one version, or demands the second.
fn metadata(request: &Request, has_version_2: bool, agency: &str) -> Vec<Step> {
    let reply = |status, body: &str| vec![Step::Send(response(status, &[], body.as_bytes()))];
    let line = request.0.lines().next().unwrap_or_default();
    let token = request.header("X-Metadata-Token");
    match (line, has_version_2, token) {
        ("PUT /meta-data/latest/api/token HTTP/1.1", true, None) => {
            assert_eq!(
                request.header("X-Metadata-Token-Ttl-Seconds"),
                Some("21600")
            );
            reply("200 OK", "a-session")
        }
        ("PUT /meta-data/latest/api/token HTTP/1.1", false, None) => {
            reply("404 Not Found", "no such path")
        }
        ("GET /openstack/latest/securitykey HTTP/1.1", true, Some("a-session"))
        | ("GET /openstack/latest/securitykey HTTP/1.1", false, None) => reply("200 OK", agency),
        ("GET /openstack/latest/securitykey HTTP/1.1", true, None) => {
            reply("401 Unauthorized", "no session")
        }
        _ => panic!("unexpected: {}", request.0),
    }
}

#[test]
fn the_recipe_for_a_host_without_a_stored_key_works_with_both_versions() {
    if !has_curl() {
        return fault::skip("a recipe", "curl");
    }
    let script = recipe("doc/credentials.md", "securitykey");
    assert_eq!(script.lines().count(), 4, "{script}");
    for has_version_2 in [true, false] {
        let agency = agency().to_string();
        let service = StandIn::start(Greeting::Plain, move |request| {
            metadata(request, has_version_2, &agency)
        });
        let server = server();
        let script = script.replace("169.254.169.254", &service.address.to_string());
        let outcome = reaching(run_recipe(&script), &server).go();
        outcome.exits(0).says("").leaves_only(OUTPUT, &PACKAGE);
        let request = assert_signed(&server);
        assert_eq!(request.header("X-Security-Token"), Some(SECURITY_TOKEN));
    }
}

#[test]
fn the_recipe_fails_if_there_is_no_agency_or_no_answer() {
    if !has_curl() {
        return fault::skip("a recipe that fails", "curl");
    }
    let refuse = |_: &Request| vec![Step::Send(response("404 Not Found", &[], b"no agency"))];
    let service = StandIn::start(Greeting::Plain, refuse);
    let server = server().never_called();
    for address in [&*service.address.to_string(), "127.0.0.1:1"] {
        let script =
            recipe("doc/credentials.md", "securitykey").replace("169.254.169.254", address);
        let outcome = reaching(run_recipe(&script), &server).go();
        outcome.exits(1).leaves_nothing();
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        let [curl, error] = lines[..] else {
            panic!("two lines\n{outcome}");
        };
        assert!(curl.starts_with("curl: ("), "{outcome}");
        let text = "cannot read the credentials from standard input: nothing came";
        assert!(error.contains(text), "{outcome}");
    }
}

#[test]
fn the_recipe_for_a_token_keeps_it_from_others() {
    if !has_curl() {
        return fault::skip("the recipe for a token", "curl");
    }
    let issue = |request: &Request| {
        assert!(
            request.0.starts_with("POST /v3/auth/tokens "),
            "{}",
            request.0
        );
        let headers = [("x-subject-token", TOKEN)];
        vec![Step::Send(response("201 Created", &headers, b"{}"))]
    };
    let refuse = |_: &Request| vec![Step::Send(response("401 Unauthorized", &[], b"{}"))];
    let iam = "https://iam.cn-north-4.myhuaweicloud.com";
    let service = StandIn::start(Greeting::Plain, issue);
    let script =
        recipe("doc/credentials.md", iam).replace(iam, &format!("http://{}", service.address));
    let outcome = run_recipe(&script).go();
    assert_eq!(outcome.status.code(), Some(0), "{outcome}");
    let names: Vec<_> = outcome.files.keys().collect();
    assert_eq!(names, ["token"], "the password must not stay");
    // Nothing but the token, so that it can also be put into a header.
    let token = format!("{TOKEN}\n");
    assert_eq!(outcome.files[os(b"token")], token.as_bytes());
    for name in names {
        let mode = fs::metadata(outcome.run.path(name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name:?}");
    }
    let service = StandIn::start(Greeting::Plain, refuse);
    let script =
        recipe("doc/credentials.md", iam).replace(iam, &format!("http://{}", service.address));
    let outcome = run_recipe(&script).file("token", b"old").go();
    assert_ne!(outcome.status.code(), Some(0), "{outcome}");
    assert_eq!(outcome.files[os(b"token")], b"old", "{outcome}");
}

#[test]
fn the_recipes_for_ids_ask_with_the_token_and_print_the_answer() {
    if !has_curl() {
        return fault::skip("the recipes for IDs", "curl");
    }
    let tasks = r#"{"tasks": [{"task_id": "5c40", "task_name":"a b", "git_url": "x",
        "git_branch": "main"}, {"task_id": "72d4", "git_branch": ""}], "total": 2}"#;
    let found = "\"task_id\": \"5c40\"\n\"task_name\":\"a b\"\n\"git_branch\": \"main\"\n\
                 \"task_id\": \"72d4\"\n\"git_branch\": \"\"\n";
    let other = "{\"info\": []}";
    for (text, target, answer, printed) in [
        (
            "/v2/",
            "/v2/PROJECT_ID/tasks?offset=0&limit=100",
            tasks,
            found,
        ),
        (
            "check-list",
            "/v4/task/TASK_ID/check-list?check_type=branch&page=1&page_size=200",
            other,
            other,
        ),
        (
            "/jobs",
            "/v4/tasks/TASK_ID/jobs?statuses=success&begin_start_time=2026-01-01T00:00:00Z\
             &end_start_time=2026-02-01T00:00:00Z&page=1&page_size=200",
            other,
            other,
        ),
    ] {
        let answer = response("200 OK", &[], answer.as_bytes());
        let service = StandIn::scripted(Greeting::Plain, vec![Step::Send(answer)]);
        let script = recipe_for_ids(text, &service);
        let outcome = run_recipe(&script).file("token", TOKEN.as_bytes()).go();
        outcome.exits(0).says("");
        assert_eq!(outcome.stdout, printed, "{outcome}");
        let request = &service.requests()[0];
        let line = format!("GET {target} HTTP/1.1");
        assert_eq!(request.0.lines().next(), Some(&*line));
        assert_eq!(request.header("X-Auth-Token"), Some(TOKEN));
    }
}

#[test]
fn the_recipe_for_the_last_execution_that_succeeded_lists_its_subtasks() {
    if !has_curl() {
        return fault::skip("the recipe for the last execution that succeeded", "curl");
    }
    let jobs = |status, result: &str| {
        let answer = response(status, &[], format!("{{\"result\": {result}}}").as_bytes());
        StandIn::scripted(Greeting::Plain, vec![Step::Send(answer)])
    };
    let run = |service: &StandIn| {
        let script = recipe_for_ids("last-jobs", service).replace("TASK_ID", TASK);
        run_recipe(&script).file("token", TOKEN.as_bytes())
    };
    let list =
        format!(r#"{{"result": {{"lastJob": {{"status": "success", "subJobIds": ["{ID}"]}}}}}}"#);
    let found = r#"{"last_job_id": "1111", "last_success_job_id":"72d4"}"#;
    let (service, server) = (jobs("200 OK", found), StandIn::tls(ok(list.as_bytes())));
    let outcome = reaching(run(&service), &server).go();
    outcome.exits(0);
    assert_eq!(outcome.stdout, format!("{ID}\n"), "{outcome}");
    let target = format!("GET /v4/tasks/{TASK}/last-jobs HTTP/1.1");
    assert!(service.requests()[0].0.starts_with(&target));
    let target = format!("GET /v3/task/{TASK}?job_id=72d4 HTTP/1.1");
    assert!(server.requests()[0].0.starts_with(&target));
    // Nothing is listed in its place.
    let none = r#"{"last_job_id": "1111", "last_success_job_id": null}"#;
    for service in [jobs("200 OK", none), jobs("404 Not Found", found)] {
        let outcome = run(&service).go();
        outcome.exits(2);
        assert!(
            outcome.stderr.contains("--job: JOB_ID must be"),
            "{outcome}"
        );
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}
