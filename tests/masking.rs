//! No answer of a server gets a secret printed, and no verbose report contains one.

use serde_json::{Value, json};

use crate::credentials::{assert_signed, server};
use crate::harness::{ACCESS_KEY, ID, Outcome, Run, SECRET_KEY, SECURITY_TOKEN, TOKEN};
use crate::key_files::agency;
use crate::stand_in::{Greeting, StandIn, Step, response};

/// Answers with a secret in every place that a message repeats, and whether a list is asked for.
fn echoes(secret: &str) -> Vec<(bool, Vec<u8>)> {
    let answer = |status: &str, headers: &[(&str, &str)], body: &str| {
        (false, response(status, headers, body.as_bytes()))
    };
    let task = |last_job: Value| {
        let body = json!({"result": {"lastJob": last_job}}).to_string();
        (true, response("200 OK", &[], body.as_bytes()))
    };
    let (beginning, end) = secret.split_at(secret.len() / 2);
    let signed = json!({"error_code": "APIGW.0301",
        "error_msg": format!("GET\n/v1/log-file/\nx\nx-security-token:{secret}\n\nhost")});
    let signed = signed.to_string();
    let other = json!({"error": {"code": secret, "message": format!("{beginning}\n{end}"),
        "request_id": secret}});
    let page = format!(
        "<p>{beginning}<br>{end}</p>\n{beginning}\n{end}\n{}",
        &secret[1..]
    );
    let cut = format!("{}{secret}", "x".repeat(480));
    let location = format!("https://x/?t={secret}&u={}", secret.replace('/', "%2F"));
    let notes = [("X-Request-Id", secret), ("Retry-After", secret)];
    vec![
        answer("401 Unauthorized", &[], &signed),
        answer("401 Unauthorized", &[], &signed.replace('/', "\\/")),
        answer("200 OK", &[], &signed),
        answer("400 Bad Request", &[], &other.to_string()),
        answer("500 Internal Server Error", &[], &page),
        answer("500 Internal Server Error", &[], &cut),
        answer("503 Service Unavailable", &notes, ""),
        answer("302 Found", &[("Location", &location)], ""),
        answer("200 OK", &[("Content-Type", secret)], ""),
        answer("200 OK", &[("Transfer-Encoding", secret)], ""),
        task(json!({"status": secret, "subJobIds": [ID]})),
        task(json!({"status": "success", "subJobIds": [secret]})),
        task(json!({"id": secret, "status": "success", "finishTime": secret, "subJobIds": [ID]})),
    ]
}

/// Runs the program with a temporary key against a server with this answer, and asserts that
/// nothing shows of its security token.
#[track_caller]
fn run_hidden(is_list: bool, answer: Vec<u8>) -> Outcome {
    let server = StandIn::tls(vec![Step::Send(answer)]);
    let run = if is_list {
        Run::list(&server)
    } else {
        Run::new(&server)
    };
    let run = run.with_key().arg("-v");
    let outcome = run
        .env("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECURITY_TOKEN)
        .go();
    assert_hidden(&outcome, SECURITY_TOKEN);
    outcome
}

/// Asserts that no word that was printed has 8 consecutive letters and digits of the secret.
#[track_caller]
pub fn assert_hidden(outcome: &Outcome, secret: &str) {
    let letters = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let secret = letters(secret);
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in shown.split_whitespace().map(letters) {
        let leaks = (8..=word.len()).any(|end| secret.contains(&word[end - 8..end]));
        assert!(!leaks, "the secret shows\n{outcome}");
    }
    assert!(outcome.status.code().is_some(), "{outcome}");
}

/// One secret is enough for each: all secrets of a run are masked together.
#[test]
fn a_secret_is_masked_in_every_place_of_an_answer() {
    for (is_list, answer) in echoes(SECURITY_TOKEN) {
        let outcome = run_hidden(is_list, answer);
        assert!(outcome.stderr.contains("***"), "{outcome}");
    }
}

#[test]
fn no_malformed_answer_gets_a_secret_printed() {
    let secret = SECURITY_TOKEN;
    let head = "HTTP/1.1 200 OK\r\n";
    for answer in [
        format!("HTTP/1.1 500 {secret}\r\nDate: {secret}\r\n\r\n"),
        format!("{secret}\r\n\r\n"),
        format!("{head}{secret}\r\n\r\n"),
        format!("{head}Content-Encoding: {secret}\r\n\r\nx"),
        format!("{head}Content-Length: {secret}\r\n\r\n"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{secret}\r\n"),
    ] {
        run_hidden(false, answer.into_bytes());
    }
}

#[test]
fn every_secret_of_a_run_is_masked() {
    let text = format!("{TOKEN} {SECRET_KEY} {SECURITY_TOKEN}");
    let answer = response("403 Forbidden", &[], text.as_bytes());
    let server = StandIn::tls(vec![Step::Send(answer.clone())]);
    let outcome = Run::new(&server).go();
    assert_hidden(&outcome, TOKEN);
    outcome.complains("answered 403 Forbidden: *** ");
    let outcome = run_hidden(false, answer);
    assert_hidden(&outcome, SECRET_KEY);
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
        "401 Unauthorized with the access key in HUAWEICLOUD_SDK_AK: APIGW.0301: no: \
         SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders=host;x-sdk-date, ***"
    ));
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

#[test]
fn a_secret_in_the_place_of_an_id_or_a_region_is_cut_to_eight_characters() {
    for args in [
        &[SECRET_KEY][..],
        &["--list", SECRET_KEY],
        &["--list", "a", "--job", SECRET_KEY],
        &["-r", SECRET_KEY, ID],
        &[
            "-e",
            "127.0.0.1:1",
            ID,
            "--Secret/key+of-tests~that-nobody-may-see",
        ],
    ] {
        let outcome = Run::bare().args(args).go();
        outcome.exits(2).complains("…'");
        assert!(!outcome.stderr.contains(&SECRET_KEY[..8]), "{outcome}");
    }
}
