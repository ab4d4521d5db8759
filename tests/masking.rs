//! No answer of a server gets a secret printed, and no report of a run has one in it.

use serde_json::json;

use crate::credentials::{assert_signed, server};
use crate::harness::{ACCESS_KEY, ID, Outcome, Run, SECRET_KEY, SECURITY_TOKEN, TOKEN};
use crate::key_files::agency;
use crate::stand_in::{Greeting, StandIn, Step, response};

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
        "401 Unauthorized with the access key in HUAWEICLOUD_SDK_AK: APIGW.0301: no: SDK-HMAC-SHA256 Access={ACCESS_KEY}, \
         SignedHeaders=host;x-sdk-date, ***"
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
