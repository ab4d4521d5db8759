//! The file with the certificates to trust (PEM).

use std::fs::File;
use std::io::Read;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts};

use crate::report::error::Error;
use crate::report::escape::{TEXT_LIMIT, escape};
use crate::report::named_file::NamedFile;

/// The largest file, in bytes. The usual bundle of a distribution has 220 kB.
const MAX_LENGTH: u64 = 4 << 20;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// The old label too, and OpenSSL's own, whose certificates rustls can't use.
const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// Reads the certificates to trust, and says which ones of the file can't be used, if any.
pub fn read(file: &NamedFile) -> Result<(RootCerts, Option<String>), Error> {
    let failed = |reason: String| Error::local("use the CA file", file, reason);
    let mut content = Vec::new();
    File::open(&file.path)
        .and_then(|file| file.take(MAX_LENGTH + 1).read_to_end(&mut content))
        .map_err(|e| failed(e.to_string()))?;
    if content.len() as u64 > MAX_LENGTH {
        return Err(failed(format!("it is larger than {MAX_LENGTH} bytes")));
    }
    let text = String::from_utf8_lossy(&content);
    let (trusted, skipped) = parse(&text).map_err(failed)?;
    if trusted.is_empty() && skipped.is_empty() {
        return Err(failed(describe(&content, &text).to_owned()));
    }
    let numbers = escape(&skipped.join(", "), TEXT_LIMIT);
    if trusted.is_empty() {
        let reason = format!("no certificate in it can be used: {numbers}");
        return Err(failed(reason));
    }
    let skipped = format!("in {file}, these certificates can't be used: {numbers}");
    let skipped = Some(skipped).filter(|_| !numbers.is_empty());
    Ok((RootCerts::from(trusted), skipped))
}

/// Parses each certificate, wherever its first line begins, into those to trust and the numbers of those
/// that rustls can't use. Anything else in the file, such as a key, is ignored.
fn parse(text: &str) -> Result<(Vec<Certificate<'static>>, Vec<String>), String> {
    let (mut trusted, mut skipped) = (Vec::new(), Vec::new());
    for (at, _) in text.match_indices(BEGIN) {
        let (label, body) = text[at + BEGIN.len()..]
            .split_once(DASHES)
            .unwrap_or_default();
        if !LABELS.contains(&label) {
            continue;
        }
        let number = 1 + trusted.len() + skipped.len();
        let fault = |fault: &str| {
            let line = 1 + text[..at].matches('\n').count();
            format!("certificate {number}, in line {line}, {fault}")
        };
        let (body, end) = body.split_at(body.find(DASHES).unwrap_or(body.len()));
        if !end.starts_with(&format!("-----END {label}-----")) {
            return Err(fault("is cut short: its last line is missing"));
        }
        let section = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let der = CertificateDer::from_pem_slice(section.as_bytes())
            .map_err(|_| fault("is not base64"))?;
        if is_cut(&der) {
            return Err(fault("is cut short"));
        }
        match RootCertStore::empty().add(der.clone()) {
            Ok(()) => trusted.push(Certificate::from_der(&der).to_owned()),
            Err(_) => skipped.push(format!("{number} ({label})")),
        }
    }
    Ok((trusted, skipped))
}

/// Whether bytes are missing at the certificate's end, by the length at its beginning (a DER SEQUENCE
/// with a length of two bytes, X.690, section 8.1.3.5).
fn is_cut(der: &[u8]) -> bool {
    matches!(*der, [0x30, 0x82, high, low, ..]
        if der.len() < 4 + usize::from(u16::from_be_bytes([high, low])))
}

/// What a file is that has no certificate in PEM.
fn describe(content: &[u8], text: &str) -> &'static str {
    match content {
        [0x30, 0x80..=0x84, ..] => "it is DER, not PEM",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'-', 0, ..] | [0, b'-', ..] => {
            "it is UTF-16, not ASCII or UTF-8"
        }
        _ if text.contains("-----BEGIN PKCS7-----") => "it is PKCS #7",
        _ => "it holds no certificate",
    }
}
