//! Log packages to serve, good and bad.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use zip::write::{SimpleFileOptions, ZipWriter};

use crate::stand_in::{Step, response};

/// A small package, of two compressed logs.
pub static PACKAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    zip(&[
        ("logs/check.log", b"build started\nno defects found\n"),
        ("logs/worker.log", b"worker 1 idle\n"),
    ])
});

/// What is at the output path before a run, where something is.
pub const OLD: &[u8] = b"the package of yesterday";

/// A 200 with this body and its length.
pub fn ok(body: &[u8]) -> Vec<Step> {
    vec![Step::Send(response("200 OK", &[], body))]
}

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

/// Archives that real tools made: its README says how.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages")
}

/// The archive of that name in `tests/packages`.
pub fn made_by(tool: &str) -> Vec<u8> {
    fs::read(folder().join(tool)).expect("a package in tests/packages")
}

/// All archives in `tests/packages`, or in a folder of it, with their names.
pub fn of_real_tools(below: &str) -> Vec<(String, Vec<u8>)> {
    let packages: Vec<_> = fs::read_dir(folder().join(below))
        .expect("a folder in tests/packages")
        .map(|entry| Path::new(below).join(entry.expect("a folder's entry").file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .map(|path| path.display().to_string())
        .map(|name| (name.clone(), made_by(&name)))
        .collect();
    assert!(!packages.is_empty(), "no packages in {below:?}");
    packages
}

#[test]
fn the_readme_of_the_packages_has_a_row_for_each_and_for_nothing_else() {
    let readme = fs::read_to_string(folder().join("README.md")).expect("the README");
    let mut rows: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    rows.sort();
    let packages = [of_real_tools(""), of_real_tools("refused")].concat();
    let mut files: Vec<_> = packages.into_iter().map(|(name, _)| name).collect();
    files.sort();
    assert_eq!(rows, files);
}

/// The archive with other bytes from `at`.
pub fn patch(archive: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut patched = archive.to_vec();
    patched[at..at + bytes.len()].copy_from_slice(bytes);
    patched
}
