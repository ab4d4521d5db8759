//! The body of a 200: streamed to the file, then verified.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::api::json;
use crate::body::archive::{self, Rejection};
use crate::body::output::{Output, Partial};
use crate::body::unexpected::recognize;
use crate::http::response::Body;
use crate::report::console::Console;
use crate::report::error::Error;
use crate::report::progress::Progress;

/// How many bytes are written at a time. ureq returns one TLS record, 16 KiB, and fewer, larger
/// writes are faster.
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
    let checked = archive::check(&mut partial.file);
    let fault = match checked {
        Ok(()) => return Ok(()),
        Err(Rejection::Unreadable(e)) => return Err(partial.output.failed("read back", &e)),
        Err(Rejection::Incomplete(fault)) => fault,
    };
    let beginning =
        read_beginning(&mut partial.file).map_err(|e| partial.output.failed("read back", &e))?;
    Err(recognize(body, &beginning).unwrap_or_else(|| {
        body.unexpected(&if beginning.starts_with(b"PK\x03\x04") {
            format!("it is a ZIP archive cut short or damaged: {fault}")
        } else {
            format!("it is not a ZIP archive: {fault}")
        })
    }))
}

/// Whether the existing file can be kept: if `verified`, only a complete ZIP archive; else any
/// file. It and its folder are synced: the run that saved it may have failed to do so.
pub fn is_there(output: &Output, verified: bool, console: Console) -> Result<bool, Error> {
    let Some(mut file) = output.open_old()? else {
        return Ok(false);
    };
    match verified.then(|| archive::check(&mut file)) {
        None | Some(Ok(())) => {}
        Some(Err(Rejection::Unreadable(e))) => return Err(output.failed("read", &e)),
        Some(Err(Rejection::Incomplete(fault))) => {
            let why = format!("is not a complete ZIP archive ({fault})");
            console.detail(|| format!("{} {why}: downloading it again", output.display()));
            return Ok(false);
        }
    }
    let synced = output.sync(&file, "file", console);
    synced.map_err(|e| output.failed("sync", &e))?;
    output.sync_folder(&format!("{} is there", output.display()), console)?;
    Ok(true)
}

fn read_beginning(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(json::LARGEST).read_to_end(&mut beginning)?;
    Ok(beginning)
}
