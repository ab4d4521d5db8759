//! The hints to refusals, which depend on who refuses and on what was sent.

use serde_json::json;
use time::OffsetDateTime;

use crate::harness::{ID, Run, SECRET_KEY, SECURITY_TOKEN, TASK, TOKEN};
use crate::masking::assert_hidden;
use crate::stand_in::{Greeting, StandIn, Step, response};

const IDS: &str = "check the subtask ID: every execution of a task has new ones (--list TASK_ID)";
const TASK_IDS: &str = "check the task ID (not the ID of an execution or a subtask) and the region";
const SUPPORT: &str = "give the request ID to the vendor's support";
const LONG_TOKEN: &str = "the token may be too long for the gateway: the token of a single project \
    is shorter, and a permanent access key needs none";
const GATEWAY: &str = "the gateway itself is at fault: only the vendor's support can fix that";
const ENDPOINT: &str = "check the endpoint: --region or --endpoint";
const BUSY: &str = "the service says that it is busy: try again later";
const NEW_TOKEN: &str = "get a new token: a token lasts 24 hours";

const BAD: &str = "400 Bad Request";
const UNAUTHORIZED: &str = "401 Unauthorized";
const NOT_FOUND: &str = "404 Not Found";

fn error(code: &str) -> String {
    json!({"error_code": code, "error_msg": "No."}).to_string()
}

/// The hint of a run that is refused with this answer; empty if there is none.
fn hint_to(run: impl Fn(&StandIn) -> Run, reply: Vec<u8>) -> String {
    let server = StandIn::tls(vec![Step::Send(reply)]);
    let outcome = run(&server).go();
    outcome.complains("answered");
    let hint = outcome.stderr.lines().nth(1).unwrap_or_default();
    hint.strip_prefix("hint: ").unwrap_or_default().to_owned()
}

/// The same of a download with a token.
fn hint(status: &str, headers: &[(&str, &str)], body: &str) -> String {
    hint_to(Run::new, response(status, headers, body.as_bytes()))
}

#[test]
fn a_400_of_the_service_has_the_hint_of_its_code() {
    for (code, expected) in [
        ("CC.00050000", IDS),
        ("CC.00050000.400", IDS),
        ("CC.xxxxxxxx.400", IDS),
        ("CC.00050021.400", IDS),
        ("CC.00000003", IDS),
        ("CC.00050007", NEW_TOKEN),
        ("CC.00050007.400", NEW_TOKEN),
        ("CC.00050012", BUSY),
        ("CC.00050014.400", BUSY),
        ("CC.00050015", BUSY),
        ("CC.00000000", BUSY),
        ("CC.00000000.400", BUSY),
    ] {
        assert_eq!(hint(BAD, &[], &error(code)), expected, "{code}");
    }
    for (code, expected) in [
        ("CC.00050010", "codeartscheck:task:get"),
        ("CC.00050011.400", "a role in the project"),
        ("CC.00050013", "check the region and the project: "),
    ] {
        let hint = hint(BAD, &[], &error(code));
        assert!(hint.contains(expected), "{code}: {hint}");
    }
}

/// The gateway, and the servers in front of it, do not look at the ID.
#[test]
fn a_400_from_elsewhere_does_not_mention_ids() {
    let nginx = "<html><title>400 Request Header Or Cookie Too Large</title></html>";
    let with_id = [("X-Request-Id", "6b7f")];
    for body in [
        "",
        nginx,
        "Bad request",
        r#"{"error_msg":"No code."}"#,
        &error("APIGW.0106"),
        &error("APIGW.0201"),
        &error("IAM.0011"),
        &error("XCC.00050000"),
        &error("DEV.00000001.400"),
    ] {
        for (run, name) in [(Run::new as fn(&StandIn) -> Run, ID), (Run::list, TASK)] {
            let reply = |headers| response(BAD, headers, body.as_bytes());
            assert_eq!(hint_to(run, reply(&[])), "", "{name}: {body}");
            assert_eq!(hint_to(run, reply(&with_id)), SUPPORT, "{name}: {body}");
        }
    }
    let in_body = json!({"error_code": "APIGW.0201", "request_id": "6b7f"}).to_string();
    assert_eq!(hint(BAD, &[], &in_body), SUPPORT);
    for code in ["APIGW.0104", "APIGW.0105"] {
        assert_eq!(hint(BAD, &with_id, &error(code)), GATEWAY);
    }
}

#[test]
fn a_long_token_is_named_as_the_cause_of_a_400_that_is_not_the_service_s() {
    let with_id = [("X-Request-Id", "6b7f")];
    for (length, expected) in [(4_000, SUPPORT), (4_001, LONG_TOKEN), (60_000, LONG_TOKEN)] {
        let token = "t".repeat(length);
        let run = |server: &StandIn| Run::new(server).env("HUAWEICLOUD_TOKEN", &token);
        let key = |server: &StandIn| {
            let run = Run::new(server).with_key();
            run.env("HUAWEICLOUD_SDK_SECURITY_TOKEN", &token)
        };
        for body in ["<html>", &error("APIGW.0201")] {
            let reply = || response(BAD, &with_id, body.as_bytes());
            assert_eq!(hint_to(run, reply()), expected, "{length}");
            assert_eq!(hint_to(key, reply()), expected, "{length}");
        }
        // The service has seen the call, so the token was short enough.
        let reply = response(BAD, &with_id, error("CC.1").as_bytes());
        assert_eq!(hint_to(run, reply), IDS);
        let reply = response("200 OK", &with_id, error("IAM.0011.400").as_bytes());
        assert_eq!(hint_to(run, reply), "");
    }
    let permanent = |server: &StandIn| Run::new(server).with_key();
    assert_eq!(hint_to(permanent, response(BAD, &with_id, b"")), SUPPORT);
}

#[test]
fn a_400_to_a_list_is_about_the_task_the_execution_and_the_region() {
    let job = |server: &StandIn| Run::list(server).args(&["--job", "a"]);
    let both = "check the task ID (not the ID of an execution or a subtask), the execution ID \
                and the region";
    let in_200 = json!({"httpStatus": "BAD_REQUEST"}).to_string();
    for reply in [
        response(BAD, &[], error("CC.1").as_bytes()),
        response("200 OK", &[], error("CC.00050000").as_bytes()),
        response("200 OK", &[], in_200.as_bytes()),
    ] {
        assert_eq!(hint_to(Run::list, reply.clone()), TASK_IDS);
        assert_eq!(hint_to(job, reply.clone()), both);
        assert_eq!(hint_to(Run::new, reply), IDS);
    }
}

#[test]
fn a_404_of_the_gateway_is_about_the_endpoint_or_its_own_fault() {
    let not_published = "the endpoint is wrong, or this call is not published in the region: \
                         check --region or --endpoint";
    for run in [Run::new as fn(&StandIn) -> Run, Run::list] {
        for (code, expected) in [
            ("APIGW.0101", not_published),
            ("APIGW.0103", GATEWAY),
            ("APIGW.0999", ENDPOINT),
            ("IAM.0004", ENDPOINT),
        ] {
            let reply = response(NOT_FOUND, &[], error(code).as_bytes());
            assert_eq!(hint_to(run, reply), expected, "{code}");
        }
    }
}

/// The endpoint is right where the service answers.
#[test]
fn a_404_of_the_service_is_about_the_ids_or_the_project() {
    let project = "check the region and the project: the token's own, or that of the access key \
                   (HUAWEICLOUD_SDK_PROJECT_ID)";
    for (status, body, expected) in [
        (NOT_FOUND, error("CC.00050099"), [IDS, TASK_IDS]),
        (NOT_FOUND, error("CC.00050000"), [IDS, TASK_IDS]),
        (NOT_FOUND, error("CC.00050013.404"), [project; 2]),
        ("200 OK", error("CC.00050013"), [project; 2]),
        ("200 OK", error("CC.1.404"), [IDS, TASK_IDS]),
        (
            "200 OK",
            json!({"httpStatus": "NOT_FOUND"}).to_string(),
            [IDS, TASK_IDS],
        ),
    ] {
        let reply = response(status, &[], body.as_bytes());
        let hints = [hint_to(Run::new, reply.clone()), hint_to(Run::list, reply)];
        assert_eq!(hints, expected, "{body}");
    }
}

/// Without a token in it, the head can hardly be too large.
#[test]
fn a_head_that_is_too_large_has_a_hint_where_a_token_is_in_it() {
    let key = |server: &StandIn| Run::new(server).with_key();
    for status in [
        "431 Request Header Fields Too Large",
        "494 Request Header Too Large",
    ] {
        let reply = response(status, &[], b"");
        assert_eq!(hint_to(key, reply.clone()), "");
        assert!(hint_to(Run::new, reply).starts_with("the request's head is too large"));
    }
}

#[test]
fn a_token_that_is_not_from_iam_is_not_called_old() {
    let none = "this is not an IAM user token, which IAM returns in the header X-Subject-Token";
    let key = |server: &StandIn| Run::new(server).with_key();
    for (code, message, expected) in [
        (
            "APIGW.0301",
            "Get secretKey failed,ak:TESTS0001,err:ak not exist",
            none,
        ),
        ("APIGW.0301", "verify: AK TESTS0001 does not exist", none),
        ("APIGW.0301", "the ak does not\nexist", none),
        (
            "APIGW.0301",
            "Incorrect IAM authentication information",
            NEW_TOKEN,
        ),
        ("APIGW.0301", "the break does not exist", NEW_TOKEN),
        ("APIGW.0301", "not exist: ak", NEW_TOKEN),
        ("APIGW.0302", "ak not exist", NEW_TOKEN),
        ("CC.00000003", "ak not exist", NEW_TOKEN),
    ] {
        let body = json!({"error_code": code, "error_msg": message}).to_string();
        assert_eq!(hint(UNAUTHORIZED, &[], &body), expected, "{message}");
        let signed = hint_to(key, response(UNAUTHORIZED, &[], body.as_bytes()));
        assert!(signed.starts_with("check the access key"), "{signed}");
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, with an arbitrary day of the week.
fn http_date(seconds_from_now: i64) -> String {
    let time = OffsetDateTime::now_utc() + time::Duration::seconds(seconds_from_now);
    let (day, year) = (time.day(), time.year());
    let month = &time.month().to_string()[..3];
    let (hour, minute, second) = time.to_hms();
    format!("Sun, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

const KEY: &str = "the access key (temporary ones expire)";

fn with_project(server: &StandIn) -> Run {
    let run = Run::new(server).with_key();
    run.env(
        "HUAWEICLOUD_SDK_PROJECT_ID",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    )
}

#[test]
fn a_401_to_a_signed_call_names_the_clock_if_it_differs_from_the_server_s() {
    for (server_is_at, off) in [
        (0, None),
        (280, None),
        (-280, None),
        (350, Some("6 minutes behind")),
        (-330, Some("6 minutes ahead of")),
        (-61 * 60, Some("61 minutes ahead of")),
        (61 * 60, Some("61 minutes behind")),
        (-119 * 60, Some("119 minutes ahead of")),
        (8 * 3600, Some("8 hours behind")),
        (-47 * 3600, Some("47 hours ahead of")),
        (-49 * 3600, Some("2 days ahead of")),
        (3_652 * 86_400, Some("3652 days behind")),
    ] {
        // The date is that of the head, not of the handshake before it.
        let server = StandIn::start(Greeting::tls(), move |_| {
            let date = http_date(server_is_at);
            vec![Step::Send(response(UNAUTHORIZED, &[("Date", &date)], b""))]
        });
        let outcome = with_project(&server).go();
        let expected = match off {
            None => format!("hint: check {KEY}\n"),
            Some(off) => format!(
                "hint: this host's clock is {off} the server's, and must be right within 15 \
                 minutes; then check {KEY}\n"
            ),
        };
        outcome.exits(41).complains("401 Unauthorized");
        assert!(outcome.stderr.ends_with(&expected), "{outcome}");
    }
    // In a 200, too; and a token knows no clock.
    let date = http_date(-7_000);
    let body = error("CC.00050007");
    let reply = response("200 OK", &[("Date", &date)], body.as_bytes());
    assert!(hint_to(with_project, reply.clone()).contains("117 minutes ahead"));
    assert_eq!(hint_to(Run::new, reply), NEW_TOKEN);
}

#[test]
fn a_401_to_a_signed_call_without_a_date_shows_this_host_s_clock() {
    let start = format!(
        "check {KEY} and this host's clock, which must be right within 15 minutes: it says "
    );
    for date in [None, Some("no date"), Some("Thu, 31 Feb 2026 09:30:45 GMT")] {
        let headers: Vec<_> = date.map(|date| ("Date", date)).into_iter().collect();
        let before = OffsetDateTime::now_utc().unix_timestamp();
        let hint = hint_to(with_project, response(UNAUTHORIZED, &headers, b""));
        let ours = hint.strip_prefix(&start).unwrap_or_default();
        let after = OffsetDateTime::now_utc().unix_timestamp();
        assert!((before..=after).contains(&unix_time(ours)), "{hint}");
    }
}

/// The time that `2026-01-15 09:30:45 UTC` says.
fn unix_time(text: &str) -> i64 {
    let numbers = text
        .strip_suffix(" UTC")
        .expect("UTC")
        .split(['-', ' ', ':']);
    let numbers: Vec<i32> = numbers.map(|n| n.parse().expect("a number")).collect();
    let [year, month, day, hour, minute, second] = numbers[..] else {
        panic!("six numbers: {text}");
    };
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(|n| n as u8);
    let month = time::Month::try_from(month).expect("a month");
    let date = time::Date::from_calendar_date(year, month, day).expect("a date");
    let time = date.with_hms(hour, minute, second).expect("a time");
    time.assume_utc().unix_timestamp()
}

#[test]
fn the_project_is_named_as_a_cause_if_the_access_key_has_none() {
    let project = "its project (it has none: HUAWEICLOUD_SDK_PROJECT_ID)";
    let key = |server: &StandIn| Run::new(server).with_key();
    let body = error("APIGW.0301");
    let at =
        |headers: &[(&str, &str)]| hint_to(key, response(UNAUTHORIZED, headers, body.as_bytes()));
    assert_eq!(
        at(&[("Date", &http_date(0))]),
        format!("check {KEY} and {project}")
    );
    let hint = at(&[("Date", &http_date(3_660))]);
    assert!(
        hint.ends_with(&format!("; then check {KEY} and {project}")),
        "{hint}"
    );
    let hint = at(&[]);
    let start = format!("check {KEY}, {project} and this host's clock, which must be right ");
    assert!(hint.starts_with(&start), "{hint}");
}

#[test]
fn no_refusal_and_no_list_gets_a_secret_printed() {
    for secret in [TOKEN, SECRET_KEY, SECURITY_TOKEN] {
        let (beginning, end) = secret.split_at(secret.len() / 2);
        let tool = format!("x{secret}");
        let details = json!([{"subJobId": ID, "status": secret, "toolName": tool}]);
        let execution = json!({"status": "success", "subJobIds": [ID],
            "process": {"subJobStatuses": details}});
        for (status, body) in [
            ("200 OK", json!({"httpStatus": secret}).to_string()),
            (
                "200 OK",
                json!({"httpStatus": format!("{}{secret}", "x".repeat(90))}).to_string(),
            ),
            (
                "200 OK",
                json!({"error_code": format!("{secret}.401")}).to_string(),
            ),
            (
                "200 OK",
                json!({"error_code": format!("CC.{secret}.400")}).to_string(),
            ),
            (
                "200 OK",
                json!({"error": {"code": "A", "reason": secret}}).to_string(),
            ),
            (
                "200 OK",
                json!({"status": "error", "message": secret}).to_string(),
            ),
            (
                "200 OK",
                format!("{{\"error_msg\":\"{beginning}\n{end}\"}}"),
            ),
            (
                "200 OK",
                json!({"result": {"lastJob": execution}}).to_string(),
            ),
            (
                "200 OK",
                json!({"result": {"lastJob": {"status": secret}}}).to_string(),
            ),
            (
                BAD,
                json!({"error_code": format!("APIGW.{secret}"), "request_id": secret}).to_string(),
            ),
            (BAD, format!("{{\"error_msg\":\"{beginning}\0{end}\"}}")),
            (
                UNAUTHORIZED,
                json!({"error_code": "APIGW.0301", "error_msg":
                format!("ak {secret} not exist")})
                .to_string(),
            ),
            (NOT_FOUND, json!({"error": {"reason": secret}}).to_string()),
        ] {
            let server = StandIn::tls(vec![Step::Send(response(status, &[], body.as_bytes()))]);
            let with = |run: Run| match secret {
                TOKEN => run,
                _ => run
                    .with_key()
                    .env("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECURITY_TOKEN),
            };
            assert_hidden(&with(Run::new(&server).arg("-v")).go(), secret);
            assert_hidden(
                &with(Run::list(&server).args(&["-v", "--long"])).go(),
                secret,
            );
        }
    }
}
