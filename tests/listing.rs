//! `--list`: which answers give a list, which are refused, and that a shell's pipeline gets nothing
//! but whole lists of IDs.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fault;
use crate::harness::{ID, Outcome, Run, TASK, TOKEN};
use crate::packages::{PACKAGE, ok};
use crate::stand_in::{StandIn, Step, response};

const JOB: &str = "72d4dba817cf44bcab4a1fb0eb34525b";
const ONE: &str = "83a0e82e64594bd29b58dc1505525dd0";
const TWO: &str = "8854867535de4846b94e77f1946a3198";

/// The reference's example, shortened.
fn answer() -> Value {
    json!({"httpStatus": "OK", "status": "success", "result": {"id": TASK, "lastJob": {
        "id": JOB, "status": "success",
        "startTime": "2025-09-25T08:41:04Z", "finishTime": "2025-09-25T08:43:15Z",
        "subJobIds": [],
        "process": {"status": "success", "process": "100%", "subJobIds": [ONE, TWO],
            "subJobStatuses": [{"subJobId": ONE, "status": "success", "toolName": "x"}]}}}})
}

/// The example with other content at a JSON pointer (RFC 6901); null takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut answer = answer();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = answer.pointer_mut(parent).expect("a place in the example");
    if value.is_null() {
        parent.as_object_mut().expect("an object").remove(name);
    } else {
        parent[name] = value;
    }
    answer
}

fn list(body: &[u8]) -> Outcome {
    let server = StandIn::tls(ok(body));
    let outcome = Run::list(&server).go();
    assert_eq!(server.requests().len(), 1, "{outcome}");
    outcome.leaves_nothing();
    outcome
}

/// Asserts that the answer is listed as these lines.
#[track_caller]
fn assert_listed(answer: &Value, lines: &[&str]) {
    let outcome = list(answer.to_string().as_bytes());
    outcome.exits(0).says("");
    let expected: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    assert_eq!(outcome.stdout, expected, "{outcome}");
}

/// Asserts that the answer is refused, and nothing printed.
#[track_caller]
fn assert_refused(body: &[u8], text: &str) {
    let outcome = list(body);
    let endpoint = outcome.endpoint();
    let beginning =
        format!("{endpoint} answered 200, but the body is not a list of an execution's subtasks: ");
    outcome.exits(7).complains(&beginning).complains(text);
    assert_eq!(outcome.stdout, "", "{outcome}");
}

#[test]
fn a_list_is_judged_by_its_json_and_not_by_its_content_coding() {
    let json = answer().to_string();
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0".as_slice();
    for (body, code) in [(json.as_bytes(), 0), (gzip, 7)] {
        let reply = response("200 OK", &[("Content-Encoding", "gzip")], body);
        let server = StandIn::tls(vec![Step::Send(reply)]);
        Run::list(&server).go().exits(code);
    }
}

#[test]
fn the_subtasks_of_the_latest_execution_are_listed_one_per_line() {
    let server = StandIn::tls(ok(answer().to_string().as_bytes()));
    let outcome = Run::list(&server).go();
    outcome.exits(0).says("").leaves_nothing();
    assert_eq!(outcome.stdout, format!("{ONE}\n{TWO}\n"));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let head = format!("GET /v3/task/{TASK} HTTP/1.1\r\n");
    assert!(requests[0].0.starts_with(&head), "{outcome}");
    assert_eq!(requests[0].header("X-Auth-Token"), Some(TOKEN));
}

#[test]
fn the_execution_of_the_option_job_is_requested() {
    let server = StandIn::tls(ok(answer().to_string().as_bytes()));
    let outcome = Run::list(&server).args(&["--job", JOB]).go();
    outcome.exits(0);
    assert_eq!(outcome.stdout, format!("{ONE}\n{TWO}\n"));
    let head = format!("GET /v3/task/{TASK}?job_id={JOB} HTTP/1.1\r\n");
    assert!(server.requests()[0].0.starts_with(&head), "{outcome}");

    // The answer must be about it.
    let outcome = Run::list(&server).args(&["--job=-another_1"]).go();
    outcome.exits(7).complains("it is about another execution");
    assert_eq!(outcome.stdout, "");
    let unnamed = with("/result/lastJob/id", Value::Null).to_string();
    let server = StandIn::tls(ok(unnamed.as_bytes()));
    Run::list(&server).args(&["--job", "another"]).go().exits(0);
}

#[test]
fn verbose_says_execution_status_and_finish_time() {
    let server = StandIn::tls(ok(answer().to_string().as_bytes()));
    let outcome = Run::list(&server).arg("-v").go();
    let length = answer().to_string().len();
    outcome.exits(0).says(&format!(
        "{}credentials: token from HUAWEICLOUD_TOKEN\n\
         GET https://localhost:{}/v3/task/{TASK}\n\
         200 OK, {length} bytes, no content type\n\
         execution {JOB}, status success, finish time 2025-09-25T08:43:15Z, subtasks: 2\n",
        outcome.trust_line(),
        server.address.port()
    ));
}

#[test]
fn the_second_list_of_ids_is_used_if_the_first_is_empty() {
    let mut swapped = with("/result/lastJob/process/subJobIds", json!([]));
    swapped["result"]["lastJob"]["subJobIds"] = json!([TWO]);
    assert_listed(&swapped, &[TWO]);
    for process in [Value::Null, json!({})] {
        swapped["result"]["lastJob"]["process"] = process;
        assert_listed(&swapped, &[TWO]);
    }
    assert_listed(
        &with("/result/lastJob/subJobIds", json!([TWO])),
        &[ONE, TWO],
    );
    assert_listed(
        &with("/result/lastJob/finishTime", Value::Null),
        &[ONE, TWO],
    );
}

#[test]
fn an_execution_that_has_ended_in_any_way_is_listed() {
    for status in ["success", "failed", "aborted", "SUCCESS", "Failed"] {
        assert_listed(&with("/result/lastJob/status", json!(status)), &[ONE, TWO]);
    }
    for process in [json!("failed"), json!("brand new"), json!(7), Value::Null] {
        assert_listed(
            &with("/result/lastJob/process/status", process),
            &[ONE, TWO],
        );
    }
}

/// An execution that the reference does not call ended may still be running.
#[test]
fn an_execution_that_has_not_ended_exits_5() {
    let job = |status| with("/result/lastJob/status", json!(status));
    let process = |status| with("/result/lastJob/process/status", json!(status));
    for (mut answer, status) in [
        (job("running"), "running"),
        (job("quering"), "quering"),
        (job("RUNNING"), "RUNNING"),
        (job("brand new"), "brand new"),
        (job("successful"), "successful"),
        (job(""), ""),
        (process("running"), "running"),
        (process("Quering"), "Quering"),
    ] {
        for ids in [json!([ONE]), json!([])] {
            answer["result"]["lastJob"]["process"]["subJobIds"] = ids;
            let outcome = list(answer.to_string().as_bytes());
            outcome.exits(5).says(&format!(
                "codearts-check-log: {TASK}: the execution has not finished (status \"{status}\")\n\
                 hint: its logs are not complete yet: try again later\n"
            ));
            assert_eq!(outcome.stdout, "");
        }
    }
}

#[test]
fn one_invalid_id_refuses_the_whole_list() {
    for (id, text) in [
        (
            json!("$(reboot)"),
            "has a bad ID, '$(reboot)': it must be 32 ASCII letters or digits, \
             but this has an invalid character at position 1",
        ),
        (json!(format!("{ONE}\n")), "contains white space"),
        (json!(format!("{ONE}0")), "has 33 characters"),
        (json!("--no-verify"), "position 1"),
        (json!(""), "has 0 characters"),
        (json!("\u{1b}[2J"), "'\\u{1b}[2J'"),
        (json!(7), "something other than a string"),
        (json!(null), "something other than a string"),
        (json!([ONE]), "something other than a string"),
    ] {
        for place in [
            "/result/lastJob/process/subJobIds",
            "/result/lastJob/subJobIds",
        ] {
            let mut answer = with("/result/lastJob/process/subJobIds", json!([]));
            *answer.pointer_mut(place).expect("a list") = json!([ONE, id, TWO]);
            assert_refused(answer.to_string().as_bytes(), text);
        }
    }
}

#[test]
fn an_id_of_one_character_is_reported_in_the_singular() {
    let answer = with("/result/lastJob/process/subJobIds", json!(["a"]));
    let outcome = list(answer.to_string().as_bytes());
    outcome.exits(7).complains("has a bad ID, 'a': it must be ");
    let end = ", but this has 1 character\n";
    assert!(outcome.stderr.ends_with(end), "{outcome}");
}

const NO_RESULT: &str = "it is JSON, but it has no \"result\"";

#[test]
fn an_answer_without_a_result_or_a_status_is_refused() {
    for (answer, text) in [
        (json!({}), NO_RESULT),
        (json!({"result": null}), NO_RESULT),
        (
            json!({"result": {"lastJob": {}}}),
            "its execution has no status",
        ),
    ] {
        assert_refused(answer.to_string().as_bytes(), text);
    }
}

/// The answer is valid, and trying again would not help.
#[test]
fn a_task_without_an_execution_and_one_without_subtasks_end_in_4_and_say_what_to_do() {
    let (no_execution, run_it) = ("the task has no execution", "run the check task first");
    let (no_subtasks, no_logs) = (
        "the execution has no subtasks",
        "it has made no logs: look at the task in the console, or list another execution (--job)",
    );
    let mut failed = with("/result/lastJob/status", json!("failed"));
    failed["result"]["lastJob"]["process"] = json!({"status": "failed"});
    for (answer, text, hint) in [
        (json!({"result": {"lastJob": null}}), no_execution, run_it),
        (
            json!({"result": {}, "status": "success"}),
            no_execution,
            run_it,
        ),
        (with("/result/lastJob", Value::Null), no_execution, run_it),
        (with("/result/lastJob", json!([7])), no_execution, run_it),
        (
            with("/result/lastJob/process/subJobIds", json!([])),
            no_subtasks,
            no_logs,
        ),
        (
            with("/result/lastJob/process", Value::Null),
            no_subtasks,
            no_logs,
        ),
        (
            with("/result/lastJob/process", json!("text")),
            no_subtasks,
            no_logs,
        ),
        (failed, no_subtasks, no_logs),
    ] {
        let outcome = list(answer.to_string().as_bytes());
        outcome.exits(4).says(&format!(
            "codearts-check-log: {TASK}: {text}\nhint: {hint}\n"
        ));
        assert_eq!(outcome.stdout, "");
    }
    let answer = with("/result/lastJob", Value::Null).to_string();
    let server = StandIn::tls(ok(answer.as_bytes()));
    let outcome = Run::list(&server).args(&["--job", JOB]).go();
    outcome.exits(4).says(&format!(
        "codearts-check-log: {TASK}: the task has no such execution\n\
         hint: check the IDs of the task and the execution\n"
    ));
}

#[test]
fn an_answer_that_says_that_all_is_well_is_listed() {
    for word in [
        json!("OK"),
        json!("ok"),
        json!(" Ok "),
        json!(""),
        json!(200),
        json!("200"),
        json!("200 OK"),
        Value::Null,
        json!([]),
    ] {
        let mut answer = answer();
        answer["httpStatus"] = word;
        assert_listed(&answer, &[ONE, TWO]);
    }
    // Beside a list, `status` does not count; without one it does.
    let mut marked = answer();
    marked["status"] = json!("error");
    assert_listed(&marked, &[ONE, TWO]);
    marked["result"]["lastJob"]["process"]["subJobIds"] = json!([]);
    assert_refused(
        marked.to_string().as_bytes(),
        "it is an error in JSON: status error",
    );
}

#[test]
fn a_list_with_bytes_that_json_does_not_allow_is_read() {
    let text = answer().to_string();
    for bytes in [
        b"a\nb".as_slice(),
        b"\xe6\xbc\xa2\xe6",
        b"\0\x1b\xff",
        b"tab\t",
    ] {
        let (before, after) = text.split_once("\"toolName\":\"x").expect("a tool");
        let body = [
            before.as_bytes(),
            b"\"toolName\":\"",
            bytes,
            after.as_bytes(),
        ]
        .concat();
        let outcome = list(&body);
        outcome.exits(0).says("");
        assert_eq!(outcome.stdout, format!("{ONE}\n{TWO}\n"));
    }
}

fn list_long(answer: &Value) -> String {
    let server = StandIn::tls(ok(answer.to_string().as_bytes()));
    let outcome = Run::list(&server).arg("--long").go();
    outcome.exits(0).says("").leaves_nothing();
    outcome.stdout
}

#[test]
fn a_long_list_has_status_and_tool_of_each_subtask_by_its_id() {
    let with_statuses = |statuses: Value| with("/result/lastJob/process/subJobStatuses", statuses);
    let both = with_statuses(json!([
        {"subJobId": TWO, "status": "failed", "toolName": "Fix Bot 漢"},
        {"subJobId": ONE, "status": "success", "toolName": "checker"},
        {"subJobId": "another", "status": "x", "toolName": "x"},
    ]));
    let expected = format!("{ONE}\tsuccess\tchecker\n{TWO}\tfailed\tFix Bot 漢\n");
    assert_eq!(list_long(&both), expected);
    assert_listed(&both, &[ONE, TWO]);
    // What is missing, or no text.
    let none = format!("{ONE}\t-\t-\n{TWO}\t-\t-\n");
    for statuses in [
        json!(null),
        json!([]),
        json!("text"),
        json!({"subJobId": ONE}),
        json!([7, [ONE], null]),
    ] {
        assert_eq!(list_long(&with_statuses(statuses)), none);
    }
    let some = with_statuses(json!([
        {"subJobId": ONE, "status": "", "toolName": 7},
        {"subJobId": TWO, "toolName": "y"}, {"status": "z"},
    ]));
    assert_eq!(list_long(&some), format!("{ONE}\t-\t-\n{TWO}\t-\ty\n"));
}

#[test]
fn no_text_breaks_the_columns_of_a_long_list() {
    let long = "é".repeat(300);
    let statuses = json!([
        {"subJobId": ONE, "status": "a\tb\nc\r\u{2028}", "toolName": "\u{1b}[2J\u{202e}"},
        {"subJobId": TWO, "status": long, "toolName": long},
    ]);
    let list = list_long(&with("/result/lastJob/process/subJobStatuses", statuses));
    let cut = format!("{}…", "é".repeat(99));
    let expected =
        format!("{ONE}\ta\\tb\\nc\\r\\u{{2028}}\t\\u{{1b}}[2J\\u{{202e}}\n{TWO}\t{cut}\t{cut}\n");
    assert_eq!(list, expected);
}

#[test]
fn a_long_list_of_many_subtasks_is_fast_and_has_no_secret_in_it() {
    let ids: Vec<String> = (0..2_000).map(|number| format!("{number:032}")).collect();
    let status = |id: &String| json!({"subJobId": id, "status": "failed", "toolName": TOKEN});
    let mut answer = with("/result/lastJob/process/subJobIds", json!(ids));
    let statuses: Vec<Value> = ids.iter().take(1_200).rev().map(status).collect();
    answer["result"]["lastJob"]["process"]["subJobStatuses"] = json!(statuses);
    let server = StandIn::tls(ok(answer.to_string().as_bytes()));
    let outcome = Run::list(&server).arg("--long").go();
    outcome.exits(0).says("");
    let masked = outcome
        .stdout
        .lines()
        .filter(|line| line.ends_with("\tfailed\t***"));
    assert_eq!(masked.count(), 1_200);
    assert_eq!(outcome.stdout.lines().count(), 2_000);
    assert!(outcome.elapsed < Duration::from_secs(5), "{outcome}");
}

#[test]
fn values_of_a_wrong_type_are_refused_or_count_as_missing() {
    let values = [
        json!(7),
        json!("text"),
        json!(true),
        json!([7]),
        json!({"a": 1}),
    ];
    for (pointer, fits, text) in [
        ("/result", 4, NO_RESULT),
        ("/result/lastJob/status", 1, "its execution has no status"),
        ("/result/lastJob/process/subJobIds", 3, "is not a list"),
    ] {
        for (number, value) in values.iter().enumerate() {
            if number != fits {
                let answer = with(pointer, value.clone()).to_string();
                assert_refused(answer.as_bytes(), text);
            }
        }
    }
    for value in values {
        for pointer in ["/result/lastJob/finishTime", "/result/lastJob/id"] {
            assert_listed(&with(pointer, value.clone()), &[ONE, TWO]);
        }
        let other = with("/result/lastJob/id", value).to_string();
        let server = StandIn::tls(ok(other.as_bytes()));
        let outcome = Run::list(&server).args(&["--job", JOB]).go();
        outcome.exits(7).complains("it is about another execution");
    }
    for answer in ["[]", "7", "\"text\"", "null", "true"] {
        assert_refused(answer.as_bytes(), NO_RESULT);
    }
}

#[test]
fn a_body_without_a_list_is_reported_as_what_it_looks_like() {
    let error = br#"{"error_code":"CC.00050001","error_msg":"internal error"}"#;
    let deep = [
        r#"{"result":"#.repeat(200).as_bytes(),
        b"1",
        "}".repeat(200).as_bytes(),
    ]
    .concat();
    let cut = &answer().to_string()[..200];
    for (body, text) in [
        (b"".as_slice(), "it is empty"),
        (b" \n", "it is not JSON"),
        (b"<html>", "it is HTML or XML"),
        (b"hello", "it is not JSON"),
        (b"[", "its JSON can't be parsed: EOF while parsing a list"),
        (&PACKAGE, "it is not JSON"),
        (error, "it is an error in JSON: CC.00050001: internal error"),
        (
            br#"{"error":{"code":"A.1","message":"no"},"status":"error"}"#,
            "it is an error in JSON: A.1: no",
        ),
        (&deep, "its JSON can't be parsed: recursion limit exceeded"),
        (cut.as_bytes(), "its JSON can't be parsed: "),
        (b"{\"result\":\xff}", "its JSON can't be parsed: "),
    ] {
        assert_refused(body, text);
    }
    // What is beside an execution is no error.
    let mut both = answer();
    both["code"] = json!("0");
    both["message"] = json!("success");
    both["error_code"] = json!("CC.1");
    assert_listed(&both, &[ONE, TWO]);
    let with_mark = format!("\u{feff}{}", answer());
    list(with_mark.as_bytes()).exits(0);
}

#[test]
fn an_answer_is_bounded_in_size_and_so_in_memory() {
    const LARGEST: usize = 256 << 10;
    let mut padded = answer().to_string();
    padded += &" ".repeat(LARGEST - padded.len());
    list(padded.as_bytes()).exits(0);
    padded.push(' ');
    assert_refused(padded.as_bytes(), "it is larger than 262144 bytes");
    let mut many = with(
        "/result/lastJob/process/subJobIds",
        Value::from(vec![ONE; 1_500]),
    );
    let status = json!({"subJobId": ONE, "status": "success", "toolName": "a tool of the service"});
    many["result"]["lastJob"]["process"]["subJobStatuses"] = Value::from(vec![status; 1_500]);
    let outcome = list(many.to_string().as_bytes());
    outcome.exits(0);
    assert_eq!(outcome.stdout.lines().count(), 1_500);
    // What costs the most memory when it is parsed, and the most time when it is shown.
    let filled = |piece: &str| format!("[{}0]", piece.repeat((LARGEST - 3) / piece.len()));
    let title = format!("<title>{}</title>", "a ".repeat(130_000));
    let time = with("/result/lastJob/finishTime", json!("&".repeat(260_000)));
    for (body, code) in [
        (filled(r#"{"":0},"#), 7),
        (filled(r#"{"":{"":{"":0}}},"#), 7),
        (filled("[],"), 7),
        (filled("0,"), 7),
        (filled("{},"), 7),
        (title, 7),
        (time.to_string(), 0),
    ] {
        let server = StandIn::tls(ok(body.as_bytes()));
        let outcome = Run::list(&server)
            .arg("-v")
            .command(|command| fault::limit(command, libc::RLIMIT_DATA, 35 << 20))
            .go();
        outcome.exits(code);
        assert!(outcome.elapsed < Duration::from_secs(5), "{outcome}");
    }
}

#[test]
fn a_status_other_than_200_exits_as_for_a_package() {
    for (status, code, hint) in [
        (
            "400 Bad Request",
            40,
            "hint: check the task ID (not the ID of an execution or a subtask) and the region",
        ),
        ("401 Unauthorized", 41, "get a new token"),
        ("404 Not Found", 4, "hint: check the task ID"),
        ("503 Service Unavailable", 5, ""),
        ("302 Found", 3, "redirects are not followed"),
    ] {
        let body = br#"{"error_code":"CC.1","error_msg":"no"}"#;
        let server = StandIn::tls(vec![Step::Send(response(status, &[], body))]);
        let outcome = Run::list(&server).go();
        outcome.exits(code).complains("CC.1: no");
        let lines: Vec<&str> = outcome.stderr.lines().skip(1).collect();
        match lines[..] {
            [] => assert_eq!(hint, "", "{outcome}"),
            [line, ..] => assert!(!hint.is_empty() && line.contains(hint), "{outcome}"),
        }
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn an_answer_that_breaks_off_is_a_network_failure_with_nothing_printed() {
    let mut reply = response("200 OK", &[], answer().to_string().as_bytes());
    reply.truncate(reply.len() - 1);
    for end in [Step::Cut, Step::AwaitClose] {
        let server = StandIn::tls(vec![Step::Send(reply.clone()), end]);
        let outcome = Run::list(&server).args(&["--timeout", "0.5"]).go();
        outcome.exits(6).complains("the connection ");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn a_list_that_can_t_be_written_exits_1() {
    let server = StandIn::tls(ok(answer().to_string().as_bytes()));
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let (reader, closed) = UnixStream::pair().expect("a socket pair");
    drop(reader);
    for (stdout, text) in [
        (OwnedFd::from(full), "No space left"),
        (OwnedFd::from(closed), "Broken pipe"),
    ] {
        let outcome = Run::list(&server).with_streams(stdout, Stdio::piped());
        outcome
            .exits(1)
            .complains(&format!("cannot write to standard output: {text}"));
    }
}

#[test]
fn options_of_a_download_do_not_go_with_a_list() {
    for (args, text) in [
        (
            &["--list", TASK, ID][..],
            "--list and SUB_JOB_ID can't be used together",
        ),
        (
            &["--list", TASK, "-o", "x"],
            "--list and --output can't be used together",
        ),
        (
            &["--list", TASK, "-n"],
            "--list and --no-clobber can't be used together",
        ),
        (
            &["--list", TASK, "--no-verify"],
            "--list and --no-verify can't be used together",
        ),
        (&["--job", JOB, ID], "--job is only for --list"),
        (&["--long", ID], "--long is only for --list"),
        (&["--long"], "--long is only for --list"),
        (&["--list", TASK, "--long=x"], "--long takes no value"),
        (
            &["--list", TASK, "--list", TASK],
            "--list was given more than once",
        ),
        (
            &["--list", TASK, "--job=a", "--job=a"],
            "--job was given more than once",
        ),
        (&["--list"], "--list needs a value"),
        (
            &["--list", "-v"],
            "--list needs a value, and the next argument looks like an option",
        ),
        (
            &["--list", ""],
            "--list: TASK_ID must be 1 to 128 ASCII letters, digits, '-' or '_'",
        ),
        (&["--list", &"a".repeat(129)], "but this has 129 characters"),
        (
            &["--list", "a/b"],
            "has an invalid character at position 2: 'a/b'",
        ),
        (&["--list", "a?b"], "position 2"),
        (&["--list", "\u{e4}"], "position 1"),
        (&["--list", TASK, "--job", "a b"], "--job: JOB_ID must be"),
    ] {
        let outcome = Run::bare().args(&["-e", "127.0.0.1:1"]).args(args).go();
        outcome.exits(2).complains(text);
    }
    for id in ["a", "-_", &"a".repeat(128)] {
        let outcome = Run::bare()
            .args(&["-e", "127.0.0.1:1", &format!("--list={id}")])
            .go();
        outcome.exits(6);
        assert!(
            outcome.stderr.contains(&format!("{id}: GET https://")),
            "{outcome}"
        );
    }
}
