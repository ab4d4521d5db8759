//! Refusals, by a status other than 200 or by an error in a 200: the exit code, what is shown of
//! the server's text, and that nothing is written.

use std::time::Duration;

use serde_json::json;

use crate::command_line::REGIONS;
use crate::harness::{ACCESS_KEY, ID, OUTPUT, Outcome, Run, SECRET_KEY};
use crate::packages::{OLD, PACKAGE, ok};
use crate::proxies::CONNECTED;
use crate::stand_in::{Greeting, StandIn, Step, response};

/// The reference's two examples, word for word.
const BAD_REQUEST: &[u8] =
    b"{ \"error_code\" : \"CC.xxxxxxxx.400\", \"error_msg\" : \"Verify request \
    parameter failed. Check whether the request parameters are correct.\" }";
const UNAUTHORIZED: &[u8] =
    br#"{ "error_code" : "CC.00000003", "error_msg" : "Authentication information expired." }"#;

const EUROPE: &str =
    "the API reference of eu-west-101 has neither call of this program: the region may lack both";
const NOT_PUBLISHED: &str = "the endpoint is wrong, or this call is not published in the region";
const NO_PERMISSION: &str = "the caller needs the permission codeartscheck:task:get, and a role in \
    the project that may open check tasks; or the region is not the task's";

fn run(script: Vec<Step>) -> Outcome {
    let server = StandIn::tls(script);
    let outcome = Run::new(&server).go();
    assert_eq!(server.requests().len(), 1, "{outcome}");
    outcome
}

fn refuse(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
    run(vec![Step::Send(response(status, headers, body))])
}

/// The message after `codearts-check-log: ID: ENDPOINT answered 500 Internal Server Error`.
fn words(outcome: &Outcome) -> &str {
    let endpoint = outcome.endpoint();
    let start = format!("codearts-check-log: {ID}: {endpoint} answered 500 Internal Server Error");
    let rest = outcome.stderr.strip_prefix(&start);
    let rest = rest.unwrap_or_else(|| panic!("another beginning\n{outcome}"));
    let line = rest.strip_suffix('\n');
    line.unwrap_or_else(|| panic!("no line\n{outcome}"))
}

#[test]
fn a_400_in_the_words_of_the_reference_exits_40() {
    let outcome = refuse("400 Bad Request", &[], BAD_REQUEST);
    let endpoint = outcome.endpoint();
    outcome
        .exits(40)
        .says(&format!(
            "codearts-check-log: {ID}: {endpoint} answered 400 Bad Request: CC.xxxxxxxx.400: \
             Verify request parameter failed. Check whether the request parameters are correct.\n\
             hint: check the subtask ID: every execution of a task has new ones (--list TASK_ID)\n",
        ))
        .leaves_nothing();
}

#[test]
fn a_401_in_the_words_of_the_reference_exits_41() {
    let outcome = refuse("401 Unauthorized", &[], UNAUTHORIZED);
    let endpoint = outcome.endpoint();
    outcome
        .exits(41)
        .says(&format!(
            "codearts-check-log: {ID}: {endpoint} answered 401 Unauthorized with the token in \
             HUAWEICLOUD_TOKEN: CC.00000003: Authentication information expired.\n\
             hint: get a new token: a token lasts 24 hours\n",
        ))
        .leaves_nothing();
}

#[test]
fn every_other_status_has_its_exit_code_and_leaves_the_old_file() {
    for (status, code) in [
        ("101 Switching Protocols", 3),
        ("201 Created", 3),
        ("204 No Content", 3),
        ("206 Partial Content", 3),
        ("300 Multiple Choices", 3),
        ("304 Not Modified", 3),
        ("402 Payment Required", 4),
        ("403 Forbidden", 4),
        ("404 Not Found", 4),
        ("407 Proxy Authentication Required", 4),
        ("409 Conflict", 4),
        ("499 Odd", 4),
        ("408 Request Timeout", 5),
        ("429 Too Many Requests", 5),
        ("500 Internal Server Error", 5),
        ("502 Bad Gateway", 5),
        ("503 Service Unavailable", 5),
        ("504 Gateway Timeout", 5),
        ("599 Odd", 5),
        ("600 Odder", 3),
        ("999 Oddest", 3),
    ] {
        // A package in the body doesn't matter.
        let server = StandIn::tls(vec![Step::Send(response(status, &[], &PACKAGE))]);
        let outcome = Run::new(&server).file(OUTPUT, OLD).go();
        outcome
            .exits(code)
            .complains(&format!(" answered {}", &status[..3]))
            .leaves_only(OUTPUT, OLD);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let elsewhere = StandIn::tls(ok(&PACKAGE)).never_called();
        let location = format!("https://localhost:{}/x", elsewhere.address.port());
        let outcome = refuse(status, &[("Location", &location)], b"");
        outcome.exits(3).complains(&location).leaves_nothing();
    }
}

#[test]
fn a_hint_says_what_can_be_done() {
    for (status, hint) in [
        ("302 Found", "redirects are not followed"),
        ("403 Forbidden", NO_PERMISSION),
        ("404 Not Found", "--endpoint"),
        ("407 Proxy Authentication Required", "the proxy wants"),
        ("429 Too Many Requests", "try again later"),
        (
            "431 Request Header Fields Too Large",
            "too large for the gateway",
        ),
        ("494 Request Header Too Large", "too large for the gateway"),
    ] {
        let outcome = refuse(status, &[], b"");
        let last = outcome.stderr.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("hint: ") && last.contains(hint),
            "{outcome}"
        );
    }
    // A 304 is no redirect.
    for status in ["304 Not Modified", "500 Internal Server Error"] {
        let outcome = refuse(status, &[], b"");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    }
}

/// Each of the service's errors that come with 200, for a package and for a list.
#[test]
fn an_error_in_a_200_exits_like_the_status_it_stands_for() {
    let token = "get a new token: a token lasts 24 hours";
    let project = "check the region and the project: ";
    let busy = Some("the service says that it is busy: try again later\n");
    for (code, exit, hint) in [
        ("CC.00050000", 40, Some("check the ")),
        ("CC.00050007", 41, Some(token)),
        ("CC.00050010", 4, Some(NO_PERMISSION)),
        ("CC.00050011", 4, Some(NO_PERMISSION)),
        ("CC.00050013", 4, Some(project)),
        ("CC.00050012", 5, busy),
        ("CC.00050014", 5, busy),
        ("CC.00050015", 5, busy),
        ("CC.00050001", 7, None),
        ("CC.0005000", 7, None),
        ("CC.000500000", 7, None),
        ("CC.00000000", 7, None),
        ("APIGW.0301", 7, None),
        // With a status behind it.
        ("CC.00050007.401", 41, Some(token)),
        ("CC.00050012.500", 5, busy),
        ("CC.00050000.400", 40, Some("check the ")),
        ("CC.00050010.500", 4, Some(NO_PERMISSION)),
        ("CC.00050013.000", 4, Some(project)),
        // Others, by that status.
        ("CC.xxxxxxxx.400", 40, Some("check the ")),
        ("CC.00000000.400", 40, busy),
        ("CC.99999999.401", 41, Some(token)),
        ("CC.1.403", 4, Some(NO_PERMISSION)),
        ("CC.1.404", 4, Some("check the ")),
        ("CC.1.429", 5, Some("the service limits the call rate")),
        ("CC.1.500", 5, None),
        ("XCC.00050007.599", 5, None),
        ("IAM.0011.400", 40, None),
        ("CC.1.409", 7, None),
        ("CC.1.408", 7, None),
        ("CC.1.302", 7, None),
        ("CC.1.200", 7, None),
        ("CC.1.600", 7, None),
        // No status, and another code.
        ("CC.000500070", 7, None),
        ("XCC.00050007", 7, None),
        ("cc.00050007", 7, None),
        ("CC.00050007.", 7, None),
        ("CC.00050007.4010", 7, None),
        ("CC.00050007.40", 7, None),
        ("CC.00050007.4x1", 7, None),
        ("CC.1.40\u{664}", 7, None),
        ("CC.00050007.401.1", 7, None),
    ] {
        let bodies = [
            json!({"error_code": code, "error_msg": "No."}),
            json!({"error": {"code": code, "message": "No."}, "result": null}),
            json!({"errorCode": code, "errorMsg": "No."}),
            json!({"code": code, "message": "No.", "result": {"lastJob": null}}),
        ];
        for body in bodies {
            let server = StandIn::tls(ok(body.to_string().as_bytes()));
            for (run, wanted) in [
                (
                    Run::new(&server).file(OUTPUT, OLD),
                    "a complete ZIP archive",
                ),
                (
                    Run::list(&server).file(OUTPUT, OLD),
                    "a list of an execution's subtasks",
                ),
            ] {
                let outcome = run.go();
                outcome
                    .exits(exit)
                    .leaves_only(OUTPUT, OLD)
                    .complains(&format!(
                        "{} answered 200, but the body is not {wanted}: \
                     it is an error in JSON: {code}: No.",
                        outcome.endpoint()
                    ));
                let (error, last) = outcome.stderr.split_once('\n').expect("a line");
                let with = error.ends_with(" (with the token in HUAWEICLOUD_TOKEN)");
                assert_eq!(with, exit == 41, "{outcome}");
                match hint {
                    Some(hint) => assert!(last.starts_with(&format!("hint: {hint}")), "{outcome}"),
                    None => assert_eq!(last, "", "{outcome}"),
                }
            }
        }
    }
}

/// Asserts the outcome of a 200 with this body, for a package and for a list.
#[track_caller]
fn assert_both_end(body: &[u8], exit: i32, text: &str) {
    let server = StandIn::tls(ok(body));
    for run in [Run::new(&server), Run::list(&server)] {
        let outcome = run.file(OUTPUT, OLD).go();
        outcome.exits(exit).complains(text).leaves_only(OUTPUT, OLD);
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}

/// The execution would be listed, if the answer did not say of itself that the call failed.
#[test]
fn a_200_whose_http_status_is_not_ok_exits_like_that_status() {
    let result = json!({"lastJob": {"status": "success", "subJobIds": [ID]}});
    for (word, exit) in [
        (json!("BAD_REQUEST"), 40),
        (json!("UNAUTHORIZED"), 41),
        (json!("FORBIDDEN"), 4),
        (json!("NOT_FOUND"), 4),
        (json!("CONFLICT"), 4),
        (json!("TOO_MANY_REQUESTS"), 5),
        (json!("REQUEST_TIMEOUT"), 5),
        (json!("INTERNAL_SERVER_ERROR"), 5),
        (json!("SERVICE_UNAVAILABLE"), 5),
        (json!("bad request"), 40),
        (json!("BadRequest"), 40),
        (json!("500 INTERNAL_SERVER_ERROR"), 5),
        (json!(400), 40),
        (json!(401), 41),
        (json!(599), 5),
        (json!("503"), 5),
        (json!("404"), 4),
        // No failure that has an exit code.
        (json!("FOUND"), 7),
        (json!("CREATED"), 7),
        (json!(302), 7),
        (json!(0), 7),
        (json!(-400), 7),
        (json!(400.5), 7),
        (json!(99_999_400), 7),
        (json!("FAIL"), 7),
        (json!("BAD"), 7),
        (json!("OK BAD_REQUEST"), 7),
        (json!("_"), 7),
    ] {
        let shown = word.to_string().replace('"', "");
        for result in [&result, &json!(null)] {
            let body = json!({"httpStatus": word, "result": result}).to_string();
            let text = format!(": it is an error in JSON: httpStatus {shown}");
            assert_both_end(body.as_bytes(), exit, &text);
        }
    }
}

#[test]
fn a_known_code_counts_before_http_status_and_that_before_the_status_after_a_code() {
    for (http_status, code, exit) in [
        ("INTERNAL_SERVER_ERROR", "CC.00050007", 41),
        ("BAD_REQUEST", "CC.00050012", 5),
        ("FAIL", "CC.00050010.400", 4),
        ("BAD_REQUEST", "CC.1.500", 40),
        ("UNAUTHORIZED", "CC.1", 41),
        ("FAIL", "CC.1.404", 4),
        ("FAIL", "CC.1.409", 7),
        ("OK", "CC.1.400", 40),
        ("OK", "CC.1", 7),
    ] {
        let error = json!({"code": code, "reason": "No."});
        let body = json!({"httpStatus": http_status, "error": error, "status": "error"});
        assert_both_end(body.to_string().as_bytes(), exit, &format!("{code}: No."));
    }
}

#[test]
fn the_http_status_in_an_answer_is_shown_escaped_and_within_bounds() {
    let body = json!({"httpStatus": "A\u{1b}[2J\n\u{202e}"}).to_string();
    assert_both_end(body.as_bytes(), 7, ": httpStatus A\\u{1b}[2J\\n\\u{202e}");
    let long = "é".repeat(20_000);
    let body = json!({"httpStatus": long, "error_code": "CC.1", "error_msg": "No."});
    let text = format!(": httpStatus {}: CC.1: No.", "é".repeat(100));
    assert_both_end(body.to_string().as_bytes(), 7, &text);
    for (body, text) in [
        (
            r#"{"status":"error"}"#,
            ": it is an error in JSON: status error",
        ),
        (
            r#"{"status":"ERROR","result":{}}"#,
            ": it is an error in JSON: status error",
        ),
        (
            r#"{"status":"error","result":{"lastJob":null},"message":"No."}"#,
            ": it is an error in JSON: No.",
        ),
    ] {
        assert_both_end(body.as_bytes(), 7, text);
    }
}

#[test]
fn bytes_that_json_does_not_allow_hide_no_code() {
    for body in [
        b"{\"error_code\":\"CC.00050007\",\"error_msg\":\"Two\nlines.\"}".as_slice(),
        b"{\"error_code\":\"CC.00050007\",\"error_msg\":\"\0 and \x1b\"}",
        b"{\"error_code\":\"CC.00050007\",\"error_msg\":\"\xe6\xbc\xa2\xe6\xbc\"}",
        b"{\"error_code\":\" CC.00050007\n\",\"error_msg\":\"No.\"}",
        b"\xef\xbb\xbf{\"error\":{\"code\":\"CC.00050007\",\"reason\":\"\xff\xfe\r\n\"}}",
    ] {
        assert_both_end(body, 41, ": it is an error in JSON: CC.00050007: ");
    }
    // Credentials are another matter.
    let server = StandIn::tls(ok(&PACKAGE)).never_called();
    let run = Run::new(&server).args(&["--credentials-file", "-"]);
    let key =
        format!("{{\"credential\":{{\"access\":\"{ACCESS_KEY}\",\"secret\":\"{SECRET_KEY}\n\"}}}}");
    run.input(key.as_bytes()).go().exits(2);
}

#[test]
fn a_status_counts_before_the_code_and_a_busy_service_has_its_hint() {
    let error = |code: &str| format!(r#"{{"error_code":"{code}","error_msg":"No."}}"#);
    let busy = "hint: the service says that it is busy: try again later\n";
    let outcome = refuse("400 Bad Request", &[], error("CC.00000000").as_bytes());
    outcome
        .exits(40)
        .complains("400 Bad Request: CC.00000000: No.");
    assert!(outcome.stderr.ends_with(busy), "{outcome}");
    for (status, exit, code) in [
        ("401 Unauthorized", 41, "CC.00050012"),
        ("401 Unauthorized", 41, "CC.00000000"),
        ("403 Forbidden", 4, "CC.00050007"),
        ("500 Internal Server Error", 5, "CC.00050000"),
    ] {
        let outcome = refuse(status, &[], error(code).as_bytes());
        outcome.exits(exit).complains(code);
        assert!(!outcome.stderr.contains("busy"), "{outcome}");
    }
}

/// The documents and the vendor's SDK disagree about some regions' hosts.
#[test]
fn a_refusal_names_the_region_and_the_host_that_the_sdk_has_for_it() {
    let body = br#"{"error_code":"APIGW.0101","error_msg":"The API does not exist"}"#;
    let refuse_region = |region: &str, body: &[u8]| {
        let server = StandIn::tls(vec![Step::Send(response("404 Not Found", &[], body))]);
        let tunnel = vec![Step::Send(CONNECTED.to_vec()), Step::Tunnel(server.address)];
        let proxy = StandIn::scripted(Greeting::Plain, tunnel);
        let run = Run::bare().trusting().args(&["-r", region, ID]);
        let outcome = run.env("https_proxy", proxy.address.to_string()).go();
        outcome.exits(4);
        outcome
    };
    for (region, host) in REGIONS {
        let outcome = refuse_region(region, body);
        outcome.complains(&format!(
            "{ID}: https://{host} (region {region}) answered 404 Not Found: APIGW.0101: The API"
        ));
        let hint = match region {
            "cn-north-1" | "cn-east-2" | "cn-east-3" | "ap-southeast-3" | "la-north-2"
            | "sa-brazil-1" => format!(": --endpoint codearts-check.{region}.myhuaweicloud.com\n"),
            "eu-west-101" => format!("hint: {EUROPE}\n"),
            _ => format!("hint: {NOT_PUBLISHED}: check --region or --endpoint\n"),
        };
        assert!(outcome.stderr.ends_with(&hint), "{outcome}");
    }
    // Another code, or another endpoint than a region's.
    let other = br#"{"error_code":"CC.00000000","error_msg":"No such task"}"#;
    let outcome = refuse_region("cn-east-2", other);
    assert!(!outcome.stderr.contains("SDK"), "{outcome}");
    let outcome = refuse_region("eu-west-101", other);
    assert!(
        outcome.stderr.ends_with(&format!("hint: {EUROPE}\n")),
        "{outcome}"
    );
    let own_fault = br#"{"error_code":"APIGW.0103"}"#;
    let outcome = refuse_region("eu-west-101", own_fault);
    assert!(outcome.stderr.contains("hint: the gateway"), "{outcome}");
    let outcome = refuse("404 Not Found", &[], body);
    outcome
        .exits(4)
        .complains(&format!("{} answered", outcome.endpoint()));
    assert!(!outcome.stderr.contains("SDK"), "{outcome}");
}

#[test]
fn errors_of_the_gateway_and_of_other_services_are_understood() {
    let error = "500 Internal Server Error";
    let gateway =
        br#"{"error_msg":"The API does not exist","error_code":"APIGW.0101","request_id":"6b7"}"#;
    let outcome = refuse(error, &[], gateway);
    assert_eq!(
        words(&outcome),
        ": APIGW.0101: The API does not exist (request ID 6b7)"
    );
    let other = br#"{"error":{"code":"IAM.1","message":"No."},"request_id":"9"}"#;
    let outcome = refuse(error, &[], other);
    assert_eq!(words(&outcome), ": IAM.1: No. (request ID 9)");
    for (body, said) in [
        (r#"{"error_msg":"No code."}"#, ": No code."),
        (
            r#"{"error_code":"","error_msg":"a","request_id":""}"#,
            ": a",
        ),
        (
            r#"{"error":{},"error_code":"A.1","error_msg":"b"}"#,
            ": A.1: b",
        ),
        (
            r#"{"errorCode":"A.1","errorMsg":"b","requestId":"c"}"#,
            ": A.1: b (request ID c)",
        ),
        (r#"{"code":"A.1","message":"b"}"#, ": A.1: b"),
        (r#"{"code":"A.1","error_code":"A.2"}"#, ": A.2"),
        (r#"{"code":7,"message":"b"}"#, ": b"),
        (r#"{"error":{"code":"A.1"}}"#, ": A.1"),
        (
            r#"{"error":{"code":"A.1","reason":"b"},"status":"error"}"#,
            ": A.1: b",
        ),
        (
            r#"{"error":{"reason":"b"},"httpStatus":"BAD_REQUEST"}"#,
            ": b",
        ),
        (
            r#"{"error":{"message":"","reason":"b"},"request_id":"c"}"#,
            ": b (request ID c)",
        ),
        // Not JSON, strictly.
        (
            "{\"error_code\":\"A.1\",\"error_msg\":\"b\nc\td\"}",
            ": A.1: b c d",
        ),
        ("\u{feff}{\"error_code\":\"A.1\"}", ": A.1"),
    ] {
        assert_eq!(words(&refuse(error, &[], body.as_bytes())), said);
    }
}

#[test]
fn the_request_id_and_retry_after_are_shown_from_the_header() {
    let headers = [("X-Request-Id", "abc"), ("Retry-After", "120")];
    let outcome = refuse(
        "500 Internal Server Error",
        &headers,
        br#"{"error_code":"A.1","error_msg":"b","request_id":"from the body"}"#,
    );
    assert_eq!(
        words(&outcome),
        ": A.1: b (request ID abc, Retry-After 120)"
    );
    let outcome = refuse("500 Internal Server Error", &headers, b"");
    assert_eq!(words(&outcome), " (request ID abc, Retry-After 120)");
}

#[test]
fn a_body_that_is_no_error_in_json_is_shown_as_it_stands_on_one_line() {
    let error = "500 Internal Server Error";
    let deep = "[".repeat(100_000);
    for (body, said) in [
        (b"".as_slice(), ""),
        (b" \r\n", ""),
        (
            b"<html>\n <h1>Bad\tgateway</h1>",
            ": <html> <h1>Bad gateway</h1>",
        ),
        (b"\xff\xfe bytes", ": \u{fffd}\u{fffd} bytes"),
        (b"red \x1b[31m \x07", ": red \\u{1b}[31m \\u{7}"),
        ("\u{202e}kcab \u{2028} on".as_bytes(), ": \\u{202e}kcab on"),
        (
            br#"{"error_code":7,"error_msg":[]}"#,
            r#": {"error_code":7,"error_msg":[]}"#,
        ),
        (br#"{"error":"flat"}"#, r#": {"error":"flat"}"#),
        (br#"{"status":"error"}"#, r#": {"status":"error"}"#),
        (
            b"{\"error_code\":\"A.1\n\",}",
            r#": {"error_code":"A.1 ",}"#,
        ),
        (
            b"{\"error_code\":\"A.1\",\"error_msg\":\"\xe6\xbc\xa2\xe6\xbc\"}",
            ": A.1: \u{6f22}\u{fffd}",
        ),
    ] {
        let outcome = refuse(error, &[], body);
        assert_eq!(words(outcome.exits(5)), said, "{outcome}");
    }
    let outcome = refuse(error, &[], deep.as_bytes());
    assert_eq!(words(outcome.exits(5)), format!(": {}…", "[".repeat(499)));
}

#[test]
fn a_body_in_gzip_is_not_shown() {
    let outcome = refuse("400 Bad Request", &[], b"\x1f\x8b\x08\0\0\0\0\0");
    outcome
        .exits(40)
        .complains(" answered 400 Bad Request: (a body in gzip, not shown)");
}

#[test]
fn escapes_in_json_do_not_reach_the_terminal_either() {
    let body = br#"{"error_code":"A\n\u001b[2J","error_msg":"b\u202ec\r\nforged: line"}"#;
    let outcome = refuse("500 Internal Server Error", &[], body);
    assert_eq!(
        words(&outcome),
        ": A\\n\\u{1b}[2J: b\\u{202e}c\\r\\nforged: line"
    );
}

#[test]
fn server_text_takes_at_most_500_characters() {
    let long = "é".repeat(9_000);
    let body = format!(r#"{{"error_code":"{long}","error_msg":"{long}","request_id":"{long}"}}"#);
    let headers = [("Retry-After", &*long), ("Location", &*long)];
    let outcome = refuse("500 Internal Server Error", &headers, body.as_bytes());
    let said = words(&outcome).strip_prefix(": ").unwrap_or_default();
    assert_eq!(said.chars().count(), 500, "{outcome}");
    assert!(said.starts_with("ééé"), "{outcome}");
    assert!(said.contains("request ID é"), "{outcome}");
}

#[test]
fn only_the_beginning_of_a_huge_error_body_is_read() {
    let body = vec![b'x'; 10 << 20];
    let outcome = refuse("500 Internal Server Error", &[], &body);
    outcome.exits(5);
    assert_eq!(words(&outcome).chars().count(), 502);

    let head = b"HTTP/1.1 500 Internal Server Error\r\n\r\n".to_vec();
    let endless = Step::SendForever(vec![b'x'; 64 << 10], Duration::ZERO);
    let outcome = run(vec![Step::Send(head), endless]);
    outcome.exits(5);
    assert!(outcome.elapsed < Duration::from_secs(10), "{outcome}");
}

#[test]
fn a_failure_in_verbose_mode_shows_no_secret_either() {
    let server = StandIn::tls(vec![Step::Send(response("500 Odd", &[], UNAUTHORIZED))]);
    let outcome = Run::new(&server).arg("--verbose").go();
    outcome.exits(5);
    let answer = "500 Internal Server Error, 85 bytes, no content type";
    assert_eq!(outcome.stderr.lines().nth(3), Some(answer), "{outcome}");
    assert_eq!(outcome.stderr.lines().count(), 5, "{outcome}");
    let outcome = Run::bare().args(&["-ve", "127.0.0.1:1", ID]).go();
    outcome.exits(6);
    assert_eq!(outcome.stderr.lines().count(), 4, "{outcome}");
}

#[test]
fn the_status_decides_if_the_error_body_stalls_or_breaks() {
    let head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    for end in [Step::AwaitClose, Step::Cut, Step::Reset] {
        let server = StandIn::tls(vec![Step::Send(head.clone()), end]);
        let outcome = Run::new(&server).args(&["--timeout", "0.5"]).go();
        outcome
            .exits(41)
            .complains("401 Unauthorized with the token in HUAWEICLOUD_TOKEN: half");
        assert!(outcome.elapsed < Duration::from_millis(1500), "{outcome}");
    }
}
