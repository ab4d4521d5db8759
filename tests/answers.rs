//! A 200: which bodies are saved, byte for byte, and which are refused.

use std::fs::{self, File};
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use zip::write::{SimpleFileOptions, ZipWriter};

use crate::harness::{ID, OUTPUT, Run, TOKEN};
use crate::packages::{OLD, PACKAGE, made_by, noise, of_real_tools, ok, patch, stored, zip};
use crate::stand_in::{Greeting, StandIn, Step, response};

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes()
}

fn chunks(body: &[u8], size: usize, extension: &str, trailer: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
    bytes
}

/// Asserts that the script's package is saved exactly.
#[track_caller]
fn assert_saved(script: &[Step], package: &[u8]) {
    let server = StandIn::tls(script.to_vec());
    let outcome = Run::new(&server).go();
    outcome.exits(0).says("").leaves_only(OUTPUT, package);
    assert_eq!(server.requests().len(), 1);
}

/// Asserts that the script is refused with `code` and `text`, and the old file untouched.
#[track_caller]
fn assert_refused(script: &[Step], code: i32, text: &str) {
    let server = StandIn::tls(script.to_vec());
    let outcome = Run::new(&server).file(OUTPUT, OLD).go();
    outcome.exits(code).complains(text).leaves_only(OUTPUT, OLD);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_request_is_the_one_of_the_reference() {
    let server = StandIn::tls(ok(&PACKAGE));
    Run::new(&server).go().exits(0);
    let port = server.address.port();
    let mut lines: Vec<String> = server.requests()[0]
        .0
        .lines()
        .map(str::to_lowercase)
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            String::new(),
            "accept-encoding: identity".to_owned(),
            "accept: */*".to_owned(),
            format!("get /v1/log-file?sub_job_id={ID} http/1.1"),
            format!("host: localhost:{port}"),
            format!(
                "user-agent: codearts-check-log/{}",
                env!("CARGO_PKG_VERSION")
            ),
            format!("x-auth-token: {}", TOKEN.to_lowercase()),
        ]
    );
    assert_eq!(server.requests()[0].header("X-Auth-Token"), Some(TOKEN));
}

#[test]
fn a_body_of_fixed_length_is_saved() {
    assert_saved(&ok(&PACKAGE), &PACKAGE);
}

#[test]
fn a_large_body_is_saved() {
    let package = stored("noise", &noise(3 << 20));
    assert_saved(&ok(&package), &package);
}

#[test]
fn a_chunked_body_with_extensions_and_trailers_is_saved() {
    let mut reply = head("Transfer-Encoding: chunked\r\n");
    reply.extend(chunks(&PACKAGE, 100, ";a=b", "X-Checksum: 1\r\n"));
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

#[test]
fn a_body_in_chunks_of_one_byte_is_saved() {
    let mut reply = head("Transfer-Encoding: Chunked\r\n");
    reply.extend(chunks(&PACKAGE, 1, "", ""));
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

#[test]
fn chunked_wins_over_a_length() {
    let mut reply = head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    reply.extend(chunks(&PACKAGE, 64, "", ""));
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

/// A limit of ureq's: a chunk's size line has at most 20 bytes. Nothing is lost.
#[test]
fn a_long_chunk_extension_is_refused() {
    let mut reply = head("Transfer-Encoding: chunked\r\n");
    reply.extend(chunks(&PACKAGE, 100, ";name=a-longer-value", ""));
    let text =
        "malformed HTTP: a chunk's first line has more than 20 bytes, or its data ends elsewhere";
    assert_refused(&[Step::Send(reply)], 6, text);
    for end in ["5;name", "5\r", "0\r", "0\r\n\r", &"5".repeat(200 << 10)] {
        let mut reply = head("Transfer-Encoding: chunked\r\n");
        reply.extend(end.bytes());
        let text = "malformed HTTP: a chunk's first or last line is cut short or too long";
        assert_refused(&[Step::Send(reply)], 6, text);
    }
}

#[test]
fn a_body_that_ends_with_the_connection_is_saved() {
    let reply = [head("").as_slice(), &PACKAGE].concat();
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

#[test]
fn a_body_by_http_1_0_is_saved() {
    let reply = [b"HTTP/1.0 200 OK\r\n\r\n".as_slice(), &PACKAGE].concat();
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

#[test]
fn interim_responses_are_ignored() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let reply = [interim.as_slice(), &response("200 OK", &[], &PACKAGE)].concat();
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

#[test]
fn a_head_of_60_kib_and_odd_case_and_spacing_is_read() {
    let long = "x".repeat(60 << 10);
    let length = PACKAGE.len();
    let reply = [
        head(&format!(
            "X-Long: {long}\r\ncOnTeNt-LeNgTh:   {length}  \r\n"
        ))
        .as_slice(),
        &PACKAGE,
    ]
    .concat();
    // The answer goes on, so that the length alone can have ended the body.
    assert_saved(&[Step::Send(reply), Step::AwaitClose], &PACKAGE);
}

#[test]
fn a_trickle_that_is_never_silent_for_the_timeout_is_saved() {
    let script = [
        Step::Send(head(&format!("Content-Length: {}\r\n", PACKAGE.len()))),
        Step::Trickle(PACKAGE[..20].to_vec(), Duration::from_millis(100)),
        Step::Send(PACKAGE[20..].to_vec()),
    ];
    let server = StandIn::tls(script.to_vec());
    let outcome = Run::new(&server).args(&["--timeout", "0.9"]).go();
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
    assert!(outcome.elapsed > Duration::from_secs(2), "{outcome}");
}

#[test]
fn an_ipv6_address_is_called() {
    let server = StandIn::at((Ipv6Addr::LOCALHOST, 0), Greeting::tls(), |_| ok(&PACKAGE))
        .expect("IPv6 on loopback");
    let endpoint = format!("https://[::1]:{}", server.address.port());
    let outcome = Run::bare().trusting().args(&["-e", &endpoint, ID]).go();
    outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
}

#[test]
fn packages_of_real_tools_are_saved() {
    for (_, package) in of_real_tools("") {
        assert_saved(&ok(&package), &package);
    }
}

#[test]
fn packages_of_real_tools_that_are_not_whole_by_themselves_are_refused() {
    for (name, package) in of_real_tools("refused") {
        let fault = if name.contains("split") {
            "it is one part of a split archive"
        } else {
            "its directory does not end where its end record begins"
        };
        assert_refused(&ok(&package), 7, fault);
    }
}

#[test]
fn a_package_of_70_000_entries_is_saved() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..70_000 {
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        writer
            .start_file(number.to_string(), options)
            .expect("an entry");
    }
    let package = writer.finish().expect("a ZIP archive").into_inner();
    assert_saved(&ok(&package), &package);
}

/// A file that leaves a hole where zeros are written.
struct Sparse(File);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.iter().all(|byte| *byte == 0) {
            let length = i64::try_from(bytes.len()).map_err(io::Error::other)?;
            self.0.seek(SeekFrom::Current(length))?;
            return Ok(bytes.len());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Sparse {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[test]
#[ignore = "it takes a minute, and 4 GiB of disk"]
fn a_package_of_more_than_4_gib_is_saved() {
    let side = tempfile::tempdir().expect("a folder");
    let path = side.path().join("package.zip");
    let mut writer = ZipWriter::new(Sparse(File::create(&path).expect("a file")));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(true);
    writer.start_file("zeros", options).expect("an entry");
    let zeros = vec![0; 1 << 20];
    for _ in 0..4200 {
        writer.write_all(&zeros).expect("an entry's data");
    }
    writer.start_file("last", options).expect("an entry");
    writer.write_all(b"beyond 4 GiB").expect("an entry's data");
    writer.finish().expect("a ZIP archive");
    let length = fs::metadata(&path).expect("the package").len();
    assert!(length > 4 << 30);

    let head = head(&format!("Content-Length: {length}\r\n"));
    let server = StandIn::tls(vec![Step::Send(head), Step::SendFile(path.clone())]);
    let saved = side.path().join("saved.zip");
    let outcome = Run::new(&server).arg("-o").arg(&saved).patience(300).go();
    outcome.exits(0).says("").leaves_nothing();
    let same = Command::new("cmp").args([&path, &saved]).status();
    assert!(same.expect("run cmp").success());
}

#[test]
fn a_package_whose_comment_and_data_hold_end_records_is_saved() {
    let inner = made_by("python-empty.zip");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file(
            "inner.zip",
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
        )
        .expect("an entry");
    writer.write_all(&inner).expect("an entry's data");
    writer.set_raw_comment(inner.into_boxed_slice());
    let package = writer.finish().expect("a ZIP archive").into_inner();
    assert_saved(&ok(&package), &package);
}

#[test]
fn a_body_cut_short_is_refused() {
    let half = &PACKAGE[..PACKAGE.len() / 2];
    let with_length = response("200 OK", &[], &PACKAGE);
    let at_half = with_length[..with_length.len() - half.len()].to_vec();
    let ends_early = "the server closed the connection before the response was complete";
    let was_reset = "the connection was reset";
    for (end, text) in [(Step::Cut, ends_early), (Step::Reset, was_reset)] {
        assert_refused(&[Step::Send(at_half.clone()), end], 6, text);
    }
    // With TLS's closing alert.
    assert_refused(&[Step::Send(at_half)], 6, ends_early);

    let mut chunked = head("Transfer-Encoding: chunked\r\n");
    chunked.extend(chunks(&PACKAGE, 64, "", ""));
    chunked.truncate(chunked.len() - "0\r\n\r\n".len());
    assert_refused(&[Step::Send(chunked)], 6, ends_early);

    let close_ended = [head("").as_slice(), half].concat();
    let no_end = "a ZIP archive cut short or damaged: it has no end record";
    assert_refused(
        &[Step::Send(close_ended.clone()), Step::Reset],
        6,
        was_reset,
    );
    assert_refused(&[Step::Send(close_ended.clone()), Step::Cut], 7, no_end);
    assert_refused(&[Step::Send(close_ended)], 7, no_end);
}

#[test]
fn a_silent_server_is_given_up_after_the_timeout() {
    let body = Step::Send(head("Content-Length: 100\r\n"));
    for script in [vec![Step::AwaitClose], vec![body, Step::AwaitClose]] {
        let server = StandIn::tls(script);
        let outcome = Run::new(&server).args(&["--timeout", "1.2"]).go();
        outcome
            .exits(6)
            .complains("the connection was silent for 1.2 s (--timeout)")
            .takes(Duration::from_millis(1200))
            .leaves_nothing();
    }
}

#[test]
fn an_endless_answer_is_given_up_after_the_maximum_time() {
    let pause = Duration::from_millis(20);
    let forever = |start: &[u8], bytes: &[u8]| {
        vec![
            Step::Send(start.to_vec()),
            Step::SendForever(bytes.to_vec(), pause),
        ]
    };
    for (what, script) in [
        ("head", forever(b"HTTP/1.1 200 OK\r\nX: ", b"x")),
        ("interim", forever(b"", b"HTTP/1.1 102 Processing\r\n\r\n")),
        ("body", forever(&head("Content-Length: 100000\r\n"), b"x")),
        ("error", forever(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x")),
        (
            "trailers",
            forever(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                b"T: x\r\n",
            ),
        ),
    ] {
        let server = StandIn::tls(script.clone());
        let outcome = Run::new(&server).args(&["--max-time", "0.5"]).go();
        outcome.takes(Duration::from_millis(500)).leaves_nothing();
        if what == "error" {
            outcome.exits(40);
        } else {
            outcome
                .exits(6)
                .complains("not finished after 0.5 s (--max-time)");
        }
    }
}

#[test]
fn malformed_http_is_refused() {
    for reply in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;q=1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\u{f6}\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/2 200\r\n\r\n",
    ] {
        assert_refused(
            &[Step::Send(reply.as_bytes().to_vec())],
            6,
            "malformed HTTP",
        );
    }
    let gzip = head("Transfer-Encoding: gzip, chunked\r\n");
    let two_lines = head("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n");
    let old = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec();
    for (reply, text) in [
        (gzip, "gzip is not decoded (HTTP/1.1)"),
        (two_lines, "gzip is not decoded (HTTP/1.1)"),
        (old, "chunked is not decoded (HTTP/1.0)"),
    ] {
        let server = StandIn::tls(vec![Step::Send(reply)]);
        let outcome = Run::new(&server).go();
        let end = format!(": malformed HTTP: Transfer-Encoding: {text}\n");
        outcome.exits(6);
        assert!(outcome.stderr.ends_with(&end), "{outcome}");
    }
    let long_head = head(
        &"X-Long: yyyyyyyyyyyyyyyyyyyyyyyy\r\n"
            .repeat(100)
            .repeat(30),
    );
    assert_refused(&[Step::Send(long_head)], 6, "malformed HTTP");
    let long_line = head(&format!("X-Long: {}\r\n", "y".repeat(70 << 10)));
    assert_refused(&[Step::Send(long_line)], 6, "malformed HTTP");
}

#[test]
fn verbose_says_that_no_length_is_given() {
    let mut chunked = head("Transfer-Encoding: chunked\r\n");
    chunked.extend(chunks(&PACKAGE, 64, "", ""));
    let close_ended = [head("").as_slice(), &PACKAGE].concat();
    for reply in [chunked, close_ended] {
        let server = StandIn::tls(vec![Step::Send(reply)]);
        let outcome = Run::new(&server).arg("-v").go();
        outcome.exits(0);
        let answer = "200 OK, length not given, no content type";
        assert_eq!(outcome.stderr.lines().nth(3), Some(answer), "{outcome}");
    }
}

#[test]
fn a_huge_length_that_never_comes_is_refused() {
    let reply = head("Content-Length: 18446744073709551615\r\n");
    assert_refused(&[Step::Send(reply)], 6, "the server closed the connection");
}

#[test]
fn a_connection_without_an_answer_is_a_network_failure() {
    assert_refused(
        &[],
        6,
        "the server closed the connection before the response was complete",
    );
    assert_refused(&[Step::Reset], 6, "reset");
}

#[test]
fn a_refused_body_is_reported_as_what_it_looks_like() {
    let error = br#"{"error_code":"CC.00000003","error_msg":"Not now.\u202e"}"#;
    let page = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>";
    for (body, looks) in [
        (b"".as_slice(), "it is empty"),
        (page, "it is HTML or XML"),
        (
            b"\n<HTML><head><TITLE lang=en>\n Sign  in\x1b </Title>",
            "it is a page titled \"Sign in\\u{1b}\"",
        ),
        (b"<html><title></title>", "it is HTML or XML"),
        (b"<html><title", "it is HTML or XML"),
        (
            error,
            "it is an error in JSON: CC.00000003: Not now.\\u{202e}",
        ),
        (br#"{"a":1}"#, "it is JSON"),
        (
            br#"{"error_code":"CC.00050007","error_msg":"C:\p"}"#,
            "its JSON can't be parsed: invalid escape at line 1 column ",
        ),
        (b"\x1f\x8b\x08\0\0\0\0\0", "it is gzip data"),
        (
            b"not a package",
            "it is not a ZIP archive: it has no end record",
        ),
    ] {
        assert_refused(&ok(body), 7, looks);
    }
}

#[test]
fn a_page_instead_of_a_package_points_to_a_proxy() {
    let server = StandIn::tls(ok(b"<html><title>Log in</title></html>"));
    let outcome = Run::new(&server).go();
    outcome.exits(7).says(&format!(
        "codearts-check-log: {ID}: {} answered 200, but the body is not a complete ZIP archive: \
         it is a page titled \"Log in\"\n\
         hint: a proxy or a captive portal may have answered in the service's place\n",
        outcome.endpoint()
    ));
}

#[test]
fn a_damaged_archive_is_refused() {
    let package: &[u8] = &PACKAGE;
    let zip64 = made_by("info-zip-zip64.zip");
    let end = package.len() - 22;
    // The directory's start, as the end record has it.
    let field: [u8; 4] = package[package.len() - 6..package.len() - 2]
        .try_into()
        .expect("four bytes");
    let directory = u32::from_le_bytes(field) as usize;
    let one_missing = [&package[..10], &package[11..]].concat();
    let locator_at = zip64.len() - 22 - 20;
    for (archive, text) in [
        ([package, b"\0\n"].concat(), "something follows"),
        (
            package[..package.len() - 1].to_vec(),
            "records is cut short",
        ),
        (one_missing, "does not end where"),
        ([b"x", package].concat(), "does not end where"),
        (patch(package, end + 12, &[0xff]), "does not end where"),
        (patch(package, end + 10, &[3]), "split"),
        (patch(package, end + 8, &[3, 0, 3]), "does not have as many"),
        (patch(package, end + 8, &[1, 0, 1]), "does not have as many"),
        (patch(package, end + 4, &[1]), "split"),
        (patch(package, directory, b"XX"), "directory is damaged"),
        (
            patch(package, directory + 28, &[0xff]),
            "directory is damaged",
        ),
        (patch(package, directory + 34, &[1]), "split"),
        (patch(&zip64, locator_at + 4, &[1]), "split"),
        (patch(&zip64, locator_at + 16, &[2]), "split"),
        (patch(&zip64, locator_at + 24, &[1]), "contradict"),
        (patch(&zip64, locator_at + 26, &[1]), "contradict"),
        (patch(&zip64, locator_at + 28, &[9]), "contradict"),
        (patch(&zip64, locator_at + 30, &[9]), "contradict"),
        (patch(&zip64, locator_at + 32, &[9]), "contradict"),
        (patch(&zip64, locator_at + 36, &[9]), "contradict"),
        (
            patch(&zip64, locator_at + 8, &[1]),
            "ZIP64 end record is not where",
        ),
        (
            patch(&zip64, locator_at + 12, &[0, 1]),
            "ZIP64 end record is not where",
        ),
        (
            patch(&zip64, locator_at + 15, &[0x80]),
            "ZIP64 end record is not where",
        ),
    ] {
        assert_refused(&ok(&archive), 7, text);
    }
}

#[test]
fn no_verify_saves_any_complete_body_and_none_cut_short() {
    let page = b"<html>";
    let server = StandIn::tls(ok(page));
    let outcome = Run::new(&server).arg("--no-verify").go();
    outcome.exits(0).says("").leaves_only(OUTPUT, page);

    let mut short = response("200 OK", &[], &PACKAGE);
    short.truncate(short.len() - 1);
    let server = StandIn::tls(vec![Step::Send(short)]);
    let outcome = Run::new(&server).arg("--no-verify").go();
    outcome.exits(6).leaves_nothing();

    let half = [head("").as_slice(), &PACKAGE[..PACKAGE.len() / 2]].concat();
    for greeting in [Greeting::tls(), Greeting::Plain] {
        let is_plain = matches!(greeting, Greeting::Plain);
        let server = StandIn::scripted(greeting, vec![Step::Send(half.clone()), Step::Reset]);
        let run = if is_plain {
            let endpoint = format!("http://{}", server.address);
            Run::bare().args(&["-e", &endpoint, ID])
        } else {
            Run::new(&server)
        };
        run.arg("--no-verify")
            .go()
            .exits(6)
            .complains("the connection was reset")
            .leaves_nothing();
    }
}

/// The archive check proves a package whole; a label that contradicts it does not count.
#[test]
fn the_bytes_decide_and_not_the_content_coding() {
    for coding in [
        "identity, identity",
        "UTF-8",
        "none",
        "binary",
        "aws-chunked",
        "gzip",
    ] {
        let reply = response("200 OK", &[("Content-Encoding", coding)], &PACKAGE);
        assert_saved(&[Step::Send(reply)], &PACKAGE);
    }
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0";
    let reply = response("200 OK", &[("Content-Encoding", "gzip")], gzip);
    assert_refused(&[Step::Send(reply.clone())], 7, "it is gzip data");
    let server = StandIn::tls(vec![Step::Send(reply)]);
    let outcome = Run::new(&server).arg("--no-verify").go();
    outcome.exits(0).leaves_only(OUTPUT, gzip);
}

#[test]
fn a_transfer_coding_may_be_repeated_or_identity() {
    let length = format!("Content-Length: {}\r\n", PACKAGE.len());
    for (headers, is_chunked) in [
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            true,
        ),
        ("Transfer-Encoding: chunked, Chunked\r\n", true),
        ("Transfer-Encoding: identity, chunked\r\n", true),
        (
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            true,
        ),
        ("Transfer-Encoding: identity\r\n", false),
        (&format!("Transfer-Encoding: identity\r\n{length}"), false),
        (&format!("Transfer-Encoding:\r\n{length}"), false),
    ] {
        let mut reply = head(headers);
        if is_chunked {
            reply.extend(chunks(&PACKAGE, 100, "", ""));
        } else {
            reply.extend_from_slice(&PACKAGE);
        }
        assert_saved(&[Step::Send(reply)], &PACKAGE);
    }
    let mut reply = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n\r\n".to_vec();
    reply.extend_from_slice(&PACKAGE);
    assert_saved(&[Step::Send(reply)], &PACKAGE);
}

#[test]
fn the_content_type_and_disposition_do_not_matter() {
    let headers = [
        ("Content-Type", "text/html"),
        (
            "Content-Disposition",
            "attachment; filename=\"../../evil.zip\"",
        ),
    ];
    assert_saved(
        &[Step::Send(response("200 OK", &headers, &PACKAGE))],
        &PACKAGE,
    );
}

#[test]
fn a_token_of_100_000_characters_arrives_whole() {
    let token = "t".repeat(100_000);
    let server = StandIn::tls(ok(&zip(&[])));
    Run::new(&server)
        .without_env("HUAWEICLOUD_TOKEN")
        .args(&["-t", "-"])
        .input(format!(" \r\n{token}\n").as_bytes())
        .go()
        .exits(0);
    assert_eq!(server.requests()[0].header("X-Auth-Token"), Some(&*token));
}
