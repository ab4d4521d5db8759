//! Feeds arbitrary bytes to the check of an archive. It must not panic, read beyond the end of the
//! file, or take long.

#![no_main]

#[path = "../../src/body/archive.rs"]
mod archive;

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;

use archive::{Rejection, check};

fuzz_target!(|bytes: &[u8]| {
    if let Err(Rejection::Unreadable(error)) = check(&mut Cursor::new(bytes)) {
        panic!("a read beyond the end of the file: {error}");
    }
});
