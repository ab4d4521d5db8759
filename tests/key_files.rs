//! Files with an access key: every form that is read, and what is refused before anything is sent.

use serde_json::{Value, json};

use crate::credentials::{assert_signed, server};
use crate::harness::{ACCESS_KEY, ID, Run, SECRET_KEY, SECURITY_TOKEN};
use crate::masking::assert_hidden;

/// The profile of the vendor's SDK.
pub fn profile() -> String {
    format!("[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n")
}

/// What the console hands out with a new key.
pub const CSV: &str = "User Name,Access Key Id,Secret Access Key\r\n\
    \"Doe, Jane\",ACCESSKEYOFTESTS0001,Secret/key+of=tests~that-nobody-may-see\r\n";

/// What a metadata service answers.
pub fn agency() -> Value {
    json!({"credential": {
        "access": ACCESS_KEY, "secret": SECRET_KEY, "securitytoken": SECURITY_TOKEN,
        "expires_at": "2999-01-01T00:00:00.000000Z",
    }})
}

#[test]
fn a_profile_is_read_as_the_sdk_reads_it() {
    for content in [
        profile(),
        profile().replace('\n', "\r\n"),
        profile().replace(" = ", "="),
        profile().replace(" = ", ":"),
        profile().replace("ak", "  AK").replace("sk =", "Sk\t:"),
        profile().replace("ak", "  ak").replace("sk", "  sk"),
        profile().replace("sk", "  # a comment\n\nsk"),
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
fn every_spelling_of_a_metadata_service_is_read() {
    let mut bare = agency();
    bare["credential"]["securitytoken"] = Value::Null;
    let mut spellings = vec![(agency(), Some(SECURITY_TOKEN)), (bare, None)];
    for outer in ["credential", "credentials"] {
        for [access, secret, token, end] in [
            ["access", "secret", "securitytoken", "expires_at"],
            [
                "accessKeyId",
                "secretAccessKey",
                "securityToken",
                "expiration",
            ],
            [
                "access_key_id",
                "secret_access_key",
                "security_token",
                "expiration",
            ],
        ] {
            let json = json!({outer: {access: ACCESS_KEY, secret: SECRET_KEY,
                token: SECURITY_TOKEN, end: "2999-01-01T00:00:00Z"}});
            spellings.push((json, Some(SECURITY_TOKEN)));
        }
    }
    for (json, token) in spellings {
        let server = server();
        let run = Run::new(&server).args(&["--credentials-file", "-"]);
        let outcome = run.input(format!("\n{json}").as_bytes()).go();
        outcome.exits(0).says("");
        assert_eq!(assert_signed(&server).header("X-Security-Token"), token);
    }
}

/// As in the SDK, an empty value counts as missing, and the next spelling is tried.
#[test]
fn an_empty_value_of_a_metadata_service_counts_as_not_given() {
    let json = |token: &Value| {
        json!({"credential": {"access": "", "accessKeyId": ACCESS_KEY, "secret": " ",
            "secret_access_key": SECRET_KEY, "securitytoken": "", "securityToken": Value::Null,
            "security_token": token, "expires_at": "", "expiration": "2999-01-01T00:00:00Z"}})
        .to_string()
    };
    for (token, sent) in [
        (json!(SECURITY_TOKEN), Some(SECURITY_TOKEN)),
        (json!(""), None),
        (json!("\n"), None),
        (Value::Null, None),
    ] {
        let server = server();
        let run = Run::new(&server).args(&["--credentials-file", "-"]);
        run.input(json(&token).as_bytes()).go().exits(0).says("");
        assert_eq!(assert_signed(&server).header("X-Security-Token"), sent);
    }
    let expired = json(&json!("")).replace("2999", "2001");
    let run = Run::bare().args(&["-e", "127.0.0.1:1", ID, "--credentials-file", "-"]);
    let outcome = run.input(expired.as_bytes()).go();
    outcome
        .exits(2)
        .complains("expired at 2001-01-01 00:00:00 UTC");
}

#[test]
fn an_expired_key_is_refused_and_an_unreadable_expiry_time_is_ignored() {
    let expiring = |name: &str, end: &Value| {
        json!({"credential": {"access": ACCESS_KEY, "secret": SECRET_KEY, name: end}}).to_string()
    };
    let now = time::OffsetDateTime::now_utc();
    let at = |time: time::OffsetDateTime| {
        let ((hour, minute, second), month) = (time.to_hms(), u8::from(time.month()));
        let (year, day) = (time.year(), time.day());
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    };
    let past = at(now - time::Duration::MINUTE);
    for end in [
        &*format!("{past}Z"),
        &format!("{past}.000000Z"),
        "2026-01-01T00:00:00.5Z",
    ] {
        for name in ["expires_at", "expiration"] {
            let run = Run::bare().args(&["-e", "127.0.0.1:1", ID, "--credentials-file", "-"]);
            let outcome = run.input(expiring(name, &json!(end)).as_bytes()).go();
            outcome.exits(2).complains(&format!(
                "the temporary access key in standard input expired at {} UTC, \
                 and this host's clock says {}",
                end[..19].replace('T', " "),
                &at(now)[..10],
            ));
            assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
        }
    }
    for end in [
        json!(format!("{}Z", at(now + time::Duration::MINUTE))),
        json!(format!("{past}+08:00")),
        json!(past),
        json!(format!("{past}.0x0Z")),
        json!("Thu Jan  1 00:00:00 1970"),
        json!("0"),
        json!(""),
        json!("\u{e9}-01-01T00:00:00Z"),
        json!(1_577_836_800),
        json!(["2020-01-01T00:00:00Z"]),
        Value::Null,
    ] {
        let server = server();
        let run = Run::new(&server).args(&["--credentials-file", "-"]);
        run.input(expiring("expires_at", &end).as_bytes())
            .go()
            .exits(0);
        assert_signed(&server);
    }
}

#[test]
fn credentials_csv_of_the_console_is_read() {
    let quoted = format!(
        "\"Access Key Id\",\"User Name\",\"Secret Access Key\"\n\
         \"{ACCESS_KEY}\",\"Doe, Jane \"\"JD\"\"\",\"{SECRET_KEY}\"\n"
    );
    let [semicolons, tabs] = [";", "\t"].map(|separator| CSV.replace(',', separator));
    for content in [
        CSV.to_owned(),
        CSV.replace('\r', ""),
        CSV.trim_end().to_owned(),
        format!("\u{feff}{CSV}\r\n\r\n"),
        format!("\u{feff}\r\n \r\n{CSV}"),
        format!("Secret Access Key , Access Key Id\n{SECRET_KEY}, {ACCESS_KEY}\n"),
        quoted.replace(',', ";"),
        quoted.replace(',', "\t"),
        quoted,
        // As a spreadsheet saves it, with columns and rows that are empty.
        format!(
            "{},\r\n{},\r\n,,,\r\n",
            CSV.lines().next().unwrap(),
            CSV.lines().nth(1).unwrap()
        ),
        format!("\u{feff}{semicolons};;\r\n"),
        format!("{tabs}\t\t\r\n"),
        // Another separator is part of a value.
        semicolons.replace("\"Doe; Jane\"", "Doe, Jane"),
        tabs.replace("\"Doe\t Jane\"", "Doe, Jane; \"a\tb\""),
    ] {
        let server = server();
        let run = Run::new(&server).arg("--credentials-file");
        let file = run.secret_file("credentials.csv", content.as_bytes());
        run.arg(file).go().exits(0).says("");
        assert_signed(&server);
    }
}

#[test]
fn a_row_that_does_not_fit_its_header_is_refused() {
    let header = "User Name,Access Key Id,Secret Access Key\n";
    let secret_first = "User Name,Secret Access Key,Access Key Id\n";
    let row = format!("Doe, Jane,{ACCESS_KEY},{SECRET_KEY}\n");
    let turned = format!("Doe, Jane,{SECRET_KEY},{ACCESS_KEY}\n");
    let fault =
        |line, columns| format!("FILE: the header has 3 columns, but line {line} has {columns}");
    for (content, text) in [
        (format!("{header}{row}"), fault(2, 4)),
        (format!("{secret_first}{turned}"), fault(2, 4)),
        (format!("{header}{row}").replace(',', ";"), fault(2, 4)),
        (
            format!("{secret_first}{turned}").replace(',', "\t"),
            fault(2, 4),
        ),
        (format!("{header}{ACCESS_KEY},{SECRET_KEY}\n"), fault(2, 2)),
        (format!("{secret_first}{SECRET_KEY}\n"), fault(2, 1)),
        (
            format!("{header}jane,{ACCESS_KEY},{SECRET_KEY},\n"),
            fault(2, 4),
        ),
        // The separator is the header's.
        (
            format!("{header}jane;{ACCESS_KEY};{SECRET_KEY}\n"),
            fault(2, 1),
        ),
        (format!("{}{row}", header.replace(',', ";")), fault(2, 1)),
        // A quote that is not closed.
        (
            format!("{header}\"Doe,{ACCESS_KEY},{SECRET_KEY}\n"),
            fault(2, 1),
        ),
        (format!("\u{feff}\r\n\n{header}\n{row}"), fault(5, 4)),
    ] {
        assert_file_refused(content.as_bytes(), &text);
    }
}

#[test]
fn an_invalid_table_is_refused() {
    let header = "User Name,Access Key Id,Secret Access Key\n";
    for (content, text) in [
        (
            format!("{header},,\n"),
            "FILE: no line of values below the header",
        ),
        (
            format!("{CSV}nobody,nobody,nobody-may-see\n"),
            "FILE: more than one key: keep one line of values",
        ),
        (
            format!("{header}nobody,,nobody-may-see\n"),
            "the access key in FILE is missing",
        ),
        (
            format!("{header}jane,{ACCESS_KEY},\"\"\n"),
            "the secret key in FILE is missing",
        ),
        (
            "User Name,Access Key Id\nnobody,nobody\n".to_owned(),
            "FILE: no section [basic]",
        ),
        (CSV.replace(',', "|"), "FILE: no section [basic]"),
    ] {
        assert_file_refused(content.as_bytes(), text);
    }
}

#[test]
fn a_key_whose_halves_are_swapped_is_refused_in_every_form() {
    let [id, secret] = ["K".repeat(20), "nobody/s".repeat(5)];
    let mut json = agency();
    json["credential"]["access"] = json!(secret);
    json["credential"]["secret"] = json!(id);
    for content in [
        format!("[basic]\nak = {secret}\nsk = {id}\n"),
        format!("User Name,Access Key Id,Secret Access Key\njane,{secret},{id}\n"),
        json.to_string(),
    ] {
        let text = "the access key in FILE has 40 characters, and the secret key in FILE 20: \
                    the two are swapped";
        assert_file_refused(content.as_bytes(), text);
    }
}

#[test]
fn a_secret_key_in_the_place_of_both_halves_is_refused_in_every_form() {
    let secret = "nobody/s".repeat(5);
    let mut json = agency();
    json["credential"]["access"] = json!(secret);
    json["credential"]["secret"] = json!(secret);
    for content in [
        format!("[basic]\nak = {secret}\nsk = {secret}\n"),
        format!("User Name,Access Key Id,Secret Access Key\njane,{secret},{secret}\n"),
        json.to_string(),
    ] {
        let text = "the access key in FILE and the secret key in FILE are the same";
        assert_file_refused(content.as_bytes(), text);
    }
}

/// U+FEFF does not count towards the size, and no file is cut.
#[test]
fn a_file_of_the_largest_size_is_read_whole() {
    let largest = 100_000 + (16 << 10);
    let comment = "#".repeat(largest - 1 - profile().len());
    for mark in ["", "\u{feff}"] {
        let content = format!("{mark}{comment}\n{}", profile());
        let server = server();
        let run = Run::new(&server).args(&["--credentials-file", "-"]);
        run.input(content.as_bytes()).go().exits(0);
        assert_signed(&server);
        let content = format!("{mark}#{comment}\n{}", profile());
        assert_file_refused(content.as_bytes(), "FILE: too large for a credentials file");
    }
}

/// Asserts that a credentials file with this content is refused before any connection, and nothing
/// of it shown. FILE in the text stands for its name.
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
        assert_hidden(&outcome, SECRET_KEY);
        let hint = "hint: a credentials file is the console's credentials.csv, a metadata \
                    service's JSON, or three lines: '[basic]', 'ak = ACCESS_KEY_ID', \
                    'sk = SECRET_ACCESS_KEY'";
        assert_eq!(outcome.stderr.lines().last(), Some(hint), "{outcome}");
    }
}

#[test]
fn an_invalid_profile_is_refused() {
    let ak = |value: &str| profile().replace(ACCESS_KEY, value);
    let sk = |value: &str| profile().replace(SECRET_KEY, value);
    let plus = |line: &str| format!("{}{line}\n", profile());
    let large = format!("{}{}", profile(), "# comment\n".repeat(20_000));
    for (content, text) in [
        (" \r\n".to_owned(), "FILE: empty"),
        (large, "FILE: too large for a credentials file"),
        ("no profile".to_owned(), "FILE: no section [basic]"),
        (profile().replace("[basic]", ""), "FILE: no section [basic]"),
        (
            profile().replace("[basic]", "[global]"),
            "FILE: no section [basic]",
        ),
        (
            profile().replace("[basic]", "[Basic]"),
            "FILE: no section [basic]",
        ),
        (
            plus("nobody-may-see"),
            "FILE: line 4 is neither a [section] nor NAME = VALUE",
        ),
        (
            "[basic]\nak = a\nsk = b\nsecurity_token =\n  nobody-may-see\n".to_owned(),
            "FILE: line 5 is indented and continues a value: write it on one line",
        ),
        (
            plus("domain_id = x\n\n\tnobody-may-see"),
            "FILE: line 6 is indented and continues a value: write it on one line",
        ),
        (
            format!("\n \r\n\n{}nobody-may-see\n", profile()),
            "FILE: line 7 is neither a [section] nor NAME = VALUE",
        ),
        (
            plus("  [nobody]"),
            "FILE: line 4 is indented and continues a value: write it on one line",
        ),
        (plus("sk = nobody-may-see"), "FILE: line 4 has sk again"),
        (plus("AK : nobody-may-see"), "FILE: line 4 has ak again"),
        (
            "[basic]\nak = a\n".to_owned(),
            "the secret key in FILE is missing",
        ),
        (
            "[basic]\nsk = nobody-may-see\n".to_owned(),
            "the access key in FILE is missing",
        ),
        (ak(""), "the access key in FILE is missing"),
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
    assert_file_refused(b"[basic]\nak = \xff\n", "FILE: not UTF-8");
}

#[test]
fn invalid_metadata_is_refused() {
    let with = |name: &str, value: Value| {
        let mut json = agency();
        json["credential"][name] = value;
        json.to_string()
    };
    for (content, text) in [
        (
            "{nobody-may-see".to_owned(),
            "FILE: not valid JSON (line 1, column 2)",
        ),
        (
            "\n\r\n {nobody-may-see".to_owned(),
            "FILE: not valid JSON (line 3, column 3)",
        ),
        (
            "{\"credential\":\n{\"secret\": nobody-may-see".to_owned(),
            "FILE: not valid JSON (line 2, column ",
        ),
        ("{}".to_owned(), "FILE: no \"credential\" object"),
        (
            json!({"credential": "nobody-may-see"}).to_string(),
            "FILE: no \"credential\" object",
        ),
        (with("secret", json!(7)), "FILE: \"secret\" is not a string"),
        (
            with("access", json!({})),
            "FILE: \"access\" is not a string",
        ),
        (
            with("securitytoken", json!([])),
            "FILE: \"securitytoken\" is not a string",
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
