//! Log packages to serve, good and bad.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::LazyLock;

use zip::write::{SimpleFileOptions, ZipWriter};

/// A small package, of two compressed logs.
pub static PACKAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    zip(&[
        ("logs/check.log", b"build started\nno defects found\n"),
        ("logs/worker.log", b"worker 1 idle\n"),
    ])
});

/// What is at the output path before a run, where something is.
pub const OLD: &[u8] = b"the package of yesterday";

/// A ZIP archive of compressed entries.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .and_then(|()| Ok(writer.write_all(content)?))
            .expect("write a ZIP archive");
    }
    writer.finish().expect("write a ZIP archive").into_inner()
}

/// A ZIP archive of one entry that is stored as it is.
pub fn stored(name: &str, content: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer
        .start_file(name, options)
        .and_then(|()| Ok(writer.write_all(content)?))
        .expect("write a ZIP archive");
    writer.finish().expect("write a ZIP archive").into_inner()
}

/// Bytes that don't repeat and don't compress: a linear congruential generator's upper half.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(length + 4);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_be_bytes()[..4]);
    }
    bytes.truncate(length);
    bytes
}

/// An archive that a real tool made: see `tests/packages`.
pub fn made_by(tool: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages");
    fs::read(folder.join(tool)).expect("a package in tests/packages")
}

/// The archive with other bytes from `at`.
pub fn patch(archive: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut patched = archive.to_vec();
    patched[at..at + bytes.len()].copy_from_slice(bytes);
    patched
}
