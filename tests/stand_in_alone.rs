//! The stand-in by itself, to try the program, or a job that calls it, without an account.
//!
//! `stand-in serve FOLDER` writes the certificate to trust (`ca.pem`) and an access key
//! (`credentials`) into the folder, listens on a free port of loopback, prints its endpoint and the ID
//! of its one task, and serves until it is killed; each request is a line in the folder's `log`. `stand-in list FILE`
//! lists a package's content.

// Both programs that have these modules use a part of them.
#[allow(dead_code)]
mod signing;
#[allow(dead_code, unsafe_code)]
mod stand_in;

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;

use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use stand_in::{Greeting, Request, StandIn, Step, ca_pem, response};

const ACCESS_KEY: &str = "STANDINACCESSKEY0001";
const SECRET_KEY: &str = "stand-in-secret-key";
/// Another way to authenticate.
const TOKEN: &str = "stand-in-token";

const TASK_ID: &str = "5c4005220809463fbcb39c02ea0a40d0";
/// The first is the reference's example of a subtask ID.
const SUB_JOB_IDS: [&str; 2] = [
    "a777ff00d3cf4d369d87066806aexxxx",
    "8854867535de4846b94e77f1946a3198",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder] => serve(Path::new(folder)),
        ["list", file] => list(file),
        _ => Err("usage: stand-in serve FOLDER | stand-in list FILE".into()),
    }
}

fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::write(folder.join("ca.pem"), ca_pem())?;
    let mut credentials = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join("credentials"))?;
    writeln!(credentials, "[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}")?;
    let log = File::create(folder.join("log"))?;
    let package = package()?;
    let server = StandIn::start(Greeting::tls(), move |request| {
        let line = request.0.lines().next().unwrap_or_default();
        // A log that can't be written shows by itself.
        let _ = writeln!(&log, "{line}");
        vec![Step::Send(answer(request, &package))]
    });
    println!("https://localhost:{} {TASK_ID}", server.address.port());
    loop {
        thread::park();
    }
}

/// Answers as the service does, with the reference's words.
fn answer(request: &Request, package: &[u8]) -> Vec<u8> {
    let refuse = |status, body: &str| {
        let json = [("Content-Type", "application/json")];
        response(status, &json, body.as_bytes())
    };
    let target = request.0.split(' ').nth(1).unwrap_or_default();
    let id = target.strip_prefix("/v1/log-file?sub_job_id=");
    let task = target.strip_prefix("/v3/task/");
    if id.or(task).is_none() {
        return refuse(
            "404 Not Found",
            r#"{"error_msg":"The API does not exist or has not been published in the environment","error_code":"APIGW.0101","request_id":"stand-in"}"#,
        );
    }
    match request.header("X-Auth-Token") {
        Some(TOKEN) => {}
        Some(_) => {
            return refuse(
                "401 Unauthorized",
                r#"{ "error_code" : "CC.00000003", "error_msg" : "Authentication information expired." }"#,
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
    if id.is_some_and(|id| SUB_JOB_IDS.contains(&id)) {
        response("200 OK", &[("Content-Type", "application/zip")], package)
    } else if task == Some(TASK_ID) {
        let json = [("Content-Type", "application/json")];
        response("200 OK", &json, task_details().as_bytes())
    } else {
        refuse(
            "400 Bad Request",
            r#"{ "error_code" : "CC.xxxxxxxx.400", "error_msg" : "Verify request parameter failed. Check whether the request parameters are correct." }"#,
        )
    }
}

/// The reference's example of an answer, as far as it counts.
fn task_details() -> String {
    let [one, two] = SUB_JOB_IDS;
    format!(
        r#"{{"httpStatus": "OK", "status": "success", "result": {{"id": "{TASK_ID}", "lastJob": {{
  "id": "72d4dba817cf44bcab4a1fb0eb34525b", "status": "success", "startTime": "2025-09-25T08:41:04Z", "finishTime": "2025-09-25T08:43:15Z", "subJobIds": [],
  "process": {{"status": "success", "process": "100%", "subJobIds": ["{one}", "{two}"]}}}}}}}}"#
    )
}

fn package() -> Result<Vec<u8>, Box<dyn Error>> {
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

fn list(file: &str) -> Result<(), Box<dyn Error>> {
    let mut archive = ZipArchive::new(File::open(file)?)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        println!("{:>8}  {}", entry.size(), entry.name());
    }
    Ok(())
}
