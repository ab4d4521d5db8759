//! The stand-in by itself, to try the program, or a cron job that calls it, without an account.
//!
//! `stand-in serve CA_FILE` writes the certificate to trust to `CA_FILE`, listens on a free port
//! of loopback, prints the environment that leads the program to it (but for `SSL_CERT_FILE`), and
//! serves until it is killed. `stand-in list FILE` lists a package's content.

// Both programs that have this module use a part of it.
#[allow(dead_code, unsafe_code)]
mod stand_in;

use std::error::Error;
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::thread;

use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use stand_in::{Greeting, Request, StandIn, Step, ca_pem, response};

const TOKEN: &str = "stand-in-token";
/// The reference's example of a subtask ID.
const SUB_JOB_ID: &str = "a777ff00d3cf4d369d87066806aexxxx";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", ca_file] => serve(ca_file),
        ["list", file] => list(file),
        _ => Err("usage: stand-in serve CA_FILE | stand-in list FILE".into()),
    }
}

fn serve(ca_file: &str) -> Result<(), Box<dyn Error>> {
    fs::write(ca_file, ca_pem())?;
    let package = package()?;
    let answer = move |request: &Request| vec![Step::Send(answer(request, &package))];
    let server = StandIn::start(Greeting::tls(), answer);
    println!(
        "CODEARTS_CHECK_ENDPOINT=https://localhost:{} HUAWEICLOUD_TOKEN={TOKEN} \
         SUB_JOB_ID={SUB_JOB_ID}",
        server.address.port()
    );
    loop {
        thread::park();
    }
}

/// Answers as the service does, with the reference's words.
fn answer(request: &Request, package: &[u8]) -> Vec<u8> {
    let json = [("Content-Type", "application/json")];
    let line = request.0.lines().next().unwrap_or_default();
    let Some(id) = line.strip_prefix("GET /v1/log-file?sub_job_id=") else {
        return response(
            "404 Not Found",
            &json,
            br#"{"error_msg":"The API does not exist or has not been published in the environment","error_code":"APIGW.0101","request_id":"stand-in"}"#,
        );
    };
    if request.header("X-Auth-Token") != Some(TOKEN) {
        return response(
            "401 Unauthorized",
            &json,
            br#"{ "error_code" : "CC.00000003", "error_msg" : "Authentication information expired." }"#,
        );
    }
    if id.strip_suffix(" HTTP/1.1") != Some(SUB_JOB_ID) {
        return response(
            "400 Bad Request",
            &json,
            br#"{ "error_code" : "CC.xxxxxxxx.400", "error_msg" : "Verify request parameter failed. Check whether the request parameters are correct." }"#,
        );
    }
    response("200 OK", &[("Content-Type", "application/zip")], package)
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
