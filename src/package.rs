//! The body of a 200 on its way to the file: saved as it comes, and then judged.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::archive::{self, Fault};
use crate::error::{Error, SHORT};
use crate::error_body::{ErrorBody, MAX_ERROR_BODY, without_byte_order_mark};
use crate::output::Partial;
use crate::progress::Progress;
use crate::response::Body;

/// How many bytes go to the disk at a time. ureq hands out one TLS record, 16 KiB, and fewer,
/// larger writes are faster.
const COPY_BUFFER: usize = 256 << 10;

/// Copies the body to the partial file, and returns its length in bytes.
pub fn save(body: &mut Body, partial: &mut Partial, mut progress: Progress) -> Result<u64, Error> {
    let mut buffer = vec![0; COPY_BUFFER];
    let mut length = 0;
    loop {
        let mut filled = 0;
        let mut at_end = false;
        while filled < buffer.len() && !at_end {
            let read = body.read(&mut buffer[filled..])?;
            progress.add(read);
            filled += read;
            at_end = read == 0;
        }
        partial.write(&buffer[..filled])?;
        length += filled as u64;
        if at_end {
            return Ok(length);
        }
    }
}

/// Checks that what was saved is a complete ZIP archive; if it is not, says what it looks like.
pub fn verify(body: &Body, partial: &mut Partial) -> Result<(), Error> {
    let checked = archive::check(partial.file());
    let fault = match checked {
        Ok(()) => return Ok(()),
        Err(Fault::Unreadable(e)) => return Err(partial.unreadable(&e)),
        Err(Fault::Incomplete(fault)) => fault,
    };
    let beginning = read_beginning(partial.file()).map_err(|e| partial.unreadable(&e))?;
    Err(not_asked_for(body, &beginning).unwrap_or_else(|| {
        body.wrong(if beginning.starts_with(b"PK\x03\x04") {
            format!("it is a ZIP archive cut short or damaged: {fault}")
        } else {
            format!("it is something else: {fault}")
        })
    }))
}

fn read_beginning(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_ERROR_BODY).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// The error for a body that is not what was asked for, if its beginning tells what it is instead.
pub fn not_asked_for(body: &Body, beginning: &[u8]) -> Option<Error> {
    if beginning.is_empty() {
        return Some(body.wrong("it is empty".to_owned()));
    }
    if beginning.starts_with(b"\x1f\x8b") {
        return Some(body.wrong("it is gzip data".to_owned()));
    }
    if let Some(error) = ErrorBody::parse_json(beginning) {
        let error = body.quote(&error.to_string());
        return Some(body.wrong(format!("it is an error in JSON: {error}")));
    }
    let text = without_byte_order_mark(beginning).trim_ascii_start();
    match text.first() {
        Some(b'<') => Some(body.page(match title(&String::from_utf8_lossy(text)) {
            Some(title) => format!("it is a page titled \"{:.SHORT$}\"", body.quote(&title)),
            None => "it is HTML or XML".to_owned(),
        })),
        Some(b'{' | b'[') => Some(body.wrong("it is JSON".to_owned())),
        _ => None,
    }
}

/// The title of an HTML page, on one line.
fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let words: Vec<&str> = page[start..end].split_whitespace().collect();
    Some(words.join(" ")).filter(|title| !title.is_empty())
}
