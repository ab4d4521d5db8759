//! The stand-in by itself, to try the program, or a job that calls it, without an account.
//!
//! What it does is in its `--help`.

// Both programs that have these modules use a part of them.
#[allow(dead_code)]
mod signing;
#[allow(dead_code, unsafe_code)]
mod stand_in;

use std::ffi::OsString;
use std::fmt::{Display, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{Cursor, ErrorKind, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use lexopt::{Arg, Parser, ValueExt};
use rcgen::KeyPair;
use time::OffsetDateTime;
use zip::ZipArchive;
use zip::result::ZipResult;
use zip::write::{SimpleFileOptions, ZipWriter};

use stand_in::{CA, CA_KEY, Greeting, Request, StandIn, Step, ca_pem, response};

const HELP: &str = "\
A stand-in for CodeArts Check, to try codearts-check-log or a job that calls it.

Usage: stand-in serve [--port PORT] FOLDER
       stand-in list FILE

serve  Serves one task on 127.0.0.1 until it is stopped (Ctrl-C), and prints the
       variables for the shell that makes the calls. PORT: by default, any that
       is free. In FOLDER it leaves:
         ca.pem       the certificate to trust
         ca.key       its key, which the next start uses again
         credentials  an access key
         log          a line for each request
list   Lists the files in a package.
";

const ACCESS_KEY: &str = "STANDINACCESSKEY0001";
const SECRET_KEY: &str = "stand-in-secret-key";
/// Another way to authenticate.
const TOKEN: &str = "stand-in-token";

const TASK_ID: &str = "5c4005220809463fbcb39c02ea0a40d0";
/// Of the task's one execution.
const JOB_ID: &str = "72d4dba817cf44bcab4a1fb0eb34525b";
/// The first is the reference's example of a subtask ID.
const SUB_JOB_IDS: [&str; 2] = [
    "a777ff00d3cf4d369d87066806aexxxx",
    "8854867535de4846b94e77f1946a3198",
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("stand-in: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Describes what failed, and on what.
fn cannot<E: Display>(action: &str, what: impl Display) -> impl FnOnce(E) -> String {
    let what = format!("cannot {action} {what}");
    move |error| format!("{what}: {error}")
}

fn run() -> Result<(), String> {
    let mut port = 0;
    let mut words: Vec<OsString> = Vec::new();
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Long("port") => {
                let value = arguments.value().and_then(|value| value.parse());
                port = value.map_err(|_| "--port takes a number up to 65535")?;
            }
            Arg::Short('h') | Arg::Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Arg::Value(word) => words.push(word),
            option => return Err(format!("{}; see --help", option.unexpected())),
        }
    }
    match &words[..] {
        [command, folder] if command == "serve" => serve(Path::new(folder), port),
        [command, file] if command == "list" => list(Path::new(file)),
        _ => Err("it takes serve and a folder, or list and a file; see --help".to_owned()),
    }
}

fn serve(folder: &Path, port: u16) -> Result<(), String> {
    let make = cannot("make the folder", folder.display());
    fs::create_dir_all(folder).map_err(make)?;
    let folder = folder
        .canonicalize()
        .map_err(cannot("find", folder.display()))?;
    let ca = keep_ca(&folder)?;
    let profile = format!("[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n");
    let credentials = write(folder.join("credentials"), 0o600, &profile)?;
    let log = folder.join("log");
    let log = File::create(&log).map_err(cannot("write", log.display()))?;
    let package = package().map_err(cannot("make", "the package"))?;
    let address = (Ipv4Addr::LOCALHOST, port);
    let server = StandIn::at(address, Greeting::tls(), move |request| {
        let line = request.0.lines().next().unwrap_or_default();
        // In one piece, as calls come at the same time. A log that can't be written shows itself.
        let _ = (&log).write_all(format!("{line}\n").as_bytes());
        vec![Step::Send(answer(request, &package))]
    })
    .map_err(cannot("listen on", format_args!("127.0.0.1:{port}")))?;
    println!(
        "# The stand-in serves until it is stopped (Ctrl-C). For the shell that makes the calls:
export CODEARTS_CHECK_ENDPOINT=https://localhost:{}
export SSL_CERT_FILE={}
export HUAWEICLOUD_SDK_CREDENTIALS_FILE={}
# Its task, and the task's only execution:
export TASK_ID={TASK_ID}
export JOB_ID={JOB_ID}
# One of its subtasks:
export SUB_JOB_ID={}",
        server.address.port(),
        quoted(&ca),
        quoted(&credentials),
        SUB_JOB_IDS[0],
    );
    loop {
        thread::park();
    }
}

/// Writes the certificate of the folder's CA, whose key is made where there is none yet.
fn keep_ca(folder: &Path) -> Result<PathBuf, String> {
    let key = folder.join("ca.key");
    match fs::read_to_string(&key) {
        Ok(pem) => {
            let kept = KeyPair::from_pem(&pem).map_err(cannot("use", key.display()))?;
            *CA_KEY.lock().expect("no panic with the lock held") = Some(kept);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write(key, 0o600, &CA.key().serialize_pem())?;
        }
        Err(error) => return Err(cannot("read", key.display())(error)),
    }
    write(folder.join("ca.pem"), 0o644, &ca_pem())
}

/// Writes a file that has this mode from its beginning.
fn write(path: PathBuf, mode: u32, content: &str) -> Result<PathBuf, String> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(cannot("write", path.display()))?;
    Ok(path)
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Answers as the service does, with the reference's words.
fn answer(request: &Request, package: &[u8]) -> Vec<u8> {
    let target = request.0.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let task = path.strip_prefix("/v3/task/");
    if task.is_none() && path != "/v1/log-file" {
        return refuse(
            "404 Not Found",
            r#"{"error_msg":"The API does not exist or has not been published in the environment",
"error_code":"APIGW.0101","request_id":"stand-in"}"#,
        );
    }
    match request.header("X-Auth-Token") {
        Some(TOKEN) => {}
        Some(_) => {
            return refuse(
                "401 Unauthorized",
                r#"{ "error_code" : "CC.00000003",
"error_msg" : "Authentication information expired." }"#,
            );
        }
        None => {
            if let Err(fault) = signing::check(request, ACCESS_KEY, SECRET_KEY) {
                let words = format!("Incorrect IAM authentication information: {fault}");
                let error = serde_json::json!({"error_code": "APIGW.0301", "error_msg": words});
                return refuse("401 Unauthorized", &error.to_string());
            }
        }
    }
    let (name, id) = query.split_once('=').unwrap_or_default();
    match task {
        None if name == "sub_job_id" && SUB_JOB_IDS.contains(&id) => {
            reply("200 OK", "application/zip", package)
        }
        // Without a query, it is the latest execution.
        Some(TASK_ID) if query.is_empty() || (name, id) == ("job_id", JOB_ID) => {
            reply("200 OK", "application/json", task_details().as_bytes())
        }
        _ => refuse(
            "400 Bad Request",
            "{ \"error_code\" : \"CC.xxxxxxxx.400\", \"error_msg\" : \"Verify request parameter \
             failed. Check whether the request parameters are correct.\" }",
        ),
    }
}

fn refuse(status: &str, error: &str) -> Vec<u8> {
    reply(status, "application/json", error.as_bytes())
}

fn reply(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let headers = [("Date", &*http_date()), ("Content-Type", content_type)];
    response(status, &headers, body)
}

/// The time now, as RFC 9110, section 5.6.7, has it.
fn http_date() -> String {
    let now = OffsetDateTime::now_utc();
    let (weekday, month) = (now.weekday().to_string(), now.month().to_string());
    let (hour, minute, second) = now.to_hms();
    let (day, year) = (now.day(), now.year());
    let (weekday, month) = (&weekday[..3], &month[..3]);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The reference's example of an answer, as far as it counts.
fn task_details() -> String {
    let [one, two] = SUB_JOB_IDS;
    format!(
        r#"{{"httpStatus": "OK", "status": "success", "result": {{"id": "{TASK_ID}", "lastJob": {{
  "id": "{JOB_ID}", "status": "success", "subJobIds": [],
  "startTime": "2025-09-25T08:41:04Z", "finishTime": "2025-09-25T08:43:15Z",
  "process": {{"status": "success", "process": "100%", "subJobIds": ["{one}", "{two}"]}}}}}}}}"#
    )
}

fn package() -> ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("logs/check.log", "build started\nno defects found\n"),
        ("logs/worker.log", "worker 1 idle\n"),
    ] {
        writer.start_file(name, SimpleFileOptions::default())?;
        writer.write_all(content.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

fn list(file: &Path) -> Result<(), String> {
    let content = content(file).map_err(cannot("read", file.display()))?;
    print!("{content}");
    Ok(())
}

/// A line for each of an archive's entries.
fn content(file: &Path) -> ZipResult<String> {
    let mut archive = ZipArchive::new(File::open(file)?)?;
    let mut lines = String::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let _ = writeln!(lines, "{:>8}  {}", entry.size(), entry.name());
    }
    Ok(lines)
}
