//! Whose certificates are trusted: those of a file that the user named, else those of the host's
//! store, else Mozilla's, which are built in. Never two of them together: a certificate that an
//! administrator removes from the store must not be trusted.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, RootCerts};

use crate::report::error::Error;
use crate::report::escape::{TEXT_LIMIT, escape};
use crate::report::named_file::NamedFile;

/// Where distributions keep the certificates that they trust.
const HOST_STORES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, openEuler
    "/etc/ssl/ca-bundle.pem",             // openSUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // what the second is a link to
    "/etc/ssl/cert.pem",                  // Alpine, BSD's LibreSSL
];

/// The largest file, in bytes. The usual bundle of a distribution has 220 kB.
const MAX_LENGTH: u64 = 4 << 20;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// The old label too, and OpenSSL's own, whose certificates rustls can't use.
const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// The certificates to trust, and what a message says of them.
pub struct Trust {
    pub roots: RootCerts,
    store: Store,
    /// What can't be used in the files that were read, worded as the end of a sentence.
    notes: String,
}

enum Store {
    /// A file of the user's, and the number of its certificates.
    Named(NamedFile, usize),
    /// The host's store, and the number of its certificates.
    Host(&'static str, usize),
    BuiltIn,
}

impl Trust {
    /// Reads the file that the user named. Without one, looks for the host's store, which can't
    /// fail.
    pub fn read(named: Option<NamedFile>) -> Result<Self, Error> {
        match named {
            Some(file) => Self::of_file(file),
            None => Ok(Self::of_first(&HOST_STORES)),
        }
    }

    fn of_file(file: NamedFile) -> Result<Self, Error> {
        let found = Found::read(&file.path).and_then(|found| match found.broken {
            Some(fault) => Err(fault),
            None => Ok(found),
        });
        let found = found.map_err(|reason| Error::local("use the CA file", &file, reason))?;
        Ok(Self::new(Store::Named(file, found.roots.len()), found, ""))
    }

    /// The first of these stores that exists and has a usable certificate, else the built-in roots.
    fn of_first(stores: &[&'static str]) -> Self {
        let mut notes = String::new();
        for store in stores.iter().filter(|store| Path::new(store).is_file()) {
            match Found::read(Path::new(store)) {
                Ok(found) => {
                    return Self::new(Store::Host(store, found.roots.len()), found, &notes);
                }
                Err(reason) => notes.extend(["; ", store, " can't be used: ", &reason]),
            }
        }
        Self {
            roots: RootCerts::WebPki,
            store: Store::BuiltIn,
            notes,
        }
    }

    fn new(store: Store, found: Found, notes: &str) -> Self {
        let numbers = found.unusable();
        let skipped = if numbers.is_empty() {
            String::new()
        } else {
            format!(", without those that can't be used: {numbers}")
        };
        Self {
            store,
            roots: found.roots.into(),
            notes: skipped + notes,
        }
    }

    /// What is trusted, and why the issuer of a certificate of `role` may be unknown, the likeliest
    /// cause first.
    pub fn causes(&self, role: &str) -> String {
        let (place, more) = match self.store {
            Store::Named(..) => (
                "that file",
                format!(", or that file has the {role}'s own certificate in place of its CA's"),
            ),
            Store::Host(..) => (
                "the host's store or a file for --cacert",
                ", or the host's store is outdated".to_owned(),
            ),
            Store::BuiltIn => ("a file for --cacert", String::new()),
        };
        let or = if more.is_empty() { " or" } else { "" };
        format!(
            "trust: {self}; likely causes: a company or another private CA issued it (that CA's \
             certificate belongs into {place}),{or} the {role} does not send an intermediate \
             certificate{more}"
        )
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, file): (usize, &dyn fmt::Display) = match &self.store {
            Store::Named(file, count) => (*count, file),
            Store::Host(store, count) => (*count, store),
            Store::BuiltIn => return write!(f, "the built-in roots{}", self.notes),
        };
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} certificate{plural} of {file}{}", self.notes)
    }
}

/// The certificates in a file.
#[derive(Default)]
struct Found {
    roots: Vec<Certificate<'static>>,
    /// The numbers and labels of those that can't be used, at most as many as a message has
    /// characters.
    unusable: Vec<String>,
    /// What is wrong with the first one that is damaged.
    broken: Option<String>,
}

impl Found {
    /// Reads a file. The error says why it has no certificate to trust.
    fn read(path: &Path) -> Result<Self, String> {
        let content = read(path).map_err(|e| e.to_string())?;
        let found = Self::parse(&content);
        let numbers = found.unusable();
        match found {
            found if !found.roots.is_empty() => Ok(found),
            Self {
                broken: Some(fault),
                ..
            } => Err(fault),
            _ if numbers.is_empty() => Err(kind_of(&content).to_owned()),
            _ => Err(format!("no certificate in it can be used: {numbers}")),
        }
    }

    /// Parses each certificate, wherever its first line begins. Anything else, such as a key, is
    /// ignored.
    fn parse(content: &[u8]) -> Self {
        let mut found = Self::default();
        let (mut der, mut number) = (Vec::new(), 0);
        let mut rest = content;
        while let Some((label, at, body)) = next_section(content, rest) {
            number += 1;
            der.clear();
            let end = decode(body, &mut der);
            rest = end.unwrap_or(body);
            let fault = match end {
                None => Some("is not base64"),
                Some(end) if !is_end(end, label) => Some("is cut short: its last line is missing"),
                Some(_) if is_cut(&der) => Some("is cut short"),
                Some(_) => None,
            };
            if fault.is_none() && is_anchor(&der) {
                found.roots.push(Certificate::from_der(&der).to_owned());
                continue;
            }
            if found.unusable.len() < TEXT_LIMIT {
                found.unusable.push(format!("{number} ({label})"));
            }
            if let (Some(fault), None) = (fault, &found.broken) {
                let line = content[..at].split(|byte| *byte == b'\n').count();
                found.broken = Some(format!("certificate {number}, in line {line}, {fault}"));
            }
        }
        found
    }

    fn unusable(&self) -> String {
        escape(&self.unusable.join(", "), TEXT_LIMIT)
    }
}

/// Reads a file of at most [`MAX_LENGTH`] bytes.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // Otherwise the vector would grow to twice the length.
    let length = file.metadata()?.len().min(MAX_LENGTH);
    let mut content = Vec::with_capacity(length as usize + 1);
    file.take(MAX_LENGTH + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_LENGTH {
        let reason = format!("it is larger than {MAX_LENGTH} bytes");
        return Err(io::Error::other(reason));
    }
    Ok(content)
}

/// The next certificate in `rest`, the end of `content`: its label, where its first line begins,
/// and what follows that line.
fn next_section<'a>(
    content: &'a [u8],
    mut rest: &'a [u8],
) -> Option<(&'static str, usize, &'a [u8])> {
    loop {
        let begin = rest.windows(BEGIN.len()).position(|text| text == BEGIN)?;
        let at = content.len() - rest.len() + begin;
        rest = &rest[begin + BEGIN.len()..];
        let after = |label: &str| rest.strip_prefix(label.as_bytes())?.strip_prefix(DASHES);
        if let Some(found) = LABELS
            .into_iter()
            .find_map(|label| Some((label, after(label)?)))
        {
            return Some((found.0, at, found.1));
        }
    }
}

/// Whether this is the last line of a certificate, and what follows it.
fn is_end(text: &[u8], label: &str) -> bool {
    let rest = text.strip_prefix(END);
    let rest = rest.and_then(|rest| rest.strip_prefix(label.as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(DASHES))
}

/// What [`DIGITS`] has for a character that is no digit of base64.
const OTHER: u8 = 64;

/// The value of each digit of base64 (RFC 4648, section 4).
const DIGITS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [OTHER; 256];
    let mut value = 0;
    while value < OTHER {
        digits[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Decodes base64, with white space anywhere and with or without padding, up to a hyphen, and
/// returns the rest; `None` if it is not base64.
fn decode<'a>(text: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    let (mut bits, mut digits, mut padding) = (0, 0, 0);
    loop {
        if digits == 0 && padding == 0 {
            rest = decode_whole(rest, bytes);
        }
        match rest {
            [] | [b'-', ..] => break,
            [b'=', ..] => padding += 1,
            [byte, ..] if byte.is_ascii_whitespace() => {}
            [byte, ..] => match DIGITS[usize::from(*byte)] {
                OTHER => return None,
                _ if padding > 0 => return None,
                digit => {
                    bits = bits << 6 | u32::from(digit);
                    digits += 1;
                }
            },
        }
        rest = &rest[1..];
        if digits == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, digits) = (0, 0);
        }
    }
    let last = (bits << (6 * (4 - digits))).to_be_bytes();
    match (digits, padding) {
        (0, 0) => {}
        (2, 0 | 2) => bytes.push(last[1]),
        (3, 0 | 1) => bytes.extend_from_slice(&last[1..3]),
        _ => return None,
    }
    Some(rest)
}

/// Decodes groups of four digits until anything else comes. Nearly all of a file is read here, so
/// this is the loop that must be fast.
fn decode_whole<'a>(mut text: &'a [u8], bytes: &mut Vec<u8>) -> &'a [u8] {
    while let [a, b, c, d, rest @ ..] = text {
        let [a, b, c, d] = [a, b, c, d].map(|digit| u32::from(DIGITS[usize::from(*digit)]));
        if (a | b | c | d) >= u32::from(OTHER) {
            break;
        }
        let bits = a << 18 | b << 12 | c << 6 | d;
        bytes.push((bits >> 16) as u8);
        bytes.push((bits >> 8) as u8);
        bytes.push(bits as u8);
        text = rest;
    }
    text
}

/// Whether rustls can use the certificate.
fn is_anchor(der: &[u8]) -> bool {
    let der = CertificateDer::from(der);
    RootCertStore::empty().add(der).is_ok()
}

/// Whether bytes are missing at the certificate's end, by the length at its beginning (a DER
/// SEQUENCE with a length of two bytes, X.690, section 8.1.3.5).
fn is_cut(der: &[u8]) -> bool {
    matches!(*der, [0x30, 0x82, high, low, ..]
        if der.len() < 4 + usize::from(u16::from_be_bytes([high, low])))
}

/// What a file without a certificate in PEM is instead.
fn kind_of(content: &[u8]) -> &'static str {
    const PKCS7: &[u8] = b"-----BEGIN PKCS7-----";
    match content {
        [0x30, 0x80..=0x84, ..] => "it is DER, not PEM",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'-', 0, ..] | [0, b'-', ..] => {
            "it is UTF-16, not ASCII or UTF-8"
        }
        _ if content.windows(PKCS7.len()).any(|text| text == PKCS7) => "it is PKCS #7",
        _ => "it holds no certificate",
    }
}

#[cfg(test)]
mod tests {
    use ureq::tls::RootCerts;

    use super::{Trust, decode};

    #[test]
    fn without_a_store_the_built_in_roots_count() {
        let trust = Trust::of_first(&["/nowhere/ca.pem", "/etc", "/dev/null"]);
        assert!(matches!(trust.roots, RootCerts::WebPki));
        assert_eq!(trust.to_string(), "the built-in roots");
    }

    #[test]
    fn base64_is_decoded_up_to_a_hyphen() {
        for (text, decoded) in [
            ("", Some("")),
            ("Zm9v\r\nYmFy-", Some("foobar")),
            ("Z m9v\tYg==\n---", Some("foob")),
            ("Zm9vYg", Some("foob")),
            ("Zm9vYmE=", Some("fooba")),
            ("Zm9vYmE", Some("fooba")),
            ("Z", None),
            ("Zm9vY", None),
            ("Zm9vYg=", None),
            ("Zm9vYg===", None),
            ("Zm9v=", None),
            ("Zg==Zg==", None),
            ("Zm9v*", None),
            ("Zm9v_", None),
        ] {
            let mut bytes = Vec::new();
            let rest = decode(text.as_bytes(), &mut bytes);
            let bytes = rest.map(|_| String::from_utf8(bytes).unwrap());
            assert_eq!(bytes.as_deref(), decoded, "{text}");
        }
    }
}
