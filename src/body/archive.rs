//! Is this ZIP archive whole?
//!
//! HTTP can't always tell a complete body from one cut short: a body that ends with the connection
//! looks the same either way. A ZIP archive can: its directory is at its end, and must end where
//! the end records begin, so no byte is missing or added before it. What the directory says of its
//! entries, and the entries themselves, are for `unzip -t`.
//!
//! Sections are those of PKWARE's APPNOTE.TXT 6.3.10. Numbers are little-endian (4.1.8).

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// End of central directory record (4.3.16), without its comment.
const END: Record = Record::new(0x0605_4b50, 22);
/// Zip64 end of central directory locator (4.3.15).
const END64_LOCATOR: Record = Record::new(0x0706_4b50, 20);
/// Zip64 end of central directory record (4.3.14), without its extensible data.
const END64: Record = Record::new(0x0606_4b50, 56);
/// Central directory file header (4.3.12), without name, extra field and comment.
const ENTRY: Record = Record::new(0x0201_4b50, 46);

/// The markers that a record without ZIP64 has in place of a number that does not fit (4.4.1.4).
const IN_ZIP64_16: u64 = 0xffff;
const IN_ZIP64_32: u64 = 0xffff_ffff;

/// Ten times the version that can read encrypted directories (4.4.3.2). More data follows their end
/// record (7.3.4).
const ENCRYPTION_VERSION: u64 = 62;

/// The longest comment of an archive, in bytes (its length has 16 bits).
const MAX_COMMENT: u64 = 0xffff;

/// The most zero bytes that may follow the comment: bsdtar pads what it writes to standard output
/// to whole blocks of this length.
const MAX_PADDING: u64 = 10_240;

/// How much of the directory is read at a time, in bytes.
const READ_BUFFER: u64 = 256 << 10;

/// A record's first four bytes, and the length in bytes of the part that is always there.
struct Record {
    signature: u64,
    length: u64,
}

impl Record {
    const fn new(signature: u64, length: u64) -> Self {
        Self { signature, length }
    }
}

/// Why an archive can't be accepted.
#[derive(Debug)]
pub enum Rejection {
    /// It is not whole, or no ZIP archive: the text says what is missing or does not fit.
    Incomplete(&'static str),
    /// It could not be read.
    Unreadable(io::Error),
}

use Rejection::{Incomplete, Unreadable};

const NOT_AT_END: Rejection = Incomplete("its directory does not end where its end record begins");
const CUT_SHORT: Rejection = Incomplete("one of its records is cut short");
const DAMAGED: Rejection = Incomplete("its directory is damaged");
const WRONG_COUNT: Rejection =
    Incomplete("its directory does not have as many entries as its end record says");
const NO_END64: Rejection = Incomplete("its ZIP64 end record is not where its locator says");
const CONTRADICTION: Rejection = Incomplete("its two end records contradict each other");
const MORE_BEHIND: Rejection = Incomplete("something follows its end record");
const SPLIT: Rejection = Incomplete("it is one part of a split archive");
const ENCRYPTED: Rejection = Incomplete("its directory is encrypted");
const NO_END: Rejection = Incomplete("it has no end record");

/// Checks that `file` is one complete ZIP archive, from its first byte to its last: an end record
/// that only its comment and padding follow, and a central directory that ends where the end
/// records begin and has just the entries that they count. The time is proportional to the
/// directory's length. The memory is that of the end record with the longest comment and padding,
/// and then that of `READ_BUFFER`.
pub fn check(file: &mut (impl Read + Seek)) -> Result<(), Rejection> {
    let directory = find_directory(file)?;
    if count_entries(file, &directory)? & directory.count_mask != directory.entries {
        return Err(WRONG_COUNT);
    }
    Ok(())
}

/// The central directory's place, and the number of entries that it should have.
struct Directory {
    start: u64,
    end: u64,
    entries: u64,
    /// Mask for comparing the count: 16 bits without ZIP64.
    count_mask: u64,
}

/// Finds the end record and, through it, the directory. The record's signature may also be in its
/// own comment, so the last one that fits counts: one that only a comment and padding follow, and
/// whose directory ends where it begins. If none fits, the last one's fault is reported: earlier
/// signatures may belong to nested archives.
fn find_directory(file: &mut (impl Read + Seek)) -> Result<Directory, Rejection> {
    let size = file.seek(SeekFrom::End(0)).map_err(Unreadable)?;
    let tail_start = size.saturating_sub(END.length + MAX_COMMENT + MAX_PADDING);
    let tail = read_at(file, tail_start, size - tail_start)?;
    let mut fault = None;
    for at in (0..tail.len()).rev() {
        let mut end = RecordReader(&tail[at..]);
        if end.expect(&END).is_err() {
            continue;
        }
        match parse_end(file, end, tail_start + at as u64) {
            Err(Incomplete(what)) => fault = fault.or(Some(Incomplete(what))),
            found => return found,
        }
    }
    Err(fault.unwrap_or(NO_END))
}

/// Parses the end record at `at`, where `end` is the rest of the file after its signature. If the
/// directory does not end at `at`, parses the ZIP64 records before it too.
fn parse_end(
    file: &mut (impl Read + Seek),
    mut end: RecordReader<'_>,
    at: u64,
) -> Result<Directory, Rejection> {
    let short = EndRecord {
        disks: [end.u16()?, end.u16()?],
        entries_here: end.u16()?,
        entries: end.u16()?,
        length: end.u32()?,
        start: end.u32()?,
    };
    let comment = end.u16()?;
    end.skip(comment)?;
    if end.0.len() as u64 > MAX_PADDING || end.0.iter().any(|byte| *byte != 0) {
        return Err(MORE_BEHIND);
    }
    if short.start + short.length == at {
        // All readers accept what old Java writes: no ZIP64, and a count modulo 65,536.
        return short.directory(u16::MAX.into());
    }
    let (long, end64_at) = parse_end64(file, at)?;
    if !short.agrees_with(&long) {
        return Err(CONTRADICTION);
    }
    if long.start.checked_add(long.length) != Some(end64_at) {
        return Err(NOT_AT_END);
    }
    long.directory(u64::MAX)
}

/// Parses the ZIP64 end record whose locator ends at `end`, and returns its place with it.
fn parse_end64(file: &mut (impl Read + Seek), end: u64) -> Result<(EndRecord, u64), Rejection> {
    let locator_at = end.checked_sub(END64_LOCATOR.length).ok_or(NOT_AT_END)?;
    let locator = read_at(file, locator_at, END64_LOCATOR.length)?;
    let mut locator = RecordReader(&locator);
    locator.expect(&END64_LOCATOR).map_err(|_| NOT_AT_END)?;
    let (disk, end64_at, disks) = (locator.u32()?, locator.u64()?, locator.u32()?);
    if disk != 0 || disks > 1 {
        return Err(SPLIT);
    }
    let room = locator_at.checked_sub(end64_at).ok_or(NO_END64)?;
    let end64 = read_at(file, end64_at, END64.length.min(room))?;
    let mut end64 = RecordReader(&end64);
    end64.expect(&END64).map_err(|_| NO_END64)?;
    // The record's length leaves out its own eight bytes and the signature.
    if end64.u64()?.checked_add(12) != Some(room) {
        return Err(NO_END64);
    }
    end64.skip(2)?; // version made by
    let version_needed = end64.u16()? & 0xff;
    if version_needed >= ENCRYPTION_VERSION && room > END64.length {
        return Err(ENCRYPTED);
    }
    let record = EndRecord {
        disks: [end64.u32()?, end64.u32()?],
        entries_here: end64.u64()?,
        entries: end64.u64()?,
        length: end64.u64()?,
        start: end64.u64()?,
    };
    Ok((record, end64_at))
}

/// An end record, of either kind.
struct EndRecord {
    disks: [u64; 2],
    entries_here: u64,
    entries: u64,
    length: u64,
    start: u64,
}

impl EndRecord {
    /// The directory. Its end must be known to be in the file.
    fn directory(&self, count_mask: u64) -> Result<Directory, Rejection> {
        if self.disks != [0, 0] || self.entries_here != self.entries {
            return Err(SPLIT);
        }
        Ok(Directory {
            start: self.start,
            end: self.start + self.length,
            entries: self.entries,
            count_mask,
        })
    }

    /// Whether each number equals the ZIP64 one or is the ZIP64 marker.
    fn agrees_with(&self, long: &EndRecord) -> bool {
        let agree = |short: u64, long: u64, elsewhere: u64| short == long || short == elsewhere;
        agree(self.disks[0], long.disks[0], IN_ZIP64_16)
            && agree(self.disks[1], long.disks[1], IN_ZIP64_16)
            && agree(self.entries_here, long.entries_here, IN_ZIP64_16)
            && agree(self.entries, long.entries, IN_ZIP64_16)
            && agree(self.length, long.length, IN_ZIP64_32)
            && agree(self.start, long.start, IN_ZIP64_32)
    }
}

/// Goes through the directory from entry to entry, and counts them. Checks only an entry's
/// signature, lengths and disk number: the rest can be wrong without a byte missing.
fn count_entries(file: &mut (impl Read + Seek), directory: &Directory) -> Result<u64, Rejection> {
    let start = SeekFrom::Start(directory.start);
    file.seek(start).map_err(Unreadable)?;
    let mut left = directory.end - directory.start;
    let mut file = BufReader::with_capacity(left.min(READ_BUFFER) as usize, file);
    let mut entries = 0;
    while left > 0 {
        left = left.checked_sub(ENTRY.length).ok_or(DAMAGED)?;
        let mut entry = [0; ENTRY.length as usize];
        file.read_exact(&mut entry).map_err(Unreadable)?;
        let mut entry = RecordReader(&entry);
        entry.expect(&ENTRY)?;
        entry.skip(24)?; // versions, flags, method, time, date, checksum, sizes
        let variable = entry.u16()? + entry.u16()? + entry.u16()?; // name, extra field, comment
        let disk = entry.u16()?;
        if disk != 0 && disk != IN_ZIP64_16 {
            return Err(SPLIT);
        }
        left = left.checked_sub(variable).ok_or(DAMAGED)?;
        // This keeps the buffer if it can; a plain seek would empty it.
        let variable = i64::try_from(variable).expect("three numbers of 16 bits");
        file.seek_relative(variable).map_err(Unreadable)?;
        entries += 1;
    }
    Ok(entries)
}

/// Reads `length` bytes from `at`.
fn read_at(file: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Vec<u8>, Rejection> {
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(at)).map_err(Unreadable)?;
    file.read_exact(&mut bytes).map_err(Unreadable)?;
    Ok(bytes)
}

/// The rest of a record, whose fields are read one after the other.
struct RecordReader<'a>(&'a [u8]);

impl<'a> RecordReader<'a> {
    fn expect(&mut self, record: &Record) -> Result<(), Rejection> {
        if self.u32()? == record.signature {
            Ok(())
        } else {
            Err(DAMAGED)
        }
    }

    fn u16(&mut self) -> Result<u64, Rejection> {
        self.number(2)
    }

    fn u32(&mut self) -> Result<u64, Rejection> {
        self.number(4)
    }

    fn u64(&mut self) -> Result<u64, Rejection> {
        self.number(8)
    }

    fn number(&mut self, length: u64) -> Result<u64, Rejection> {
        let bytes = self.take(length)?;
        Ok(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn skip(&mut self, length: u64) -> Result<(), Rejection> {
        self.take(length).map(|_| ())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Rejection> {
        let (first, rest) = self.0.split_at_checked(length as usize).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Cursor, Write};
    use std::path::Path;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use zip::result::ZipError;
    use zip::write::{ExtendedFileOptions, FileOptions};
    use zip::{CompressionMethod, ZipArchive, ZipWriter};

    use super::{END, END64, END64_LOCATOR, MAX_COMMENT, Rejection, check};

    /// What goes into an archive.
    #[derive(Clone, Debug, Default)]
    struct Plan {
        entries: Vec<PlannedEntry>,
        comment: Vec<u8>,
    }

    #[derive(Clone, Debug)]
    struct PlannedEntry {
        name: String,
        content: Vec<u8>,
        /// Whether ZIP64 is used though not needed.
        zip64: bool,
        /// An extra field in the directory.
        extra: Option<Vec<u8>>,
    }

    /// Any bytes, with zeros at their end more often than not.
    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        let parts = (vec(any::<u8>(), 0..most / 2), 0..most / 2);
        parts.prop_map(|(any, zeros)| [any, vec![0; zeros]].concat())
    }

    fn plans() -> impl Strategy<Value = Plan> {
        let entry = (
            "[a-zä/]{1,12}",
            prop_oneof![bytes(200), Just(write(&Plan::default()))],
            any::<bool>(),
            prop::option::of(vec(any::<u8>(), 0..20)),
        );
        let entry = entry.prop_map(|(name, content, zip64, extra)| PlannedEntry {
            name,
            content,
            zip64,
            extra,
        });
        (vec(entry, 0..6), bytes(40)).prop_map(|(mut entries, comment)| {
            for (number, entry) in entries.iter_mut().enumerate() {
                entry.name.insert_str(0, &number.to_string()); // no name twice
            }
            Plan { entries, comment }
        })
    }

    fn write(plan: &Plan) -> Vec<u8> {
        /// An ID that APPNOTE leaves to others.
        const EXTRA_ID: u16 = 0x7777;
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for entry in &plan.entries {
            let mut options = FileOptions::<ExtendedFileOptions>::default()
                .compression_method(CompressionMethod::Stored)
                .large_file(entry.zip64);
            if let Some(extra) = &entry.extra {
                options
                    .add_extra_data(EXTRA_ID, extra.as_slice(), true)
                    .expect("an extra field");
            }
            writer
                .start_file(entry.name.as_str(), options)
                .expect("an entry");
            writer
                .write_all(&entry.content)
                .expect("an entry's content");
        }
        writer.set_raw_comment(plan.comment.clone().into_boxed_slice());
        writer.finish().expect("an archive").into_inner()
    }

    fn passes(archive: &[u8]) -> bool {
        match check(&mut Cursor::new(archive)) {
            Ok(()) => true,
            Err(Rejection::Incomplete(_)) => false,
            Err(Rejection::Unreadable(error)) => panic!("read beyond the end: {error}"),
        }
    }

    /// Whether a real reader lists every entry, and finds its data.
    fn is_listed(archive: &[u8]) -> Result<(), String> {
        let list = || {
            let mut archive = ZipArchive::new(Cursor::new(archive))?;
            (0..archive.len()).try_for_each(|index| archive.by_index_raw(index).map(|_| ()))
        };
        match list().map_err(|error: ZipError| error.to_string()) {
            // Java writes what it is given, and nearly all other readers pass it over.
            Err(error) if error.contains("Extra field header truncated") => Ok(()),
            listed => listed,
        }
    }

    /// An archive of one stored entry whose directory has every number of it in ZIP64 form.
    fn zip64_entry(content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).expect("a small content");
        let mut archive = b"PK\x03\x04\x2d\0\0\0\0\0\0\0\0\0".to_vec();
        archive.extend(crc32(content).to_le_bytes());
        archive.extend([size.to_le_bytes(), size.to_le_bytes()].concat());
        archive.extend(b"\x01\0\0\0a");
        archive.extend(content);
        let start = u32::try_from(archive.len()).expect("a small archive");
        archive.extend(b"PK\x01\x02\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
        archive.extend(crc32(content).to_le_bytes());
        archive.extend([0xff; 8]); // sizes
        archive.extend(b"\x01\0\x20\0\0\0\xff\xff"); // name, extra, comment, disk
        archive.extend([0; 6]); // attributes
        archive.extend([0xff; 4]); // local header
        archive.extend(b"a\x01\0\x1c\0"); // name; ZIP64, 28 bytes
        archive.extend([u64::from(size).to_le_bytes(), u64::from(size).to_le_bytes()].concat());
        archive.extend([0; 12]); // local header, disk
        let length = u32::try_from(archive.len()).expect("a small archive") - start;
        archive.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        archive.extend([length.to_le_bytes(), start.to_le_bytes()].concat());
        archive.extend([0; 2]);
        archive
    }

    /// The checksum of APPNOTE 4.4.7, bit by bit.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    /// Archives that real tools made: its README says how.
    const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages");

    /// The archives in a folder, with their paths.
    fn packages(folder: &str) -> Vec<(String, Vec<u8>)> {
        let packages: Vec<_> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("a folder's entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
            .map(|path| {
                (
                    path.display().to_string(),
                    fs::read(path).expect("a package"),
                )
            })
            .collect();
        assert!(!packages.is_empty(), "no packages in {folder}");
        packages
    }

    #[test]
    fn an_entry_whose_numbers_are_all_in_zip64_form_passes() {
        let archive = zip64_entry(b"content");
        assert!(passes(&archive));
        assert_eq!(is_listed(&archive), Ok(()));
        // Its extra field is for other readers; of its disk they must not say another thing than 0.
        let disk_at = archive.len() - (END.length + 33 + 12) as usize;
        assert_eq!(archive[disk_at..disk_at + 2], [0xff; 2]);
        let mut on_disk_1 = archive;
        on_disk_1[disk_at..disk_at + 2].copy_from_slice(&[1, 0]);
        assert_fault(&on_disk_1, "it is one part of a split archive");
    }

    #[test]
    fn the_longest_comment_and_padding_pass_and_no_more() {
        for comment in [Vec::new(), vec![b'c'; MAX_COMMENT as usize], vec![0; 30]] {
            let entries = Vec::new();
            let mut archive = write(&Plan { entries, comment });
            assert!(passes(&archive));
            archive.extend([0; 10_240]); // one block of bsdtar
            assert!(passes(&archive));
            archive.push(0);
            assert!(!passes(&archive));
        }
    }

    /// An archive without ZIP64 whose directory has so many entries, and says that it has `count`.
    fn counted(entries: usize, count: u16) -> Vec<u8> {
        let one = zip64_entry(b"");
        let end = one.len() - END.length as usize;
        let start = one.len() - 6..one.len() - 2;
        let start = u32::from_le_bytes(one[start].try_into().expect("four bytes")) as usize;
        let directory = one[start..end].repeat(entries);
        let length = u32::try_from(directory.len()).expect("a small directory");
        let mut archive = [&one[..start], &directory, b"PK\x05\x06\0\0\0\0"].concat();
        archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
        archive.extend(length.to_le_bytes());
        archive.extend(&one[end + 16..]);
        archive
    }

    #[test]
    fn a_count_modulo_65_536_passes_without_zip64() {
        assert!(passes(&counted(65_535, 65_535)));
        assert!(passes(&counted(65_536, 0)));
        assert!(passes(&counted(65_537, 1)));
        assert!(!passes(&counted(65_536, 1)));
        assert!(!passes(&counted(65_537, 0)));
        assert!(!passes(&counted(65_536, 65_535)));
        assert!(!passes(&counted(1, 0)));
        assert!(!passes(&counted(0, 1)));
    }

    #[test]
    fn a_count_modulo_65_536_does_not_pass_with_zip64() {
        let path = Path::new(PACKAGES).join("info-zip-zip64.zip");
        let mut package = fs::read(path).expect("a package");
        let end = package.len() - END.length as usize;
        let end64 = end - (END64_LOCATOR.length + END64.length) as usize;
        package[end + 8..end + 12].fill(0xff); // the counts are in the ZIP64 record
        assert!(passes(&package));
        for count in [end64 + 24, end64 + 32] {
            package[count + 2] += 1; // 65,536 more
        }
        assert!(!passes(&package));
    }

    #[track_caller]
    fn assert_fault(archive: &[u8], expected: &str) {
        match check(&mut Cursor::new(archive)) {
            Err(Rejection::Incomplete(fault)) => assert_eq!(fault, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_fault_nearest_to_the_end_is_reported() {
        let entry = PlannedEntry {
            name: "inner.zip".to_owned(),
            content: write(&Plan::default()),
            zip64: false,
            extra: None,
        };
        let mut archive = write(&Plan {
            entries: vec![entry],
            comment: b"a comment".to_vec(),
        });
        archive.pop();
        assert_fault(&archive, "one of its records is cut short");
        archive.truncate(archive.len() - 30);
        assert_fault(&archive, "something follows its end record");
    }

    #[test]
    fn an_encrypted_directory_is_reported_as_encrypted() {
        const START: u64 = 40;
        const LENGTH: u64 = 60;
        const MORE: u64 = 30; // behind the end record: the algorithm and its data
        let archive = |version: u16| {
            let mut archive = vec![0xa5; (START + LENGTH) as usize];
            archive.extend(b"PK\x06\x06");
            archive.extend((END64.length - 12 + MORE).to_le_bytes());
            archive.extend([version.to_le_bytes(), version.to_le_bytes()].concat());
            archive.extend([0; 8]); // disks
            for number in [1, 2, LENGTH, START] {
                archive.extend(number.to_le_bytes());
            }
            archive.extend([0; MORE as usize]);
            archive.extend(b"PK\x06\x07\0\0\0\0");
            archive.extend((START + LENGTH).to_le_bytes());
            archive.extend(b"\x01\0\0\0PK\x05\x06");
            archive.extend([0xff; 16]);
            archive.extend([0; 2]);
            archive
        };
        assert_fault(&archive(62), "its directory is encrypted");
        assert_fault(&archive(45), "it is one part of a split archive");
    }

    #[test]
    fn every_package_of_a_real_tool_passes_and_is_listed() {
        for (name, package) in packages(PACKAGES) {
            assert!(passes(&package), "{name}");
            assert_eq!(is_listed(&package), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_package_of_a_real_tool_that_is_not_whole_by_itself_does_not_pass() {
        for (name, package) in packages(&format!("{PACKAGES}/refused")) {
            assert!(!passes(&package), "{name}");
        }
    }

    /// The archive without its byte at `at`, and with one more before it: a zero, and another.
    fn shifted(archive: &[u8], at: usize) -> [Vec<u8>; 3] {
        let (before, rest) = archive.split_at(at);
        [
            [before, &rest[1.min(rest.len())..]].concat(),
            [before, b"\0", rest].concat(),
            [before, b"x", rest].concat(),
        ]
    }

    /// Whether it is the archive with its padding longer or shorter.
    fn differs_in_padding(one: &[u8], other: &[u8]) -> bool {
        let (short, long) = if one.len() < other.len() {
            (one, other)
        } else {
            (other, one)
        };
        long.starts_with(short) && long[short.len()..].iter().all(|byte| *byte == 0)
    }

    #[test]
    fn a_package_of_a_real_tool_with_a_byte_less_or_more_anywhere_does_not_pass() {
        // A byte more can turn padding into a comment.
        let is_padded = |name: &str| name.ends_with("padded.zip");
        let packages = packages(PACKAGES).into_iter();
        for (name, package) in packages.filter(|(name, _)| !is_padded(name)) {
            for at in 0..=package.len() {
                for changed in shifted(&package, at) {
                    let is_refused = !passes(&changed) || differs_in_padding(&package, &changed);
                    assert!(is_refused, "{name}, at {at}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_whole_archive_passes(plan in plans()) {
            let archive = write(&plan);
            prop_assert!(passes(&archive));
            prop_assert_eq!(is_listed(&archive), Ok(()));
        }

        #[test]
        fn an_archive_cut_short_or_with_more_than_zeros_behind_it_does_not_pass(
            plan in plans(),
            cut in any::<prop::sample::Index>(),
            zeros in 0..30_usize,
            more in vec(any::<u8>(), 1..30),
        ) {
            let archive = write(&plan);
            let padded = [archive.as_slice(), &vec![0; zeros]].concat();
            let cut = cut.index(padded.len() + 1);
            prop_assert_eq!(passes(&padded[..cut]), cut >= archive.len());
            let only_zeros = more.iter().all(|byte| *byte == 0);
            prop_assert_eq!(passes(&[padded.as_slice(), &more].concat()), only_zeros);
            prop_assert!(!passes(&[more.as_slice(), &archive].concat()));
            prop_assert!(!passes(&[&vec![0; zeros + 1], archive.as_slice()].concat()));
        }

        #[test]
        fn an_archive_with_bytes_less_or_more_before_its_comment_does_not_pass(
            plan in plans(),
            places in vec(any::<prop::sample::Index>(), 1..3),
            more in vec(any::<u8>(), 1..30),
        ) {
            let mut plan = plan;
            plan.comment.push(b'.'); // zeros alone could become padding
            let archive = write(&plan);
            let comment_at = archive.len() - plan.comment.len();
            let mut places: Vec<_> = places.iter().map(|at| at.index(comment_at)).collect();
            places.sort_unstable();
            let (start, end) = (places[0], places[places.len() - 1] + 1);
            let without = [&archive[..start], &archive[end..]].concat();
            prop_assert!(!passes(&without) || differs_in_padding(&archive, &without));
            let with = [&archive[..start], &more, &archive[start..]].concat();
            prop_assert!(!passes(&with) || differs_in_padding(&archive, &with));
        }

        #[test]
        fn arbitrary_bytes_in_the_place_of_an_archive_s_entries_pass_if_lengths_and_count_fit(
            data in vec(any::<u8>(), 0..300),
            entries in vec((any::<[u8; 24]>(), any::<[u8; 10]>(), [0..9_u16, 0..9, 0..9]), 0..5),
            cut in 0..2_usize,
            counted in 0..2_u16,
        ) {
            let mut directory = Vec::new();
            for (before, behind, lengths) in &entries {
                directory.extend([b"PK\x01\x02".as_slice(), before].concat());
                directory.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
                directory.extend([&[0; 2], behind.as_slice()].concat());
                directory.resize(directory.len() + usize::from(lengths.iter().sum::<u16>()), b'n');
            }
            directory.truncate(directory.len().saturating_sub(cut));
            let count = entries.len() as u16 + counted;
            let length = directory.len() as u32;
            let mut archive = [data.as_slice(), &directory, b"PK\x05\x06\0\0\0\0"].concat();
            archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
            archive.extend([length.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat());
            archive.extend([0; 2]);
            let fits = counted == 0 && (cut == 0 || entries.is_empty());
            prop_assert_eq!(passes(&archive), fits);
        }
    }
}
